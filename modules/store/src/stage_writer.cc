#include "ssync/store/stage_writer.h"

#include <algorithm>
#include <utility>

#include "ssync/store/attributes.h"
#include "ssync/store/publish.h"

namespace ssync::store {
namespace {

/// A hole is hashed in steps, as its size is only a number that the peer said.
constexpr std::uint64_t kHoleStep = 1U << 30U;

Error wrong_checksum() {
  return {Errc::corrupt, "the content that arrived has not the checksum of the source", 0};
}

}  // namespace

void StageWriter::work(const Part& part) {
  if (Incoming* const file = part.given_up; file != nullptr && !file->reported) {
    drop_unfinished(*file);
    file->reported = true;
    count_filled(*file);
    outcomes_.failed(*file, part.why);
  }
  for (const Part::Piece& piece : part.pieces) {
    if (piece.file->reported || stopping_.load(std::memory_order_relaxed)) continue;
    const wire::Segment& segment = part.message->segments[piece.segment];
    const auto bytes = part.message->payload.bytes().subspan(piece.payload_offset, segment.length);
    const Result<void> written = write(*piece.file, segment, bytes);
    if (!written) report_failure(*piece.file, written.error());
  }
  close_filled();
  if (part.completed != nullptr) filling_.close(*part.completed);
  if (part.message) outcomes_.written(*part.message);
}

std::vector<Ready> StageWriter::take_ready() {
  std::vector<Ready> ready = filling_.take_aged();
  if (!ready_.files.empty()) ready.push_back(std::exchange(ready_, {}));
  return ready;
}

void StageWriter::count_filled(Incoming& file) {
  if (!file.fills) return;
  if (filled_.empty() || filled_.back().location != file.location) filled_.push_back({file.location, 0});
  ++filled_.back().files;
}

void StageWriter::close_filled() {
  if (filled_.empty()) return;
  outcomes_.filled(filled_);
  for (const Filled& done : filled_)
    filling_.close(*done.location);
  filled_.clear();
}

void StageWriter::abandon() noexcept {
  while (!unfinished_.empty())
    drop_unfinished(*unfinished_.back());
  drop(placing_, std::exchange(ready_, {}));
  filling_.abandon();
}

Result<void> StageWriter::write(Incoming& file, const wire::Segment& segment,
                                std::span<const std::byte> bytes) {
  const bool whole = segment.last && segment.offset == 0 && segment.ending.size == bytes.size();
  if (whole && (segment.restart || !file.unfinished)) {
    drop_unfinished(file);
    return write_whole(file, segment, bytes);
  }
  if (!file.unfinished) SSYNC_TRY_VOID(begin(file));
  SSYNC_TRY_VOID(write_piece(*file.unfinished, segment, bytes));
  if (segment.last) SSYNC_TRY_VOID(complete(file, segment.ending));
  return {};
}

Result<void> StageWriter::write_whole(Incoming& file, const wire::Segment& segment,
                                      std::span<const std::byte> bytes) {
  if (content::checksum_of(bytes) != segment.ending.checksum) return fail(wrong_checksum());
  file.wanted.size = segment.ending.size;
  file.wanted.mtime = segment.ending.mtime;
  file.changed = segment.ending.changed;
  if (file.fills) {
    if (fs::Directory* const directory = filling_.open(*file.location); directory != nullptr)
      return write_into(*directory, file, segment, bytes);
  }
  SSYNC_TRY(NewFile made, placing_.create(file.location->path, file.wanted));
  Result<void> written = [&]() -> Result<void> {
    if (!bytes.empty()) SSYNC_TRY_VOID(named("write", made.file->write_at(0, bytes)));
    return placing_.finish(made, file.wanted);
  }();
  if (!written) {
    placing_.drop(made.at, file.location->path);
    return written;
  }
  ready_.add({&file, std::move(made.at), segment.ending.checksum, std::nullopt});
  count_filled(file);
  return {};
}

Result<void> StageWriter::write_into(fs::Directory& directory, Incoming& file, const wire::Segment& segment,
                                     std::span<const std::byte> bytes) {
  SSYNC_TRY(NewFile made, placing_.create_in_staged(directory, file.name, file.location->path, file.wanted));
  const Result<Seen> written = [&]() -> Result<Seen> {
    if (!bytes.empty()) SSYNC_TRY_VOID(named("write", made.file->write_at(0, bytes)));
    return placing_.finish_and_look(made, file.wanted);
  }();
  if (!written) {
    const Result<void> removed = directory.remove(made.at.slot);
    static_cast<void>(removed);  // best effort: what stays is not complete, and not published
    return fail(written.error());
  }
  filling_.add({&file, std::move(made.at), segment.ending.checksum, *written});
  count_filled(file);
  return {};
}

Result<void> StageWriter::begin(Incoming& file) {
  SSYNC_TRY(NewFile made, placing_.create(file.location->path, file.wanted));
  file.unfinished = std::make_unique<Unfinished>();
  file.unfinished->staged = std::move(made);
  unfinished_.push_back(&file);
  return {};
}

Result<void> StageWriter::write_piece(Unfinished& unfinished, const wire::Segment& segment,
                                      std::span<const std::byte> bytes) {
  if (segment.restart && unfinished.end > 0) {
    SSYNC_TRY_VOID(named("truncate", unfinished.staged.file->truncate(0)));
    unfinished.hash.reset();
    unfinished.end = unfinished.size = 0;
  }
  SSYNC_TRY_VOID(pass_hole(unfinished, segment.offset));
  if (bytes.empty()) return {};
  SSYNC_TRY_VOID(named("write", unfinished.staged.file->write_at(segment.offset, bytes)));
  unfinished.hash.add(bytes);
  unfinished.end = unfinished.size = segment.offset + bytes.size();
  return {};
}

Result<void> StageWriter::pass_hole(Unfinished& unfinished, std::uint64_t end) {
  while (unfinished.end < end) {
    if (stopping_.load(std::memory_order_relaxed)) return fail(Errc::interrupted, "receiving was stopped");
    const std::uint64_t step = std::min(end - unfinished.end, kHoleStep);
    unfinished.hash.add_zeros(step);
    unfinished.end += step;
  }
  return {};
}

Result<void> StageWriter::complete(Incoming& file, const wire::Ending& ending) {
  Unfinished& unfinished = *file.unfinished;
  // Before it is hashed: a size that no file can have fails here.
  if (ending.size > unfinished.size)
    SSYNC_TRY_VOID(named("truncate", unfinished.staged.file->truncate(ending.size)));
  SSYNC_TRY_VOID(pass_hole(unfinished, ending.size));
  if (unfinished.hash.checksum() != ending.checksum) return fail(wrong_checksum());
  file.wanted.size = ending.size;
  file.wanted.mtime = ending.mtime;
  file.changed = ending.changed;
  SSYNC_TRY_VOID(placing_.finish(unfinished.staged, file.wanted));
  Staged at = std::move(unfinished.staged.at);
  std::erase(unfinished_, &file);
  file.unfinished.reset();
  // If its directory is being filled, the file joins it: under a name in the mirror's directory it would make
  // that one not empty, and keep it from being replaced.
  fs::Directory* const filled = at.beside ? nullptr : filling_.find(*file.location);
  if (filled != nullptr && placing_.move_into_staged(at, *filled, file.name)) {
    filling_.add({&file, {file.name, false}, ending.checksum, std::nullopt});
  } else {
    ready_.add({&file, std::move(at), ending.checksum, std::nullopt});
  }
  count_filled(file);
  return {};
}

void StageWriter::drop_unfinished(Incoming& file) noexcept {
  if (!file.unfinished) return;
  placing_.drop(file.unfinished->staged.at, file.location->path);
  file.unfinished.reset();
  std::erase(unfinished_, &file);
}

void StageWriter::report_failure(Incoming& file, const Error& error) {
  drop_unfinished(file);
  file.reported = true;
  count_filled(file);
  outcomes_.failed(file, error);
}

}  // namespace ssync::store
