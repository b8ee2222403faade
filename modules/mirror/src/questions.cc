#include "questions.h"

#include <utility>

#include <fmt/format.h>

#include "ssync/fs/same.h"

namespace ssync::mirror {

using planner::Query;

namespace {

/// Fewer questions than this are a small message.
constexpr std::size_t kAskedAtOnce = 64;
constexpr std::chrono::milliseconds kHeldAtMost{5};

}  // namespace

Questions::Questions(SyncContext& context, planner::Planner& planner, Outbox& outbox)
    : context_(context), planner_(planner), outbox_(outbox), records_(context.index) {}

Result<void> Questions::ask() {
  context_.progress.now(wire::Wait::Reason::comparing);
  for (Query& query : planner_.take_queries()) {
    if (query.side == Query::Side::source) {
      to_ask_.push_back(std::move(query));
    } else if (query.known_only) {
      answer_known(query);
    } else {
      SSYNC_TRY_VOID(ask_mirror(query));
    }
  }
  return ask_source();
}

void Questions::answer_known(const Query& query) {
  planner::Answer answer{query.id, std::nullopt, std::nullopt};
  const auto record = records_.find({query.location, query.name});
  if (record && !record->racy && query.seen &&
      same_content(record->held, *query.seen, fs::StableInodes::yes)) {
    answer.checksum = record->checksum;
    if (record->digest && record->digest->kind == context_.request.options.digest_kind)
      answer.digest = record->digest;
  }
  planner_.answer(answer);
}

// The job queue may be full while every reader waits for room in our inbox: take answers until it has room.
Result<void> Questions::ask_mirror(const Query& query) {
  content::ContentJob job{query.id, query.location, query.name, query.seen, std::nullopt};
  if (query.what == Query::What::digest) job.digest = context_.request.options.digest_kind;
  open_mirror_.emplace(query.id, query);
  while (true) {
    const PushResult pushed = context_.queues.content_jobs.try_push(job);
    if (pushed == PushResult::pushed) return {};
    if (pushed == PushResult::closed) return tl::unexpected(stopped());
    SSYNC_TRY_VOID(take());
  }
}

// A few questions wait for more to come, so that they share a message, while so many are open that more will
// come soon; but not for long, as the client may have nothing else to do.
bool Questions::holds_back() const {
  const std::size_t waiting = to_ask_.size() - next_to_ask_;
  if (waiting == 0 || waiting >= kAskedAtOnce) return false;
  if (open_source_.size() + open_mirror_.size() <= kAskedAtOnce) return false;
  return !held_since_ || std::chrono::steady_clock::now() < *held_since_ + kHeldAtMost;
}

/// Sends as many questions as may be open; the rest follows as answers come.
Result<void> Questions::ask_source() {
  if (holds_back()) {
    if (!held_since_) held_since_ = std::chrono::steady_clock::now();
    return {};
  }
  held_since_.reset();
  wire::DigestRequest message;
  MessageRoom room;
  while (next_to_ask_ < to_ask_.size() && open_source_.size() < context_.capacities.open_questions) {
    const Query& query = to_ask_[next_to_ask_++];
    open_source_[query.row].push_back(query.id);
    if (room.next({query.location, query.name})) SSYNC_TRY_VOID(outbox_.say(std::exchange(message, {})));
    message.rows.push_back(
        wire::DigestQuery{query.location, query.name, query.row, query.what == Query::What::digest});
  }
  if (next_to_ask_ == to_ask_.size()) {
    to_ask_.clear();
    next_to_ask_ = 0;
  }
  if (message.rows.empty()) return {};
  return outbox_.say(std::move(message));
}

Result<void> Questions::take_answer() {
  SSYNC_TRY_VOID(ask_source());
  if (held_since_) {
    const auto item = context_.queues.inbox.pop_until(*held_since_ + kHeldAtMost);
    if (item) return take(*item);
    if (context_.queues.inbox.finished()) return tl::unexpected(stopped());
    SSYNC_TRY_VOID(ask_source());
  }
  return take();
}

Result<void> Questions::take() {
  SSYNC_TRY(const InboxItem item, mirror::take(context_.queues.inbox));
  return take(item);
}

Result<void> Questions::take(const InboxItem& item) {
  if (const auto* result = std::get_if<content::ContentResult>(&item)) return take(*result);
  if (const auto* digests = std::get_if<ClientDigests>(&item)) return take(*digests);
  return fail(Errc::protocol, "the plan was acknowledged before it was made");
}

Result<void> Questions::take(const content::ContentResult& result) {
  const auto open = open_mirror_.find(result.id);
  if (open == open_mirror_.end()) return {};
  planner::Answer answer{result.id, std::nullopt, std::nullopt};
  if (result.content) {
    answer.checksum = result.content->checksum;
    answer.digest = result.content->digest;
    SSYNC_TRY_VOID(learn(open->second, *result.content));
  } else if (result.content.error().code == Errc::lost) {
    return fail(result.content.error());
  }
  context_.progress.done.fetch_add(1, std::memory_order_relaxed);
  open_mirror_.erase(open);
  planner_.answer(answer);
  return {};
}

// What was read once is not read again: the index keeps it.
Result<void> Questions::learn(const Query& query, const content::Content& content) {
  return context_.index.with([&](index::Index& index) -> Result<void> {
    auto record = index.find({query.location, query.name});
    if (!record || record->racy || !(record->held == content.seen)) return {};
    record->checksum = content.checksum;
    if (content.digest) record->digest = content.digest;
    return index.append({query.location, query.name}, *record);
  });
}

Result<void> Questions::take(const ClientDigests& digests) {
  for (const wire::DigestRow& row : digests.rows) {
    const auto open = open_source_.find(row.row);
    if (open == open_source_.end())
      return fail(Errc::protocol, fmt::format("a digest for row {} that was not asked for", row.row));
    for (const std::uint64_t id : open->second)
      planner_.answer(planner::Answer{id, row.checksum, row.digest});
    open_source_.erase(open);
  }
  return {};
}

}  // namespace ssync::mirror
