#include "emit.h"

#include <utility>

namespace ssync::planner {

namespace {

bool is_creation(Action action) {
  return action == Action::make_directory || action == Action::make_link || action == Action::make_empty;
}

}  // namespace

Emitter::Emitter(State& state) : state_(state), rows_(state.rows) {}

void Emitter::begin(std::vector<LocalStep> steps, Deletes deletes) {
  steps_ = std::move(steps);
  deletes_ = deletes;
  entries_from_end_.emplace(state_.mirror);
}

bool Emitter::is_full(const std::vector<Change>& out) const {
  return out.size() >= std::max<std::size_t>(state_.options.change_batch, 1);
}

bool Emitter::run(std::vector<Change>& out) {
  for (;;) {
    if (!run_phase(out)) return false;
    if (phase_ == Phase::metadata || phase_ == Phase::directories) return true;
    phase_ = static_cast<Phase>(static_cast<std::uint8_t>(phase_) + 1);
    rows_ = RowWalk(state_.rows);
  }
}

void Emitter::run_early(std::vector<Change>& out) {
  // The directory begun last may get more rows.
  while (early_directory_ + 1 < state_.rows.directories()) {
    if (!run_early_part(out)) return;
    if (early_part_ == EarlyPart::creations) {
      early_part_ = EarlyPart::requests;
      early_row_ = state_.rows.rows(early_directory_).first;
    } else {
      early_part_ = EarlyPart::creations;
      ++early_directory_;
    }
  }
}

// A mirror that holds nothing has nothing to copy from either, so there is nothing to find out first.
bool Emitter::run_early_part(std::vector<Change>& out) {
  for (; early_row_ < state_.rows.rows(early_directory_).last; ++early_row_) {
    if (is_full(out)) return false;
    Pending& pending = state_.pending[early_row_];
    const bool is_wanted = early_part_ == EarlyPart::creations ? is_creation(pending.action)
                                                               : pending.action == Action::find_content;
    if (!is_wanted) continue;
    const Snapshot::View view = state_.rows.view(early_row_, early_directory_);
    state_.set(early_row_, kEarly);
    if (early_part_ == EarlyPart::creations) {
      add_creation(out, early_row_, view);
    } else {
      pending.action = Action::request;
      add_request(out, early_row_, view);
    }
  }
  return true;
}

void Emitter::begin_directories() {
  phase_ = Phase::directories;
  rows_from_end_.emplace(state_.rows);
}

// Calls visit(row) for each row of a phase until the batch is full, but for those that were handed out.
template <typename Visit>
bool Emitter::walk_rows(std::vector<Change>& out, Visit visit) {
  for (; !rows_.done(); rows_.next()) {
    if (is_full(out)) return false;
    if (!state_.has(rows_.row(), kEarly)) visit(rows_.row());
  }
  return true;
}

bool Emitter::run_phase(std::vector<Change>& out) {
  switch (phase_) {
    case Phase::make_directories:
      return walk_rows(out, [&](RowIndex row) {
        const Action action = state_.pending[row].action;
        if (action == Action::move_directory) add_directory_move(out, row, rows_.view());
        if (is_respelled(row)) add_respelling(out, row, rows_.view());
        if (action == Action::make_directory && !state_.has(row, kLate)) add_creation(out, row, rows_.view());
      });
    case Phase::local_steps:
      return run_local(out);
    case Phase::removals:
      return run_removals(out);
    case Phase::creations:
      return walk_rows(out, [&](RowIndex row) {
        const Action action = state_.pending[row].action;
        const bool is_late = state_.has(row, kLate);
        const bool is_staged = is_late && (action == Action::copy || action == Action::rename);
        const bool is_made = action == Action::make_link ||
                             (action == Action::make_empty && !state_.has(row, kOrdered)) ||
                             (action == Action::make_directory && is_late);
        if (is_staged || is_made) add_creation(out, row, rows_.view());
      });
    case Phase::linked_metadata:
      return run_metadata(out, true);
    case Phase::requests:
      return run_requests(out);
    case Phase::metadata:
      return run_metadata(out, false);
    case Phase::directories:
      return run_directories(out);
  }
  return true;
}

bool Emitter::run_requests(std::vector<Change>& out) {
  const std::vector<RowIndex>& first = state_.first_requests;
  for (; next_first_request_ < first.size(); ++next_first_request_) {
    if (is_full(out)) return false;
    const RowIndex row = first[next_first_request_];
    if (state_.pending[row].action != Action::request) continue;
    add_request(out, row, state_.rows.view(row));
    state_.set(row, kEarly);
    // In doubt too: what the mirror has was read while the file changed the last time, or was changed on the
    // mirror. It is not worth keeping.
    if (state_.mirror_has(state_.entry_at(row), kFlagDoubt))
      std::get<Change::Request>(out.back().step).any_content = true;
  }
  return walk_rows(out, [&](RowIndex row) {
    if (state_.pending[row].action == Action::request) add_request(out, row, rows_.view());
  });
}

// What is at a row's path when its step runs, if every step before did what it should.
std::optional<Seen> Emitter::standing_at(RowIndex row) const {
  const EntryIndex entry = state_.entry_at(row);
  if (entry == kNoEntry || state_.has(row, kReplaces) || state_.mirror_has(entry, kMoved))
    return std::nullopt;
  return state_.seen(entry);
}

Change Emitter::change_of(Change::Step step, RowIndex row, const Snapshot::View& view) const {
  Change change;
  change.step = std::move(step);
  change.row = view.inode;
  change.location = view.location;
  change.name = view.name;
  change.wanted = view.values;
  change.at_path = standing_at(row);
  if (view.values.kind == Kind::file && change.op() != Op::request) {
    change.checksum = view.values.size == 0 ? kEmptyChecksum : state_.checksums.get(row);
    change.digest = state_.digests.get(row);
  }
  return change;
}

// Where that is by now what the row's content is to come from.
Change::From Emitter::from_of(RowIndex row) const {
  const EntryIndex from = state_.pending[row].from;
  const Snapshot::View view = state_.mirror.view(from);
  // By now it has the letters of the row that stands at its path.
  const auto brought = state_.brought.find(from);
  const bool has_other_letters = brought != state_.brought.end() && is_respelled(brought->second);
  return {location_now(view.location),
          std::string(has_other_letters ? state_.rows.name(brought->second) : view.name), state_.seen(from)};
}

bool Emitter::is_respelled(RowIndex row) const {
  return state_.has(row, kTwin) && !state_.has(row, kReplaces) &&
         state_.pending[row].action != Action::left_out;
}

void Emitter::add_respelling(std::vector<Change>& out, RowIndex row, const Snapshot::View& view) {
  const Snapshot::View there = state_.mirror.view(state_.entry_at(row));
  Change::From from{std::string(view.location), std::string(there.name), state_.seen(state_.entry_at(row))};
  Change change = change_of(Change::Rename{.from = std::move(from), .respells = true}, row, view);
  change.at_path.reset();
  touch(change.location);
  out.push_back(std::move(change));
}

// Where a directory of the mirror is by now: at its own path, or where the nearest directory above it that
// was moved took it.
std::string Emitter::location_now(std::string_view location) const {
  if (moved_to_.empty()) return std::string(location);
  for (std::string above(location); !above.empty(); above.resize(split(above).location.size())) {
    const auto moved = moved_to_.find(above);
    if (moved != moved_to_.end()) return moved->second + std::string(location.substr(above.size()));
  }
  return std::string(location);
}

Change::Step Emitter::carried_out(const LocalStep& step) const {
  using Kind = LocalStep::Kind;
  switch (step.kind) {
    case Kind::copy:
      return Change::Copy{from_of(step.row)};
    case Kind::rename:
      return Change::Rename{.from = from_of(step.row)};
    case Kind::exchange: {
      Change::Exchange exchange{from_of(step.row), std::nullopt};
      if (step.other != kNoIndex) {
        const Snapshot::View other = state_.rows.view(step.other);
        exchange.other = {other.inode, other.values, state_.checksums.get(step.other)};
      }
      return exchange;
    }
    case Kind::make_empty:
      return Change::MakeEmpty{};
    case Kind::stage_copy:
      return Change::StageCopy{from_of(step.row)};
    case Kind::stage_rename:
      return Change::StageRename{from_of(step.row)};
    case Kind::publish:
      break;
  }
  return Change::PublishStaged{};
}

void Emitter::add_local(std::vector<Change>& out, const LocalStep& step) {
  using Kind = LocalStep::Kind;
  Change change = change_of(carried_out(step), step.row, state_.rows.view(step.row));
  const bool is_staging = step.kind == Kind::stage_copy || step.kind == Kind::stage_rename;
  if (is_staging) {
    change.at_path.reset();
    touch({});
  } else {
    touch(change.location);
  }
  const bool is_moved =
      step.kind == Kind::rename || step.kind == Kind::stage_rename || step.kind == Kind::exchange;
  if (is_moved) touch(change.from()->location);
  if (step.kind == Kind::exchange) change.at_path = state_.seen(state_.entry_at(step.stands));
  out.push_back(std::move(change));
}

bool Emitter::run_local(std::vector<Change>& out) {
  for (; next_step_ < steps_.size(); ++next_step_) {
    if (is_full(out)) return false;
    add_local(out, steps_[next_step_]);
  }
  return true;
}

bool Emitter::run_removals(std::vector<Change>& out) {
  if (deletes_ == Deletes::withheld) return true;
  for (; !entries_from_end_->done(); entries_from_end_->next()) {
    if (is_full(out)) return false;
    const EntryIndex entry = entries_from_end_->row();
    if (!state_.is_gone(entry) || state_.mirror_has(entry, kMoved)) continue;
    const Snapshot::View view = entries_from_end_->view();
    Change change;
    if (view.values.kind == Kind::directory)
      change.step = Change::RemoveDirectory{};
    else
      change.step = Change::Remove{};
    change.location = location_now(view.location);
    change.name = view.name;
    change.wanted = view.values;
    change.at_path = state_.seen(entry);
    touch(change.location);
    out.push_back(std::move(change));
  }
  return true;
}

void Emitter::add_creation(std::vector<Change>& out, RowIndex row, const Snapshot::View& view) {
  Change::Step step = Change::PublishStaged{};
  switch (state_.pending[row].action) {
    case Action::make_directory:
      step = Change::MakeDirectory{};
      break;
    case Action::make_link:
      step = Change::MakeLink{std::string(view.target)};
      break;
    case Action::make_empty:
      step = Change::MakeEmpty{};
      break;
    default:
      break;
  }
  out.push_back(change_of(std::move(step), row, view));
  touch(out.back().location);
}

void Emitter::add_directory_move(std::vector<Change>& out, RowIndex row, const Snapshot::View& view) {
  Change change = change_of(Change::RenameDirectory{from_of(row)}, row, view);
  touch(change.location);
  touch(change.from()->location);
  const Snapshot::View from = state_.mirror.view(state_.pending[row].from);
  moved_to_.insert_or_assign(join(from.path()), join(view.path()));
  out.push_back(std::move(change));
}

void Emitter::add_request(std::vector<Change>& out, RowIndex row, const Snapshot::View& view) {
  if (requested_ != view.location) {
    requested_ = view.location;
    const auto directory = state_.directory_row(view.location);
    // Whatever else is put into it has touched it by now; what comes later only sets attributes.
    fills_requested_ = directory && state_.pending[*directory].action == Action::make_directory &&
                       !state_.has(*directory, kTouched);
  }
  Change change = change_of(Change::Request{.fills_directory = fills_requested_}, row, view);
  std::get<Change::Request>(change.step).any_content = !change.at_path;
  touch(change.location);
  out.push_back(std::move(change));
}

// A file with other names is copied before its attributes change. That must be over before a request can
// replace one of those names, which changes the inode while it is copied.
bool Emitter::run_metadata(std::vector<Change>& out, bool linked) {
  return walk_rows(out, [&](RowIndex row) {
    const Pending& pending = state_.pending[row];
    const Action action = pending.action;
    if (action != Action::metadata && action != Action::record && action != Action::moved) return;
    if (state_.rows.kind(row) == Kind::directory) return;
    const EntryIndex at = action == Action::moved ? pending.from : state_.entry_at(row);
    const bool is_linked = at != kNoEntry && state_.mirror_has(at, kFlagLinks);
    if (is_linked == linked) add_metadata(out, row, rows_.view());
  });
}

void Emitter::add_metadata(std::vector<Change>& out, RowIndex row, const Snapshot::View& view) {
  const Pending& pending = state_.pending[row];
  const bool is_moved = pending.action == Action::moved;
  const bool is_record = pending.action == Action::record || (is_moved && state_.has(row, kMetaSame));
  Change::SetMetadata step{.target = std::string(view.target)};
  if (is_record) step.purpose = Change::SetMetadata::Purpose::record;
  if (is_record && is_moved) {
    const Snapshot::View from = state_.mirror.view(pending.from);
    step.scanned_at = {std::string(from.location), std::string(from.name), std::nullopt};
  }
  Change change = change_of(std::move(step), row, view);
  if (is_moved) change.at_path = state_.seen(pending.from);
  // A file with other names is copied before it changes, so its directory changes with it.
  if (!is_record && change.at_path && change.at_path->links > 1) touch(change.location);
  out.push_back(std::move(change));
}

bool Emitter::run_directories(std::vector<Change>& out) {
  for (; !rows_from_end_->done(); rows_from_end_->next()) {
    if (is_full(out)) return false;
    const RowIndex row = rows_from_end_->row();
    if (state_.rows.kind(row) == Kind::directory) add_directory(out, row, rows_from_end_->view());
  }
  return true;
}

void Emitter::add_directory(std::vector<Change>& out, RowIndex row, const Snapshot::View& view) {
  const Action action = state_.pending[row].action;
  const bool is_touched = state_.has(row, kTouched);
  if (action == Action::left_out || (action == Action::same && !is_touched)) return;
  using Purpose = Change::SetMetadata::Purpose;
  Purpose purpose = Purpose::change;
  if (action == Action::same) purpose = Purpose::restore;
  if (action == Action::record && !is_touched) purpose = Purpose::record;
  out.push_back(change_of(Change::SetMetadata{.purpose = purpose}, row, view));
}

// The directory's times change, and the root's: staging comes and goes there.
void Emitter::touch(std::string_view location) {
  if (has_touched_ && touched_ == location) return;
  touched_.assign(location);
  has_touched_ = true;
  state_.set(0, kTouched);
  // A directory that is gone from the source has no row; it is removed later.
  if (const auto row = state_.directory_row(location)) state_.set(*row, kTouched);
}

}  // namespace ssync::planner
