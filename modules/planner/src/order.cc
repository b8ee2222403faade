// The steps form a graph in which every node has at most one successor: who reads a file comes before who
// moves it, who moves it before the step that fills its path again. So each connected part is a tree that
// flows into one end, or into one ring.
#include "order.h"

#include <algorithm>
#include <cstddef>

namespace ssync::planner {
namespace {

using Index = std::uint32_t;
constexpr Index kNone = ~Index{0};

struct Node {
  RowIndex row = kNoIndex;
  Index refill = kNone;     // the node that fills the path of what this one reads
  Index next = kNone;       // the node that has to wait for this one
  std::uint32_t waits = 0;  // for so many
  bool in_ring = false;
  bool is_done = false;
};

class LocalOrder {
 public:
  explicit LocalOrder(State& state) : state_(state) {}
  std::vector<LocalStep> run();

 private:
  void collect();
  void find_refills();
  void find_rings();
  void choose_movers();
  [[nodiscard]] Index mover_of(const std::vector<Index>& readers, std::size_t first, std::size_t last);
  void emit_staged_copies();
  void emit_from(Index at);
  void emit(const Node& node);
  void emit_ring(Index first);

  [[nodiscard]] Index node_of(RowIndex row) const;
  [[nodiscard]] EntryIndex from(Index node) const { return state_.pending[nodes_[node].row].from; }
  [[nodiscard]] bool is_staged_copy(const Node& node) const;
  void step(LocalStep::Kind kind, RowIndex row) { steps_.push_back({kind, row}); }

  State& state_;
  std::vector<Node> nodes_;  // by row
  std::vector<LocalStep> steps_;
};

bool is_local(Action action) {
  return action == Action::copy || action == Action::rename;
}

void LocalOrder::collect() {
  const auto rows = static_cast<RowIndex>(state_.pending.size());
  for (RowIndex row = 0; row < rows; ++row) {
    const Action action = state_.pending[row].action;
    // An old file that becomes empty lets its content go; those that find no reader are dropped again.
    const bool may_release =
        action == Action::make_empty && state_.entry_at(row) != kNoEntry && !state_.has(row, kReplaces);
    if (is_local(action) || may_release) nodes_.push_back(Node{row});
  }
}

Index LocalOrder::node_of(RowIndex row) const {
  const auto at = std::lower_bound(nodes_.begin(), nodes_.end(), row,
                                   [](const Node& node, RowIndex wanted) { return node.row < wanted; });
  return at != nodes_.end() && at->row == row ? static_cast<Index>(at - nodes_.begin()) : kNone;
}

void LocalOrder::find_refills() {
  for (Node& node : nodes_) {
    const EntryIndex from = state_.pending[node.row].from;
    // What is gone from the source is not filled again, or only after everything here.
    if (from == kNoEntry || !state_.mirror_has(from, kStays)) continue;
    const auto brought = state_.brought.find(from);
    const auto row = brought != state_.brought.end() ? std::optional<RowIndex>(brought->second)
                                                     : state_.rows.find(state_.mirror.view(from).path());
    if (row) node.refill = node_of(*row);
  }
}

void LocalOrder::find_rings() {
  std::vector<Index> seen_by(nodes_.size(), kNone);
  for (Index start = 0; start < nodes_.size(); ++start) {
    Index at = start;
    while (at != kNone && seen_by[at] == kNone) {
      seen_by[at] = start;
      at = nodes_[at].refill;
    }
    if (at == kNone || seen_by[at] != start) continue;
    for (Index member = at; !nodes_[member].in_ring; member = nodes_[member].refill)
      nodes_[member].in_ring = true;
  }
}

// Of those that read one file, the one that moves it. A file that stays moves only if its path is filled by a
// local step right after.
Index LocalOrder::mover_of(const std::vector<Index>& readers, std::size_t first, std::size_t last) {
  Index best = kNone;
  for (std::size_t i = first; i < last; ++i) {
    const Node& node = nodes_[readers[i]];
    if (state_.pending[node.row].action == Action::rename) return readers[i];
    if (node.refill == kNone) continue;
    if (node.in_ring) return readers[i];
    if (best == kNone || (state_.has(nodes_[best].row, kLate) && !state_.has(node.row, kLate)))
      best = readers[i];
  }
  return best;
}

void LocalOrder::choose_movers() {
  std::vector<Index> readers;
  for (Index node = 0; node < nodes_.size(); ++node) {
    if (from(node) != kNoEntry) readers.push_back(node);
  }
  std::stable_sort(readers.begin(), readers.end(), [this](Index a, Index b) { return from(a) < from(b); });
  for (std::size_t first = 0, last = 0; first < readers.size(); first = last) {
    while (last < readers.size() && from(readers[last]) == from(readers[first]))
      ++last;
    const Index mover = mover_of(readers, first, last);
    if (mover == kNone) continue;
    state_.pending[nodes_[mover].row].action = Action::rename;
    state_.set_mirror_flag(from(mover), kMoved);
    for (std::size_t i = first; i < last; ++i) {
      if (readers[i] != mover) nodes_[readers[i]].next = mover;
    }
    nodes_[mover].next = nodes_[mover].refill;
  }
  for (const Node& node : nodes_) {
    if (node.next != kNone) ++nodes_[node.next].waits;
  }
}

// A copy onto a path whose old content has moved away: copied before, so that the path is not empty for the
// time of a copy.
bool LocalOrder::is_staged_copy(const Node& node) const {
  if (state_.pending[node.row].action != Action::copy) return false;
  if (state_.has(node.row, kLate)) return true;
  const EntryIndex old = state_.entry_at(node.row);
  return old != kNoEntry && state_.mirror_has(old, kMoved);
}

void LocalOrder::emit_staged_copies() {
  for (const Node& node : nodes_) {
    if (is_staged_copy(node)) step(LocalStep::Kind::stage_copy, node.row);
  }
}

void LocalOrder::emit(const Node& node) {
  const bool is_late = state_.has(node.row, kLate);
  switch (state_.pending[node.row].action) {
    case Action::copy:
      if (!is_staged_copy(node)) {
        step(LocalStep::Kind::copy, node.row);
      } else if (!is_late) {
        step(LocalStep::Kind::publish, node.row);
      }
      return;
    case Action::rename:
      step(is_late ? LocalStep::Kind::stage_rename : LocalStep::Kind::rename, node.row);
      return;
    default:
      if (!state_.mirror_has(state_.entry_at(node.row), kMoved)) return;
      state_.set(node.row, kOrdered);
      step(LocalStep::Kind::make_empty, node.row);
  }
}

// Emits a node and whatever waited for it alone, so that a path whose content moved is filled by the next
// step.
void LocalOrder::emit_from(Index at) {
  while (at != kNone && !nodes_[at].is_done && nodes_[at].waits == 0) {
    Node& node = nodes_[at];
    node.is_done = true;
    emit(node);
    at = node.next;
    if (at != kNone) --nodes_[at].waits;
  }
}

// Each exchange makes one path right and hands what stood at the first one on, until that is where it
// belongs: no path is ever without a file.
void LocalOrder::emit_ring(Index first) {
  Index at = first;
  do {
    Node& node = nodes_[at];
    const Index next = node.next;
    node.is_done = true;
    const bool is_last = nodes_[next].next == first;
    steps_.push_back(
        {LocalStep::Kind::exchange, node.row, is_last ? nodes_[next].row : kNoIndex, nodes_[first].row});
    at = next;
  } while (nodes_[at].next != first);
  nodes_[at].is_done = true;
}

std::vector<LocalStep> LocalOrder::run() {
  collect();
  find_refills();
  find_rings();
  choose_movers();
  emit_staged_copies();
  const auto nodes = static_cast<Index>(nodes_.size());
  for (Index node = 0; node < nodes; ++node)
    emit_from(node);
  // What still waits is in a ring, and nothing outside waits for it.
  for (Index node = 0; node < nodes; ++node) {
    if (!nodes_[node].is_done) emit_ring(node);
  }
  return std::move(steps_);
}

}  // namespace

std::vector<LocalStep> order_local_steps(State& state) {
  return LocalOrder(state).run();
}

}  // namespace ssync::planner
