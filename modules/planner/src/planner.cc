// The step machine: which phase runs, and what it waits for.
#include "ssync/planner/planner.h"

#include <utility>

#include "ssync/model/total.h"

#include "compare.h"
#include "emit.h"
#include "join.h"
#include "losses.h"
#include "move_directories.h"
#include "order.h"
#include "proven_origins.h"
#include "queries.h"
#include "resolve.h"
#include "search.h"
#include "state.h"

namespace ssync::planner {

struct Planner::Impl {
  Impl(Options options, TreeDigest& digest) : state(std::move(options), digest), emitter(state) {}

  enum class Phase : std::uint8_t {
    join,
    compare,
    origins,
    search,
    planned,
    emit,
    wait_for_writes,
    directories,
    done
  };

  Result<Step> step();
  Result<Step> step_join();
  Step step_compare();
  Step step_origins();
  Step step_search();
  Step step_emit();
  Step step_directories();
  [[nodiscard]] Step asking() const;
  void finish_plan();
  template <typename T>
  Result<T> keep_error(Result<T> result);

  State state;
  Join join{state};
  Queries questions;
  std::optional<Comparison> comparison;
  std::optional<ProvenOrigins> origins;
  std::optional<Search> search;
  Emitter emitter;
  std::vector<LocalStep> steps;
  std::vector<Change> changes;
  Phase phase = Phase::join;
  Guard guard = Guard::none;
  bool has_changes = false;  ///< any so far
  std::optional<Error> failed;
};

// After an Error the tables are half filled: nothing may be planned from them.
template <typename T>
Result<T> Planner::Impl::keep_error(Result<T> result) {
  if (!result) failed = result.error();
  return result;
}

Planner::Step Planner::Impl::asking() const {
  return questions.has_untaken() ? Step::queries : Step::need_answers;
}

Result<Planner::Step> Planner::Impl::step() {
  if (failed) return fail(*failed);
  switch (phase) {
    case Phase::join:
      return step_join();
    case Phase::compare:
      return step_compare();
    case Phase::origins:
      return step_origins();
    case Phase::search:
      return step_search();
    case Phase::planned:
      return Step::planned;
    case Phase::emit:
      return step_emit();
    case Phase::wait_for_writes:
      return Step::need_writes;
    case Phase::directories:
      return step_directories();
    case Phase::done:
      return Step::done;
  }
  return Step::done;
}

Result<Planner::Step> Planner::Impl::step_join() {
  SSYNC_TRY(const Join::Need need, keep_error(join.run()));
  if (need == Join::Need::source) return Step::need_source;
  if (need == Join::Need::mirror) return Step::need_mirror;
  if (need == Join::Need::directories) return Step::directories;
  resolve_conflicts(state);
  comparison.emplace(state, questions);
  phase = Phase::compare;
  return step_compare();
}

Planner::Step Planner::Impl::step_compare() {
  if (!comparison->run()) return asking();
  comparison.reset();
  origins.emplace(state, questions);
  phase = Phase::origins;
  return step_origins();
}

Planner::Step Planner::Impl::step_origins() {
  if (!origins->run()) return asking();
  origins.reset();
  search.emplace(state, questions);
  phase = Phase::search;
  return step_search();
}

Planner::Step Planner::Impl::step_search() {
  if (!search->run()) return asking();
  search.reset();
  finish_plan();
  phase = Phase::planned;
  return Step::planned;
}

void Planner::Impl::finish_plan() {
  resolve_case_renames(state);
  move_directories(state);
  PlanTotals& totals = state.totals;
  guard = check_guard(totals, count_losses(state), state.options);
  if (guard == Guard::max_delete) {
    withhold_deletes(state);
    const Extras extras = count_extras(state);
    totals.extras_kept += extras.entries;
    add_to(state.kept_bytes, extras.bytes);
  }
  steps = order_local_steps(state);
  count_actions(state);
}

Planner::Step Planner::Impl::step_emit() {
  if (!changes.empty()) return Step::changes;
  const bool is_finished = emitter.run(changes);
  has_changes = has_changes || !changes.empty();
  if (is_finished) phase = has_changes ? Phase::wait_for_writes : Phase::directories;
  if (!changes.empty()) return Step::changes;
  if (phase == Phase::wait_for_writes) return Step::need_writes;
  emitter.begin_directories();
  return step_directories();
}

Planner::Step Planner::Impl::step_directories() {
  if (!changes.empty()) return Step::changes;
  if (emitter.run(changes)) phase = Phase::done;
  return changes.empty() ? Step::done : Step::changes;
}

Planner::Planner(Options options, TreeDigest& digest)
    : impl_(std::make_unique<Impl>(std::move(options), digest)) {}
Planner::~Planner() = default;

Result<void> Planner::add_source(RowBatch batch) {
  if (impl_->failed) return fail(*impl_->failed);
  // Rows after the end are refused in every phase: they come from a peer.
  return impl_->keep_error(impl_->join.add_source(std::move(batch)));
}

Result<void> Planner::add_directories(const std::vector<DirectorySum>& directories, bool last) {
  if (impl_->failed) return fail(*impl_->failed);
  return impl_->keep_error(impl_->join.add_directories(directories, last));
}

Result<void> Planner::add_mirror(const ScanBlock& block) {
  SSYNC_ASSERT(impl_->phase == Impl::Phase::join);
  if (impl_->failed) return fail(*impl_->failed);
  return impl_->keep_error(impl_->join.add_mirror(block));
}

void Planner::end_mirror() {
  auto ended = impl_->join.end_mirror();
  if (!ended && !impl_->failed) impl_->failed = std::move(ended).error();
}

void Planner::answer(const Answer& answer) {
  const auto subject = impl_->questions.close(answer.id);
  if (!subject) return;
  if (impl_->comparison) {
    impl_->comparison->receive(*subject, answer);
  } else if (impl_->origins) {
    impl_->origins->receive(*subject, answer);
  } else {
    impl_->search->receive(*subject, answer);
  }
}

Result<Planner::Step> Planner::step() {
  return impl_->step();
}

std::vector<Planner::AskedDirectory> Planner::take_asked_directories() {
  return impl_->join.take_asked_directories();
}

std::vector<Query> Planner::take_queries() {
  return impl_->questions.take();
}

std::vector<Change> Planner::take_changes() {
  return std::exchange(impl_->changes, {});
}

std::vector<Change> Planner::take_early() {
  std::vector<Change> early;
  const bool is_early = impl_->phase == Impl::Phase::join && !impl_->failed &&
                        impl_->state.options.early_creations && impl_->join.is_mirror_empty();
  if (is_early) impl_->emitter.run_early(early);
  impl_->has_changes = impl_->has_changes || !early.empty();
  return early;
}

std::vector<Problem> Planner::take_problems() {
  return std::exchange(impl_->state.problems, {});
}

const PlanTotals& Planner::totals() const {
  return impl_->state.totals;
}

std::uint64_t Planner::kept_bytes() const {
  return impl_->state.kept_bytes;
}

Guard Planner::guard() const {
  return impl_->guard;
}

void Planner::proceed() {
  SSYNC_ASSERT(impl_->phase == Impl::Phase::planned);
  const auto deletes =
      impl_->guard == Guard::max_delete ? Emitter::Deletes::withheld : Emitter::Deletes::carried_out;
  impl_->emitter.begin(std::move(impl_->steps), deletes);
  impl_->phase = Impl::Phase::emit;
}

void Planner::writes_done() {
  SSYNC_ASSERT(impl_->phase == Impl::Phase::wait_for_writes);
  impl_->emitter.begin_directories();
  impl_->phase = Impl::Phase::directories;
}

}  // namespace ssync::planner
