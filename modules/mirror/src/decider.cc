#include "decider.h"

#include <algorithm>
#include <chrono>

#include "ssync/wire/limits.h"

namespace ssync::mirror {
namespace {

using planner::Planner;

planner::Options planner_options(const SyncRequest& request) {
  planner::Options options;
  options.attributes = request.attributes;
  options.delete_extra = request.options.delete_extra ? planner::DeleteExtra::yes : planner::DeleteExtra::no;
  options.compare_content = request.options.reads_content();
  options.digest_kind = request.options.digest_kind;
  options.client_max_delete = request.options.max_delete;
  options.server_max_delete = request.limits.max_delete;
  options.name_specials = request.options.list_changes;
  options.mirror_synced_before = request.synced_before;
  // What is over a quota leaves the mirror as it was.
  options.early_creations =
      !request.options.only_shows() && !request.limits.max_entries && !request.limits.max_bytes;
  if (request.options.verify) {  // extras are differences, whatever may be deleted
    options.verify = options.name_specials = true;
    options.delete_extra = planner::DeleteExtra::yes;
    options.client_max_delete = options.server_max_delete = std::nullopt;
  }
  return options;
}

Guard stopping(Guard guard) {
  return guard == Guard::max_delete ? Guard::none : guard;
}

}  // namespace

Decider::Decider(SyncContext& context, transfer::Receiver& receiver, std::function<Result<Sealed>()> finish)
    : context_(context),
      finish_(std::move(finish)),
      own_names_(context.request.leave_out),
      quota_(context.request.options.verify ? Limits{} : context.request.limits),
      planner_(planner_options(context.request), digest_),
      outbox_(context, stats_),
      questions_(context, planner_, outbox_),
      executor_(context, receiver, outbox_, stats_, digest_),
      receiver_(receiver) {}

Decider::~Decider() = default;

Result<void> Decider::run() {
  SSYNC_TRY_VOID(decide());
  SSYNC_TRY(const bool go, show_plan());
  if (!go) return {};
  planner_.proceed();
  for (;;) {
    SSYNC_TRY(const Planner::Step step, planner_.step());
    switch (step) {
      case Planner::Step::changes:
        SSYNC_TRY_VOID(executor_.act(planner_.take_changes()));
        break;
      case Planner::Step::need_writes:
        SSYNC_TRY_VOID(executor_.finish_writes());
        planner_.writes_done();
        break;
      case Planner::Step::done:
        return end();
      default:
        return fail(Errc::protocol, "the planner asked for input after its plan");
    }
  }
}

Result<void> Decider::decide() {
  for (;;) {
    SSYNC_TRY(const Planner::Step step, planner_.step());
    switch (step) {
      case Planner::Step::need_source:
        SSYNC_TRY_VOID(take_source());
        break;
      case Planner::Step::need_mirror:
        SSYNC_TRY_VOID(take_mirror());
        break;
      case Planner::Step::directories:
        SSYNC_TRY_VOID(ask_directories());
        break;
      case Planner::Step::queries:
        SSYNC_TRY_VOID(questions_.ask());
        break;
      case Planner::Step::need_answers:
        SSYNC_TRY_VOID(questions_.take_answer());
        break;
      case Planner::Step::planned:
        return {};
      default:
        return fail(Errc::protocol, "the planner began before its plan");
    }
  }
}

Result<void> Decider::take_source() {
  SSYNC_TRY(ListBatch item, next_list());
  SSYNC_TRY_VOID(quota_.add(item));
  context_.returned.list_message(item.number);
  if (auto* const rows = std::get_if<RowBatch>(&item.batch)) {
    SSYNC_TRY_VOID(own_names_.check(*rows));
    return planner_.add_source(std::move(*rows));
  }
  const auto& directories = std::get<DirectoryBatch>(item.batch);
  SSYNC_TRY_VOID(own_names_.check(directories.rows));
  return planner_.add_directories(directories.rows, directories.last);
}

// Messages of the list come first, so that the source's scan is soon over. Between them, as much is made and
// requested early as there is room for. While the list is late, events of requested files are handled.
Result<ListBatch> Decider::next_list() {
  constexpr auto kLook = std::chrono::milliseconds(5);
  for (;;) {
    SSYNC_TRY(const bool acted, act_early());
    if (!acted && !executor_.has_requested()) return take(context_.queues.list);
    SSYNC_TRY_VOID(executor_.drain_events(false));
    const auto now = std::chrono::steady_clock::now();
    if (auto item = context_.queues.list.pop_until(acted ? now : now + kLook)) return *std::move(item);
    if (context_.queues.list.finished()) return tl::unexpected(stopped());
  }
}

/// False: nothing to do, or many files are under way already.
Result<bool> Decider::act_early() {
  if (!executor_.has_room()) return false;
  std::vector<Change> changes = planner_.take_early();
  if (changes.empty()) return false;
  if (context_.progress.reason.load(std::memory_order_relaxed) != wire::Wait::Reason::writing)
    context_.progress.now(wire::Wait::Reason::writing);
  SSYNC_TRY_VOID(executor_.act(std::move(changes)));
  return true;
}

Result<void> Decider::ask_directories() {
  wire::ListRequest message;
  MessageRoom room;
  for (Planner::AskedDirectory& asked : planner_.take_asked_directories()) {
    if (room.next({asked.location})) SSYNC_TRY_VOID(outbox_.say(std::exchange(message, {})));
    message.rows.push_back({std::move(asked.location), asked.directory});
  }
  return outbox_.say(std::move(message));
}

Result<void> Decider::take_mirror() {
  SSYNC_TRY(MirrorItem item, take(context_.queues.mirror));
  if (!item) {
    planner_.end_mirror();
    return {};
  }
  if (!*item) return tl::unexpected((*item).error());
  for (const ScanBlock& block : **item) {
    context_.progress.done.fetch_add(block.entries.size(), std::memory_order_relaxed);
    SSYNC_TRY_VOID(planner_.add_mirror(block));
  }
  return {};
}

/// Tells the plan and waits for the client's word. False: it is over.
Result<bool> Decider::show_plan() {
  for (Problem& found : planner_.take_problems())
    SSYNC_TRY_VOID(executor_.problem(std::move(found)));
  SSYNC_TRY_VOID(outbox_.flush());
  stats_.plan = planner_.totals();
  SSYNC_TRY(const auto growth, quota_.check(stats_.plan, planner_.kept_bytes()));
  if (growth) receiver_.limit_growth(*growth);
  if (!context_.request.options.verify) stats_.guard = planner_.guard();
  if (stats_.guard == Guard::max_delete) stats_.deletes_withheld = stats_.plan.extras_kept;
  wire::Plan plan;
  plan.totals = stats_.plan;
  plan.guard = stats_.guard;
  if (stats_.guard == Guard::max_delete) {
    constexpr std::uint64_t kNoLimit = ~std::uint64_t{0};
    plan.allowed = std::min(context_.request.options.max_delete.value_or(kNoLimit),
                            context_.request.limits.max_delete.value_or(kNoLimit));
  }
  SSYNC_TRY_VOID(outbox_.say(plan));
  SSYNC_TRY(InboxItem item, take(context_.queues.inbox));
  if (!std::holds_alternative<PlanAcknowledged>(item)) return fail(Errc::protocol, "a digest after the plan");
  if (stopping(stats_.guard) != Guard::none && !context_.request.options.only_shows()) {
    SSYNC_TRY_VOID(outbox_.say(
        wire::ErrorReply{wire::ErrorCode::refused, true, "a delete guard holds: nothing was changed"}));
    return false;
  }
  if (executor_.has_requested()) {
    context_.progress.total.store(stats_.plan.request_bytes, std::memory_order_relaxed);
  } else {
    context_.progress.now(wire::Wait::Reason::writing, stats_.plan.request_bytes);
  }
  return true;
}

Result<void> Decider::end() {
  SSYNC_TRY_VOID(outbox_.flush());
  SSYNC_TRY_VOID(executor_.flush_seals());
  if (!context_.request.options.only_shows() && context_.request.durable)
    SSYNC_TRY_VOID(context_.tree.sync());
  SSYNC_TRY(Sealed sealed, finish_());
  digest_.add(sealed.digest);
  for (Problem& problem : sealed.problems)
    SSYNC_TRY_VOID(outbox_.problem(std::move(problem)));
  SSYNC_TRY_VOID(outbox_.flush());
  context_.observer.pause();
  wire::SyncDone done;
  done.stats = stats_;
  done.tree_digest = digest_.hex();
  const bool is_flawed =
      context_.request.options.verify && stats_.problems + stats_.vanished + stats_.plan.specials > 0;
  done.complete = stats_.deletes_withheld == 0 && !executor_.differs() && !is_flawed;
  return outbox_.say(std::move(done));
}

}  // namespace ssync::mirror
