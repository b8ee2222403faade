#include "file_sender.h"

#include <algorithm>
#include <limits>

#include "ssync/fs/same.h"
#include "ssync/model/problem.h"

namespace ssync::transfer {
namespace {

constexpr int kTries = 3;
constexpr std::size_t kScratchBytes = 256 * 1024;

tl::unexpected<Error> stopped() {
  return fail(Errc::closed, "reading was stopped");
}

/// A time that the file never had. Otherwise a mirror without an index, which has only size and time to go
/// by, could take what was read while the file changed for what the file has when it rests.
FileTime before_any(FileTime mtime) {
  constexpr std::int64_t kStep = 2;  // the coarsest that a file system has
  if (mtime.s >= std::numeric_limits<std::int64_t>::min() + kStep) mtime.s -= kStep;
  return mtime;
}

}  // namespace

Result<void> FileSender::send(const ReadRequest& request) {
  restart_ = false;
  for (int tries = 1; tries <= kTries; ++tries) {
    mark_ = packer_.mark();
    begun_ = false;
    const bool stands = tries == kTries && request.any_content;
    const Result<bool> sent = attempt(request, stands ? Changed::kept : Changed::again);
    if (sent && *sent) return {};
    if (!packer_.roll_back(mark_) && begun_) restart_ = true;
    if (!sent) return fail(sent.error());
  }
  return fail(Errc::changed, "it keeps changing while it is read");
}

Result<bool> FileSender::attempt(const ReadRequest& request, Changed changed) {
  SSYNC_TRY(const auto file,
            named("open", with_directory(directories_, request.location, [&](fs::Directory& directory) {
                    return directory.open_file(request.name);
                  })));
  SSYNC_TRY(const fs::Stat before, named("stat", file->stat()));
  const std::uint64_t size = before.seen.values.size;
  if (!packer_.make_room(static_cast<std::size_t>(std::min<std::uint64_t>(size, packer_.capacity()))))
    return stopped();
  mark_ = packer_.mark();

  const bool one_piece = size <= packer_.capacity() && !before.is_sparse();
  SSYNC_TRY_VOID(one_piece ? read_piece(*file, request.row, static_cast<std::size_t>(size))
                           : read_stream(*file, request.row, size, before.is_sparse()));
  SentFile done{request.row, request.listed, checksum_, {}, true, false};
  done.values.size = got_;
  done.values.mtime = before.seen.values.mtime;
  SSYNC_TRY(const bool quiet, was_quiet(*file, before.seen, done));
  if (!quiet) {
    if (changed == Changed::again) return false;
    done.exact = false;
    done.changed = true;
    done.values.mtime = before_any(before.seen.values.mtime);
  }
  if (!packer_.finish(std::move(done), restart_ && !begun_)) return stopped();
  return true;
}

Result<bool> FileSender::was_quiet(fs::File& file, const Seen& before, SentFile& done) {
  if (got_ < before.values.size) return false;
  SSYNC_TRY(const fs::Stat after, named("stat", file.stat()));
  done.seen = after.seen;
  if (fs::unchanged(before, after.seen)) return true;
  if (after.seen.values.size <= got_) return false;
  SSYNC_TRY(const bool same, prefix_is_unchanged(file, got_));
  if (!same) return false;
  done.seen.values.size = got_;
  done.seen.values.mtime = before.values.mtime;
  done.exact = false;
  return true;
}

void FileSender::add(RowId row, std::uint64_t offset, std::size_t length) {
  packer_.add({.row = row,
               .offset = offset,
               .length = static_cast<std::uint32_t>(length),
               .restart = restart_ && !begun_});
  begun_ = true;
}

Result<void> FileSender::read_piece(fs::File& file, RowId row, std::size_t size) {
  std::span<const std::byte> content = packer_.free_space().first(size);
  got_ = 0;
  if (size > 0) {
    probe_.begin();
    SSYNC_TRY(got_, named("read", file.read_at(0, packer_.free_space().first(size))));
    if (const auto switches = probe_.end()) waited_(*switches);
  }
  content = content.first(static_cast<std::size_t>(got_));
  checksum_ = content::checksum_of(content);
  add(row, 0, content.size());
  return {};
}

Result<void> FileSender::read_stream(fs::File& file, RowId row, std::uint64_t size, bool sparse) {
  hash_.reset();
  got_ = 0;
  while (got_ < size) {
    fs::File::Range data{got_, size};
    if (sparse) {
      SSYNC_TRY(const auto next, named("look for data", file.next_data(got_, size)));
      data = next.value_or(fs::File::Range{size, size});
      hash_.add_zeros(data.begin - got_);
      got_ = data.begin;
    }
    SSYNC_TRY_VOID(read_range(file, row, data.end));
    if (got_ < data.end) break;
  }
  checksum_ = hash_.checksum();
  return {};
}

Result<void> FileSender::read_range(fs::File& file, RowId row, std::uint64_t end) {
  while (got_ < end) {
    if (packer_.free_space().empty() && !packer_.make_room(1)) return stopped();
    std::span<std::byte> space = packer_.free_space();
    space = space.first(static_cast<std::size_t>(std::min<std::uint64_t>(space.size(), end - got_)));
    SSYNC_TRY(const std::size_t got, named("read", file.read_at(got_, space)));
    if (got == 0) return {};
    hash_.add(space.first(got));
    add(row, got_, got);
    got_ += got;
  }
  return {};
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
