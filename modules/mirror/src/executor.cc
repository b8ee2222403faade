#include "executor.h"

#include <utility>
#include <variant>

#include "ssync/base/text.h"
#include "ssync/content/content.h"
#include "ssync/fs/same.h"
#include "ssync/model/problem.h"
#include "ssync/model/total.h"
#include "ssync/store/probe.h"

namespace ssync::mirror {
namespace {

using Purpose = Change::SetMetadata::Purpose;

/// What is sealed goes on in batches of this size at most.
constexpr std::size_t kSealBatch = 256;

/// It completes a directory that the sync made, which was told and counted as made.
bool finishes_new_directory(const Change& change) {
  return change.op() == Op::set_metadata && !change.at_path;
}

/// A change of its own, for whoever looks at the mirror.
bool is_visible(const Change& change) {
  return !change.is(Purpose::record) && !change.is(Purpose::restore) && !change.respells() &&
         !finishes_new_directory(change);
}

std::optional<Checksum> content_of(const Values& wanted, const std::optional<Checksum>& checksum) {
  if (wanted.kind == Kind::file && wanted.size == 0) return content::ContentHash().checksum();
  return checksum;
}

Change request_for(RowId row, PathView path, const Values& wanted, const std::optional<Seen>& at_path) {
  Change request;
  request.step = Change::Request{};
  request.row = row;
  request.location = path.location;
  request.name = path.name;
  request.wanted = wanted;
  request.at_path = at_path;
  return request;
}

/// What is to be sealed of the path that the change made right.
SealItem seal_item(const Change& change) {
  return {.location = change.location,
          .name = change.name,
          .wanted = change.wanted,
          .target = std::string(change.target()),
          .checksum = content_of(change.wanted, change.checksum),
          .digest = change.digest,
          .row = change.row};
}

/// The same of the other path. Requires: exchange.other.
SealItem seal_item(const Change::Exchange& exchange) {
  return {.location = exchange.from.location,
          .name = exchange.from.name,
          .wanted = exchange.other->wanted,
          .checksum = content_of(exchange.other->wanted, exchange.other->checksum),
          .row = exchange.other->row};
}

}  // namespace

Executor::Executor(SyncContext& context, transfer::Receiver& receiver, Outbox& outbox, SyncStats& stats,
                   TreeDigest& digest)
    : context_(context),
      receiver_(receiver),
      outbox_(outbox),
      stats_(stats),
      digest_(digest),
      applier_(context.tree, context.staging,
               {.attributes = context.request.attributes,
                .durable = context.request.durable ? store::Durable::yes : store::Durable::no}),
      records_(context.index) {}

bool Executor::has_room() const {
  return receiver_.outstanding() <= context_.capacities.open_requests / 2;
}

Result<void> Executor::act(std::vector<Change> changes) {
  for (Change& change : changes) {
    applier_.follow(change);
    if (context_.request.options.only_shows()) {
      if (change.is(
              Purpose::record)) {  // right as it is: nothing to seal, but part of what both ends compare
        digest_.add(
            change.location,
            row_hash(change.name, project(change.wanted, context_.request.attributes), change.target(),
                     context_.request.options.reads_content() ? change.checksum : std::nullopt));
      }
      if (!is_visible(change)) continue;
      differs_ = true;
      SSYNC_TRY_VOID(outbox_.change(change));
    } else if (change.op() == Op::request) {
      SSYNC_TRY_VOID(request(std::move(change)));
    } else if (std::optional<SealItem> item = carried_over(change)) {
      SSYNC_TRY_VOID(seal(*std::move(item)));
    } else {
      SSYNC_TRY_VOID(apply(change));
    }
  }
  SSYNC_TRY_VOID(flush_requests());
  SSYNC_TRY_VOID(outbox_.flush());
  context_.observer.pause();
  SSYNC_TRY_VOID(drain_events(false));
  return flush_seals();
}

/// Renaming a directory leaves the ctimes of its entries alone, so the index's record of an entry also holds
/// at the entry's new path and is carried over, without another look. An entry that was changed since has
/// another stat than the record, which the next scan sees.
std::optional<SealItem> Executor::carried_over(const Change& change) {
  const Change::From* const from = change.is(Purpose::record) ? change.from() : nullptr;
  if (from == nullptr || !is_moved_whole_ || applier_.moved_in_parts()) return std::nullopt;
  std::optional<index::Record> record = records_.find(from->path());
  if (!record || record->racy || !change.at_path ||
      !same_content(record->held, *change.at_path, fs::StableInodes::yes))
    return std::nullopt;
  SealItem item = seal_item(change);
  item.seen = record->held;
  if (!context_.request.options.reads_content()) {  // else what was read decides
    if (!item.checksum) item.checksum = record->checksum;
    if (!item.digest) item.digest = record->digest;
  }
  return item;
}

Result<void> Executor::apply(const Change& change) {
  SSYNC_TRY(const store::Applied done,
            applier_.apply(change, [this](std::uint64_t) { return !context_.queues.inbox.closed(); }));
  SSYNC_TRY_VOID(take_ended());
  return conclude(change, done);
}

/// No copy waits for the disk any more.
Result<void> Executor::name_copies() {
  applier_.name_copies();
  return take_ended();
}

Result<void> Executor::take_ended() {
  for (const store::Applier::Ended& one : applier_.take_ended())
    SSYNC_TRY_VOID(conclude(one.change, one.applied));
  return {};
}

Result<void> Executor::conclude(const Change& change, const store::Applied& done) {
  switch (done.state) {
    case store::Applied::State::waits:
      return {};
    case store::Applied::State::done:
      return applied(change);
    case store::Applied::State::stale:
      return request_instead(change);
    case store::Applied::State::problem:
      break;
  }
  if (change.op() == Op::make_directory) not_made_.insert(join(change.path()));
  if (change.op() == Op::rename_directory) is_moved_whole_ = false;
  Problem found = done.problem;
  found.location = change.location;
  found.name = change.name;
  found.row = change.row;
  if (const auto* exchange = std::get_if<Change::Exchange>(&change.step); exchange && exchange->other) {
    Problem other = found;
    other.location = exchange->from.location;
    other.name = exchange->from.name;
    other.row = exchange->other->row;
    SSYNC_TRY_VOID(problem(std::move(other)));
  }
  return problem(std::move(found));
}

Result<void> Executor::problem(Problem problem) {
  if (auto lost = fs::lost_behind(context_.tree, problem)) return fail(*std::move(lost));
  return outbox_.problem(std::move(problem));
}

/// Counts, tells and remembers what was carried out.
Result<void> Executor::applied(const Change& change) {
  const bool visible = is_visible(change);
  if (visible) {
    context_.observer.change(change);
    SSYNC_TRY_VOID(outbox_.change(change));
  }
  const auto forget = [&](PathView path) {
    return context_.index.with([&](index::Index& index) { return index.append_removed(path); });
  };
  switch (change.op()) {
    case Op::make_directory:
      ++stats_.created;
      return {};  // sealed when its metadata is final
    case Op::make_link:
    case Op::make_empty:
      ++stats_.created;
      break;
    case Op::copy:
      ++stats_.copied;
      add_to(stats_.reused_bytes, change.wanted.size);
      break;
    case Op::rename:
      if (change.respells()) return forget(change.from()->path());
      ++stats_.renamed;
      add_to(stats_.reused_bytes, change.wanted.size);
      SSYNC_TRY_VOID(forget(change.from()->path()));
      break;
    case Op::exchange: {
      ++stats_.renamed;
      add_to(stats_.reused_bytes, change.wanted.size);
      const auto& exchange = std::get<Change::Exchange>(change.step);
      if (!exchange.other) break;
      ++stats_.renamed;
      add_to(stats_.reused_bytes, exchange.other->wanted.size);
      SSYNC_TRY_VOID(seal(seal_item(exchange)));
      break;
    }
    case Op::rename_directory:
      ++stats_.renamed;
      return {};
    case Op::stage_rename:
      ++stats_.renamed;
      return forget(change.from()->path());
    case Op::stage_copy:
      ++stats_.copied;
      return {};
    case Op::publish_staged:
      add_to(stats_.reused_bytes, change.wanted.size);
      break;
    case Op::remove:
    case Op::remove_directory:
      ++stats_.deleted;
      return forget(change.path());
    case Op::set_metadata:
      if (change.is(Purpose::restore)) return {};
      if (visible) ++stats_.metadata;
      break;
    case Op::request:
      return {};
  }
  return seal(seal_item(change));
}

Result<void> Executor::seal(SealItem item) {
  seals_.push_back(std::move(item));
  return seals_.size() < kSealBatch ? Result<void>() : flush_seals();
}

Result<void> Executor::flush_seals() {
  if (seals_.empty()) return {};
  return put(context_.queues.seal_items, std::exchange(seals_, {}));
}

Result<void> Executor::request(Change change) {
  // Reading a file of terabytes, even if it is one hole, takes long, and is for nothing where the mirror
  // cannot hold it.
  if (change.wanted.size >= store::kProbedSize &&
      !store::size_fits(context_.tree, context_.staging, change.location, change.wanted.size)) {
    const Error too_large{
        Errc::limit, "the mirror's file system cannot hold a file of " + human_bytes(change.wanted.size)};
    return problem(problem_at(change.path(), change.row, too_large));
  }
  SSYNC_TRY_VOID(name_copies());  // it may replace what a copy was made of
  // No more files than this may be on their way. When it is reached, wait until half of them have arrived,
  // not for one: flush() places directories that are being filled with the files that they have so far.
  if (receiver_.outstanding() >= context_.capacities.open_requests) {
    SSYNC_TRY_VOID(flush_requests());
    receiver_.flush();
    while (receiver_.outstanding() > context_.capacities.open_requests / 2)
      SSYNC_TRY_VOID(drain_events(true));
  }
  auto& how = std::get<Change::Request>(change.step);
  if (how.fills_directory && not_made_.contains(change.location)) how.fills_directory = false;
  if (request_room_.next({change.location, change.name})) SSYNC_TRY_VOID(say_requests());
  has_requested_ = true;
  request_bytes_ += change.wanted.size;
  request_rows_.push_back(
      wire::RequestRow{change.location, change.name, change.digest, change.row, how.any_content});
  receiver_.expect(std::move(change));
  return {};
}

/// The local content was not what the scan saw: ask the source for it.
Result<void> Executor::request_instead(const Change& change) {
  if (change.op() == Op::stage_rename || change.op() == Op::stage_copy)
    return {};  // its publish_staged turns up stale in its turn
  if (const auto* exchange = std::get_if<Change::Exchange>(&change.step); exchange && exchange->other) {
    const Change::Exchange::Other& other = *exchange->other;
    SSYNC_TRY_VOID(request(request_for(other.row, exchange->from.path(), other.wanted, exchange->from.seen)));
  }
  return request(request_for(change.row, change.path(), change.wanted, change.at_path));
}

Result<void> Executor::flush_requests() {
  request_room_.clear();
  return say_requests();
}

Result<void> Executor::say_requests() {
  if (request_rows_.empty()) return {};
  context_.observer.requesting(request_rows_.size(), request_bytes_);
  wire::FileRequest message;
  message.rows = std::exchange(request_rows_, {});
  request_bytes_ = 0;
  return outbox_.say(std::move(message));
}

Result<void> Executor::drain_events(bool wait) {
  if (wait) {
    SSYNC_TRY(transfer::ReceiveEvent event, take(context_.queues.receive_events));
    SSYNC_TRY_VOID(handle(std::move(event)));
  }
  while (std::optional<transfer::ReceiveEvent> event = context_.queues.receive_events.try_pop())
    SSYNC_TRY_VOID(handle(std::move(*event)));
  return {};
}

Result<void> Executor::handle(transfer::ReceiveEvent event) {
  if (const auto* credit = std::get_if<transfer::CreditReturned>(&event)) {
    context_.returned.credit(credit->bytes);
    context_.progress.done.fetch_add(credit->bytes, std::memory_order_relaxed);
    return {};
  }
  if (auto* batch = std::get_if<transfer::Published>(&event)) {
    for (transfer::PublishedFile& file : batch->files)
      SSYNC_TRY_VOID(published(std::move(file)));
    context_.observer.pause();
    return {};
  }
  auto& failure = std::get<transfer::ReceiveFailure>(event);
  failure.problem.location = failure.change.location;
  failure.problem.name = failure.change.name;
  failure.problem.row = failure.change.row;
  SSYNC_TRY_VOID(retry_first(failure.change));
  return problem(std::move(failure.problem));
}

/// What the mirror has is as it was; the next sync asks for the file before others, as it may be quiet then.
Result<void> Executor::retry_first(const Change& change) {
  std::optional<index::Record> record = records_.find(change.path());
  if (!record || record->retry || !change.at_path || record->held.values.kind != Kind::file) return {};
  record->retry = true;
  return context_.index.with([&](index::Index& index) { return index.append(change.path(), *record); });
}

Result<void> Executor::published(transfer::PublishedFile file) {
  Change& change = file.change;
  ++stats_.transferred_files;
  add_to(stats_.transferred_bytes, change.wanted.size);
  context_.observer.received(change);
  SSYNC_TRY_VOID(outbox_.change(change));
  if (file.changed) {
    const Error changed{
        Errc::changed,
        "it changed while it was read: the mirror has what was read last, which may be of different moments. "
        "The next sync sends it again; a program that writes all the time may have a way to make a copy in "
        "peace"};
    SSYNC_TRY_VOID(outbox_.problem(problem_at(change.path(), change.row, changed)));
  }
  SealItem item{std::move(change.location),
                std::move(change.name),
                change.wanted,
                std::string(),
                file.checksum,
                std::nullopt,
                file.seen,
                change.row};
  item.retry = file.changed;
  return seal(std::move(item));
}

Result<void> Executor::finish_writes() {
  if (context_.request.options.only_shows()) return {};
  SSYNC_TRY_VOID(name_copies());
  receiver_.finish();
  while (std::optional<transfer::ReceiveEvent> event = context_.queues.receive_events.pop())
    SSYNC_TRY_VOID(handle(std::move(*event)));
  if (context_.queues.inbox.closed()) return tl::unexpected(stopped());
  SSYNC_TRY_VOID(outbox_.flush());
  applier_.close_directories();
  const Result<void> removed = context_.staging.remove();
  if (removed) return {};
  // Everything else is right; what is left goes with the next sync.
  const Error left = context(removed.error(), "removing staging (the next sync tries again)");
  return problem(problem_at({{}, context_.staging.name()}, kNoRow, left));
}

}  // namespace ssync::mirror
