#include "file_sender.h"

#include <algorithm>

#include "attributes.h"
#include "xxh3.h"

namespace ssync::transfer {
namespace {

constexpr int kTries = 3;
constexpr std::size_t kScratchBytes = 256 * 1024;

tl::unexpected<Error> stopped() {
  return fail(Errc::closed, "reading was stopped");
}

}  // namespace

Result<void> FileSender::send(const ReadRequest& request) {
  restart_ = false;
  for (int tries = 0; tries < kTries; ++tries) {
    mark_ = packer_.mark();
    begun_ = false;
    const Result<bool> sent = attempt(request);
    if (sent && *sent) return {};
    if (!packer_.roll_back(mark_) && begun_) restart_ = true;
    if (!sent) return fail(sent.error());
  }
  return fail(Errc::changed, "it keeps changing while it is read");
}

Result<bool> FileSender::attempt(const ReadRequest& request) {
  SSYNC_TRY(const auto file,
            named("open", with_directory(directories_, request.location, [&](fs::Directory& directory) {
                    return directory.open_file(request.name);
                  })));
  SSYNC_TRY(const fs::Stat before, named("stat", file->stat()));
  const std::uint64_t size = before.seen.values.size;
  if (!packer_.make_room(static_cast<std::size_t>(std::min<std::uint64_t>(size, packer_.capacity()))))
    return stopped();
  mark_ = packer_.mark();

  const bool one_piece = size <= packer_.capacity() && !is_sparse(before);
  SSYNC_TRY(const bool complete, one_piece ? read_piece(*file, request.row, static_cast<std::size_t>(size))
                                           : read_stream(*file, request.row, size, is_sparse(before)));
  if (!complete) return false;
  SSYNC_TRY(const fs::Stat after, named("stat", file->stat()));
  SentFile done{request.row, request.listed, checksum_, after.seen, true};
  if (!unchanged(before.seen, after.seen)) {
    if (after.seen.values.size <= size) return false;
    SSYNC_TRY(const bool same, prefix_is_unchanged(*file, size));
    if (!same) return false;
    done.seen.values.size = size;
    done.seen.values.mtime = before.seen.values.mtime;
    done.exact = false;
  }
  done.values.size = size;
  done.values.mtime = before.seen.values.mtime;
  if (!packer_.finish(std::move(done), restart_ && !begun_)) return stopped();
  return true;
}

void FileSender::add(RowId row, std::uint64_t offset, std::size_t length) {
  packer_.add({.row = row,
               .offset = offset,
               .length = static_cast<std::uint32_t>(length),
               .restart = restart_ && !begun_});
  begun_ = true;
}

Result<bool> FileSender::read_piece(fs::File& file, RowId row, std::size_t size) {
  const std::span<std::byte> space = packer_.free_space().first(size);
  if (size > 0) {
    probe_.begin();
    SSYNC_TRY(const std::size_t got, named("read", file.read_at(0, space)));
    if (const auto switches = probe_.end()) waited_(*switches);
    if (got < size) return false;
  }
  checksum_ = checksum_of(space);
  add(row, 0, size);
  return true;
}

Result<bool> FileSender::read_stream(fs::File& file, RowId row, std::uint64_t size, bool sparse) {
  hash_.reset();
  std::uint64_t offset = 0;
  while (offset < size) {
    fs::File::Range data{offset, size};
    if (sparse) {
      SSYNC_TRY(const auto next, named("look for data", file.next_data(offset, size)));
      data = next.value_or(fs::File::Range{size, size});
      hash_.add_zeros(data.begin - offset);
    }
    SSYNC_TRY(const bool complete, read_range(file, row, data.begin, data.end));
    if (!complete) return false;
    offset = data.end;
  }
  checksum_ = hash_.checksum();
  return true;
}

Result<bool> FileSender::read_range(fs::File& file, RowId row, std::uint64_t begin, std::uint64_t end) {
  for (std::uint64_t offset = begin; offset < end;) {
    if (packer_.free_space().empty() && !packer_.make_room(1)) return stopped();
    std::span<std::byte> space = packer_.free_space();
    space = space.first(static_cast<std::size_t>(std::min<std::uint64_t>(space.size(), end - offset)));
    SSYNC_TRY(const std::size_t got, named("read", file.read_at(offset, space)));
    if (got == 0) return false;
    hash_.add(space.first(got));
    add(row, offset, got);
    offset += got;
  }
  return true;
}

Result<bool> FileSender::prefix_is_unchanged(fs::File& file, std::uint64_t size) {
  scratch_.resize(kScratchBytes);
  hash_.reset();
  for (std::uint64_t offset = 0; offset < size;) {
    const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(size - offset, kScratchBytes));
    SSYNC_TRY(const std::size_t got, named("read", file.read_at(offset, std::span(scratch_).first(wanted))));
    if (got == 0) return false;
    hash_.add(std::span(scratch_).first(got));
    offset += got;
  }
  return hash_.checksum() == checksum_;
}

}  // namespace ssync::transfer
