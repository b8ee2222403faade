#include "stage_writer.h"

#include <algorithm>
#include <utility>

#include "attributes.h"
#include "xxh3.h"

namespace ssync::transfer {
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
    ledger_.failed(*file, part.why);
  }
  for (const Part::Piece& piece : part.pieces) {
    if (piece.file->reported || stopping_.load(std::memory_order_relaxed)) continue;
    const wire::Segment& segment = part.message->segments[piece.segment];
    const auto bytes = part.message->payload.bytes().subspan(piece.payload_offset, segment.length);
    const Result<void> written = write(*piece.file, segment, bytes);
    if (!written) report_failure(*piece.file, written.error());
  }
  if (part.message) ledger_.written(*part.message);
}

std::vector<Ready> StageWriter::take_ready() {
  return std::exchange(ready_, {});
}

void StageWriter::abandon() noexcept {
  while (!unfinished_.empty())
    drop_unfinished(*unfinished_.back());
  for (const Ready& ready : ready_)
    placing_.drop(ready.staged, *ready.file->location);
  ready_.clear();
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
  if (checksum_of(bytes) != segment.ending.checksum) return fail(wrong_checksum());
  file.wanted.size = segment.ending.size;
  file.wanted.mtime = segment.ending.mtime;
  SSYNC_TRY(NewFile made, placing_.create(*file.location, file.wanted));
  const Result<void> written = [&]() -> Result<void> {
    if (!bytes.empty()) SSYNC_TRY_VOID(named("write", made.file->write_at(0, bytes)));
    return placing_.finish(made, file.wanted);
  }();
  if (!written) {
    placing_.drop(made.at, *file.location);
    return written;
  }
  ready_.push_back({&file, std::move(made.at), segment.ending.checksum});
  return {};
}

Result<void> StageWriter::begin(Incoming& file) {
  SSYNC_TRY(NewFile made, placing_.create(*file.location, file.wanted));
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
  SSYNC_TRY_VOID(placing_.finish(unfinished.staged, file.wanted));
  ready_.push_back({&file, std::move(unfinished.staged.at), ending.checksum});
  std::erase(unfinished_, &file);
  file.unfinished.reset();
  return {};
}

void StageWriter::drop_unfinished(Incoming& file) noexcept {
  if (!file.unfinished) return;
  placing_.drop(file.unfinished->staged.at, *file.location);
  file.unfinished.reset();
  std::erase(unfinished_, &file);
}

void StageWriter::report_failure(Incoming& file, const Error& error) {
  drop_unfinished(file);
  file.reported = true;
  ledger_.failed(file, error);
}

}  // namespace ssync::transfer
