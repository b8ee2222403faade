#include "filelist.h"

#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "ssync/base/assert.h"
#include "ssync/wire/codec.h"

#include "rows.h"

namespace ssync::wire {
namespace {

enum Column : std::size_t {
  kLocation,
  kName,
  kDigest,
  kId,
  kKind,
  kSize,
  kMtime,
  kMtimeNs,
  kMode,
  kUid,
  kGid,
  kChecksum,
  kFlags,
  kTarget,
  kOriginLocation,
  kOriginName,
  kOriginChecksum,
  kColumns
};
static_assert(kColumns == kFileListColumns.size() && kColumns <= kColumnsMax);
constexpr std::size_t kColumnsNeeded = kKind + 1;

constexpr std::uint64_t kDoubt = 1;
constexpr std::uint64_t kOriginProven = 2;
constexpr std::uint64_t kAllFlags = kDoubt | kOriginProven;

/// An array16 header; the count is filled in when it is known.
constexpr std::size_t kHeaderBytes = 3;
static_assert(kRowsMax <= 0xffff);

/// Room that is allocated once; msgpack's packer writes to it.
struct Room {
  std::span<std::byte> bytes;
  std::size_t used = 0;
  void write(const char* from, std::size_t size) noexcept {
    SSYNC_ASSERT(size <= bytes.size() - used);
    if (size > 0) std::memcpy(bytes.data() + used, from, size);
    used += size;
  }
};

std::uint64_t flags_of(const Row& row) noexcept {
  return (row.doubt ? kDoubt : 0U) | (row.origin && row.origin->proven ? kOriginProven : 0U);
}

/// Columns up to the last that is not at its default.
std::size_t columns_of(const Row& row) noexcept {
  if (row.origin) return kOriginChecksum + 1;
  if (!row.target.empty()) return kTarget + 1;
  if (row.doubt) return kFlags + 1;
  if (row.checksum) return kChecksum + 1;
  if (row.values.owner.gid != 0) return kGid + 1;
  if (row.values.owner.uid != 0) return kUid + 1;
  if (row.values.mode != 0) return kMode + 1;
  if (row.values.mtime.ns != 0) return kMtimeNs + 1;
  if (row.values.mtime.s != 0) return kMtime + 1;
  if (row.values.size != 0) return kSize + 1;
  return kColumnsNeeded;
}

/// Appends rows to a body of fixed room.
class BodyWriter {
 public:
  BodyWriter() : body_(Buffer::allocate(kBodyBytesMax)), room_{body_.writable(), kHeaderBytes} {}

  [[nodiscard]] std::size_t rows() const noexcept { return rows_; }
  [[nodiscard]] std::size_t bytes() const noexcept { return room_.used; }

  void add(const Row& row) {
    const std::size_t columns = columns_of(row);
    packer_.pack_array(static_cast<std::uint32_t>(columns));
    location(row.location);
    bytes(row.name);
    fixed_or_nil(row.digest ? row.digest->view() : std::span<const std::byte>());
    packer_.pack_uint64(row.id);
    packer_.pack_uint8(static_cast<std::uint8_t>(row.values.kind));
    for (std::size_t column = kColumnsNeeded; column < columns; ++column)
      cell(row, column);
    ++rows_;
  }

  [[nodiscard]] Buffer take() {
    const auto header = room_.bytes.first(kHeaderBytes);
    header[0] = std::byte{0xdc};
    header[1] = static_cast<std::byte>(rows_ >> 8U);
    header[2] = static_cast<std::byte>(rows_ & 0xffU);
    body_.shorten(room_.used);
    return std::move(body_);
  }

 private:
  void cell(const Row& row, std::size_t column) {
    switch (column) {
      case kSize:
        packer_.pack_uint64(row.values.size);
        break;
      case kMtime:
        packer_.pack_int64(row.values.mtime.s);
        break;
      case kMtimeNs:
        packer_.pack_uint32(row.values.mtime.ns);
        break;
      case kMode:
        packer_.pack_uint16(row.values.mode);
        break;
      case kUid:
        packer_.pack_uint32(row.values.owner.uid);
        break;
      case kGid:
        packer_.pack_uint32(row.values.owner.gid);
        break;
      case kChecksum:
        fixed_or_nil(row.checksum ? std::span<const std::byte>(*row.checksum) : std::span<const std::byte>());
        break;
      case kFlags:
        packer_.pack_uint64(flags_of(row));
        break;
      case kTarget:
        row.target.empty() ? void(packer_.pack_nil()) : bytes(row.target);
        break;
      case kOriginLocation:
        bytes(row.origin->location);
        break;
      case kOriginName:
        bytes(row.origin->name);
        break;
      case kOriginChecksum:
        fixed_or_nil(row.origin->checksum);
        break;
      default:
        SSYNC_ASSERT(false);
    }
  }
  void location(std::string_view location) {
    if (rows_ > 0 && location == last_location_) {
      packer_.pack_nil();
      return;
    }
    bytes(location);
    last_location_ = {reinterpret_cast<const char*>(room_.bytes.data()) + room_.used - location.size(),
                      location.size()};
  }
  void bytes(std::string_view of) {
    packer_.pack_bin(static_cast<std::uint32_t>(of.size()));
    packer_.pack_bin_body(of.data(), static_cast<std::uint32_t>(of.size()));
  }
  void fixed_or_nil(std::span<const std::byte> of) {
    if (of.empty()) {
      packer_.pack_nil();
    } else {
      bytes({reinterpret_cast<const char*>(of.data()), of.size()});
    }
  }

  Buffer body_;
  Room room_;
  msgpack::packer<Room> packer_{room_};
  std::string_view last_location_;  ///< in body_
  std::size_t rows_ = 0;
};

void read_origin(RowReader& in, Row& row, std::uint64_t flags) {
  const bool proven = (flags & kOriginProven) != 0;
  if (!in.has(kOriginName)) {
    if (in.has(kOriginLocation) || in.has(kOriginChecksum) || proven)
      in.refuse(kOriginName, "is missing beside other columns of an origin");
    return;
  }
  Origin origin;
  origin.location = in.bytes(kOriginLocation);
  origin.name = in.bytes(kOriginName);
  if (!in.has(kOriginChecksum)) in.refuse(kOriginChecksum, "is missing beside an origin");
  origin.checksum = in.checksum(kOriginChecksum).value_or(Checksum{});
  origin.proven = proven;
  row.origin = origin;
}

void read_row(RowReader& in, Row& row, LocationBefore& before) {
  in.need(kColumnsNeeded);
  row.location = in.location(before);
  row.name = in.bytes(kName);
  row.digest = in.digest(kDigest);
  row.id = in.number(kId);
  row.values.kind = static_cast<Kind>(in.small<std::uint8_t>(kKind));
  row.values.size = in.number(kSize);
  row.values.mtime.s = in.signed_number(kMtime);
  row.values.mtime.ns = in.small<std::uint32_t>(kMtimeNs);
  row.values.mode = in.small<std::uint16_t>(kMode);
  row.values.owner.uid = in.small<std::uint32_t>(kUid);
  row.values.owner.gid = in.small<std::uint32_t>(kGid);
  row.checksum = in.checksum(kChecksum);
  const std::uint64_t flags = in.number(kFlags, kAllFlags);
  row.doubt = (flags & kDoubt) != 0;
  if (in.has(kTarget)) {
    row.target = in.bytes(kTarget);
    if (row.target.empty()) in.refuse(kTarget, "is empty");
  }
  read_origin(in, row, flags);
}

}  // namespace

Buffer encode_rows(const RowBatch& batch) {
  SSYNC_ASSERT(batch.rows.size() <= kRowsMax);
  BodyWriter body;
  for (const Row& row : batch.rows)
    body.add(row);
  return body.take();
}

Result<std::vector<Row>> decode_rows(std::span<const std::byte> body) {
  std::vector<Row> rows;
  LocationBefore before;
  SSYNC_TRY_VOID(read_rows(
      body, [&](std::size_t count) { rows.reserve(count); },
      [&](RowReader& in) { read_row(in, rows.emplace_back(), before); }));
  return rows;
}

struct FileListEncoder::Impl {
  Impl(std::size_t rows, std::size_t bytes) : rows_max(rows), target_bytes(bytes) {}
  const std::size_t rows_max;
  const std::size_t target_bytes;
  std::optional<BodyWriter> body;  ///< made by the first row
  std::uint64_t number = 0;
};

FileListEncoder::FileListEncoder(std::size_t rows_max, std::size_t target_bytes)
    : impl_(std::make_unique<Impl>(rows_max, target_bytes)) {
  SSYNC_ASSERT(rows_max >= 1 && rows_max <= kRowsMax && target_bytes <= kBodyBytesTarget);
}
FileListEncoder::~FileListEncoder() = default;
FileListEncoder::FileListEncoder(FileListEncoder&&) noexcept = default;
FileListEncoder& FileListEncoder::operator=(FileListEncoder&&) noexcept = default;

bool FileListEncoder::add(const Row& row) {
  if (!impl_->body) {
    impl_->body.emplace();
  } else if (impl_->body->rows() == impl_->rows_max || impl_->body->bytes() >= impl_->target_bytes) {
    return false;
  }
  impl_->body->add(row);
  return true;
}

std::size_t FileListEncoder::rows() const noexcept {
  return impl_->body ? impl_->body->rows() : 0;
}

FileListEncoder::Encoded FileListEncoder::finish(bool last) {
  if (!impl_->body) impl_->body.emplace();
  Encoded encoded{.body = {}, .number = impl_->number++, .rows = impl_->body->rows(), .last = last};
  encoded.body = impl_->body->take();
  impl_->body.reset();
  return encoded;
}

}  // namespace ssync::wire
