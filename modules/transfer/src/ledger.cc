#include "ledger.h"

#include <algorithm>
#include <functional>
#include <limits>

#include <fmt/format.h>

#include "ssync/base/text.h"
#include "ssync/model/total.h"

#include "data_head.h"

namespace ssync::transfer {
namespace {

constexpr std::uint64_t kFileBytesMax = std::numeric_limits<std::int64_t>::max();

tl::unexpected<Error> violated(RowId row, std::string_view rule) {
  return fail(Errc::protocol, fmt::format("data for row {}: {}", row, rule));
}

}  // namespace

std::optional<store::Part> Ledger::expect(Change request) {
  auto file = std::make_unique<store::Incoming>();
  file->row = request.row;
  file->name = std::move(request.name);
  file->wanted = request.wanted;
  const auto& how = std::get<Change::Request>(request.step);
  file->any_content = how.any_content;
  file->fills = how.fills_directory && request.wanted.size <= kFillBytesMax;
  if (request.at_path) file->replaces = std::make_unique<const Seen>(*request.at_path);
  const MutexLock lock(mutex_);
  std::optional<store::Part> completed;
  if (last_location_ == nullptr || last_location_->path != request.location) {
    if (last_location_ != nullptr) completed = complete(*last_location_);
    last_location_ = &location_at(std::move(request.location));
  }
  file->location = last_location_;
  last_location_->complete = false;
  if (file->fills) {
    ++last_location_->to_fill;
    last_location_->fills = true;
  }
  const bool added = files_.emplace(file->row, std::move(file)).second;
  SSYNC_ASSERT(added && !finishing_);
  ++outstanding_;
  return completed;
}

store::Location& Ledger::location_at(std::string path) {
  const auto found = locations_.find(path);
  if (found != locations_.end()) return *found->second;
  auto location = std::make_unique<store::Location>();
  location->path = std::move(path);
  location->writer = static_cast<unsigned>(std::hash<std::string>{}(location->path) % writers_);
  store::Location& made = *location;
  locations_.emplace(made.path, std::move(location));
  return made;
}

std::optional<store::Part> Ledger::complete(store::Location& location) {
  if (location.complete || !location.fills) return std::nullopt;
  location.complete = true;
  if (location.to_fill > 0) return std::nullopt;  // filled() tells, with the last of them
  store::Part part;
  part.completed = &location;
  return part;
}

std::optional<store::Part> Ledger::complete_last() {
  const MutexLock lock(mutex_);
  if (last_location_ == nullptr) return std::nullopt;
  return complete(*last_location_);
}

void Ledger::filled(std::vector<store::Filled>& filled) {
  const MutexLock lock(mutex_);
  std::erase_if(filled, [](const store::Filled& done) {
    done.location->to_fill -= done.files;
    return done.location->to_fill > 0 || !done.location->complete;
  });
}

void Ledger::limit_growth(std::uint64_t bytes) {
  const MutexLock lock(mutex_);
  growth_max_ = bytes;
}

// The file has come from one size to another; smaller: it begins anew.
Result<void> Ledger::grow(const store::Incoming& file, std::uint64_t from, std::uint64_t to) {
  const auto excess = [&](std::uint64_t size) { return std::max(size, file.wanted.size) - file.wanted.size; };
  grown_ -= std::min(grown_, excess(from));
  add_to(grown_, excess(to));
  if (!growth_max_ || grown_ <= *growth_max_) return {};
  return fail(Errc::permission, fmt::format("'{}' has become larger than it was listed, and the mirror would "
                                            "hold more bytes than this client's key allows (max-bytes)",
                                            printable(file.path())));
}

Result<store::Incoming*> Ledger::advance(const wire::Segment& segment) {
  const auto found = files_.find(segment.row);
  if (found == files_.end()) return violated(segment.row, "it is not expected");
  store::Incoming& file = *found->second;
  if (file.failed) return nullptr;
  if (file.ended) return violated(segment.row, "it has ended already");
  if (segment.restart) {
    if (segment.offset != 0) return violated(segment.row, "a restart is not at offset 0");
    SSYNC_TRY_VOID(grow(file, file.next_offset, 0));
    file.next_offset = 0;
  }
  if (segment.offset < file.next_offset) return violated(segment.row, "out of order");
  if (segment.offset > kFileBytesMax - segment.length)
    return violated(segment.row, "beyond the largest file");
  const std::uint64_t end = segment.offset + segment.length;
  if (segment.last && (segment.ending.size < end || segment.ending.size > kFileBytesMax)) {
    return violated(segment.row, "its ending has another size than its content");
  }
  if (segment.last && segment.ending.changed && !file.any_content)
    return violated(segment.row, "it changed while it was read, and that was not asked for");
  SSYNC_TRY_VOID(grow(file, file.next_offset, segment.last ? segment.ending.size : end));
  file.next_offset = end;
  if (!file.begun && !segment.last && ++unfinished_ > kUnfinishedMax) {
    return violated(segment.row, fmt::format("more than {} files at once", kUnfinishedMax));
  }
  if (file.begun && segment.last) --unfinished_;
  file.begun = true;
  file.ended = segment.last;
  return &file;
}

Result<std::vector<store::Part>> Ledger::accept(wire::DataHead head, Buffer payload) {
  auto message = std::make_shared<store::Message>();
  message->charge = wire::charge(head_bytes(head), payload.size());
  std::vector<store::Part> parts;
  std::uint64_t payload_offset = 0;
  {
    const MutexLock lock(mutex_);
    for (std::size_t i = 0; i < head.segments.size(); ++i) {
      const wire::Segment& segment = head.segments[i];
      SSYNC_TRY(store::Incoming* const file, advance(segment));
      if (segment.length > payload.size() - payload_offset)
        return violated(segment.row, "more than the payload holds");
      if (file != nullptr) {
        auto part = std::ranges::find_if(parts, [&](const store::Part& p) {
          return p.pieces.front().file->location->writer == file->location->writer;
        });
        if (part == parts.end()) part = parts.emplace(parts.end());
        part->pieces.push_back(
            {file, static_cast<std::uint32_t>(i), static_cast<std::uint32_t>(payload_offset)});
      }
      payload_offset += segment.length;
    }
    if (payload_offset != payload.size())
      return fail(Errc::protocol, "data: the payload is longer than its segments");
    ++unwritten_;
  }
  message->segments = std::move(head.segments);
  message->payload = std::move(payload);
  if (parts.empty()) parts.emplace_back();
  message->parts.store(static_cast<unsigned>(parts.size()), std::memory_order_relaxed);
  for (store::Part& part : parts)
    part.message = message;
  return parts;
}

std::optional<store::Part> Ledger::give_up(RowId row, const wire::Fail& why) {
  const MutexLock lock(mutex_);
  const auto found = files_.find(row);
  if (found == files_.end() || found->second->failed || found->second->ended) return std::nullopt;
  store::Incoming& file = *found->second;
  file.failed = true;
  if (file.begun) --unfinished_;
  store::Part part;
  part.given_up = &file;
  part.why.text = why.text;
  part.why.sys_errno = why.sys_errno;
  part.why.vanished = why.vanished;
  return part;
}

std::size_t Ledger::outstanding() const {
  const MutexLock lock(mutex_);
  return outstanding_;
}

void Ledger::finish() {
  const MutexLock lock(mutex_);
  finishing_ = true;
  close_if_done();
}

void Ledger::close_if_done() {
  if (finishing_ && outstanding_ == 0 && unreported_ == 0 && unwritten_ == 0) events_.close();
}

void Ledger::written(store::Message& message) {
  if (message.parts.fetch_sub(1, std::memory_order_acq_rel) > 1) return;
  // False only once the session is over, when nobody counts credit.
  static_cast<void>(events_.push(CreditReturned{message.charge}));
  const MutexLock lock(mutex_);
  --unwritten_;
  close_if_done();
}

Change Ledger::request_of(store::Incoming& file) {
  Change request;
  request.step = Change::Request{.fills_directory = file.fills, .any_content = file.any_content};
  request.at_path = file.at_path();
  request.row = file.row;
  request.location = file.location->path;
  request.name = std::move(file.name);
  request.wanted = file.wanted;
  return request;
}

// outstanding_ is counted down before the event is queued: whoever takes the event and then asks for
// outstanding() must not wait for that file again.
void Ledger::published(std::vector<store::ReadyFile> files) {
  if (files.empty()) return;
  Published event;
  event.files.reserve(files.size());
  for (const store::ReadyFile& ready : files)
    event.files.push_back({request_of(*ready.file), ready.checksum, ready.seen, ready.file->changed});
  {
    const MutexLock lock(mutex_);
    outstanding_ -= files.size();
    ++unreported_;
    for (const store::ReadyFile& ready : files)
      files_.erase(ready.file->row);
  }
  report(std::move(event));
}

void Ledger::report(ReceiveEvent event) {
  // False only once the session is over, when nobody looks at events.
  static_cast<void>(events_.push(std::move(event)));
  const MutexLock lock(mutex_);
  --unreported_;
  close_if_done();
}

void Ledger::failed(store::Incoming& file, const Error& error) {
  failed(file, problem_at(file.path(), file.row, error));
}

void Ledger::failed(store::Incoming& file, Problem problem) {
  problem.location = file.location->path;
  problem.name = file.name;
  problem.row = file.row;
  ReceiveFailure event{request_of(file), std::move(problem)};
  {
    const MutexLock lock(mutex_);
    --outstanding_;
    ++unreported_;
    if (file.begun && !file.ended && !file.failed) --unfinished_;
    file.failed = true;
  }
  report(std::move(event));
}

}  // namespace ssync::transfer
