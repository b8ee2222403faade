// Decisions -> changes, in an order in which nothing is lost.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "order.h"
#include "state.h"

namespace ssync::planner {

class Emitter {
 public:
  enum class Deletes : std::uint8_t { carried_out, withheld };
  explicit Emitter(State& state);

  /// Before begin(), while rows come to a mirror that holds nothing: appends a batch at most of what is to be
  /// made and requested in directories whose rows are complete.
  void run_early(std::vector<Change>& out);
  /// The plan is made. `steps` as order_local_steps() made them.
  void begin(std::vector<LocalStep> steps, Deletes deletes);
  /// Appends to `out` until it holds a batch. True: this part is finished.
  [[nodiscard]] bool run(std::vector<Change>& out);
  /// The last part begins: directories from the bottom up, the root last.
  void begin_directories();

 private:
  enum class Phase : std::uint8_t {
    make_directories,
    local_steps,
    removals,
    creations,
    linked_metadata,
    requests,
    metadata,
    directories
  };

  /// The two passes over a directory that is handed out early: first what is made in it, then its requests.
  enum class EarlyPart : std::uint8_t { creations, requests };

  bool run_phase(std::vector<Change>& out);
  template <typename Visit>
  bool walk_rows(std::vector<Change>& out, Visit visit);
  [[nodiscard]] bool is_full(const std::vector<Change>& out) const;

  [[nodiscard]] Change::Step carried_out(const LocalStep& step) const;
  void add_local(std::vector<Change>& out, const LocalStep& step);
  bool run_local(std::vector<Change>& out);
  bool run_removals(std::vector<Change>& out);
  bool run_directories(std::vector<Change>& out);
  void add_creation(std::vector<Change>& out, RowIndex row, const Snapshot::View& view);
  /// Sets attributes of files and links that have other names on the mirror, or of those that have not.
  bool run_metadata(std::vector<Change>& out, bool linked);
  void add_metadata(std::vector<Change>& out, RowIndex row, const Snapshot::View& view);
  void add_directory(std::vector<Change>& out, RowIndex row, const Snapshot::View& view);

  [[nodiscard]] Change change_of(Change::Step step, RowIndex row, const Snapshot::View& view) const;
  [[nodiscard]] std::optional<Seen> standing_at(RowIndex row) const;
  [[nodiscard]] Change::From from_of(RowIndex row) const;
  [[nodiscard]] std::string location_now(std::string_view location) const;
  void touch(std::string_view location);
  [[nodiscard]] bool is_respelled(RowIndex row) const;
  void add_respelling(std::vector<Change>& out, RowIndex row, const Snapshot::View& view);
  void add_directory_move(std::vector<Change>& out, RowIndex row, const Snapshot::View& view);
  void add_request(std::vector<Change>& out, RowIndex row, const Snapshot::View& view);
  [[nodiscard]] bool run_early_part(std::vector<Change>& out);
  [[nodiscard]] bool run_requests(std::vector<Change>& out);

  State& state_;
  std::vector<LocalStep> steps_;
  Deletes deletes_ = Deletes::withheld;
  Phase phase_ = Phase::make_directories;
  DirectoryIndex early_directory_ = 0;
  EarlyPart early_part_ = EarlyPart::creations;
  RowIndex early_row_ = 0;
  std::size_t next_step_ = 0;
  std::size_t next_first_request_ = 0;
  RowWalk rows_;
  std::optional<ReverseRowWalk> entries_from_end_;
  std::optional<ReverseRowWalk> rows_from_end_;
  /// Directories whose moves were handed out, old path -> new.
  std::unordered_map<std::string, std::string> moved_to_;
  std::string touched_;  ///< the location touched last
  bool has_touched_ = false;
  std::optional<std::string> requested_;  ///< the location requested in last
  bool fills_requested_ = false;          ///< it is made by this plan, and gets nothing else
};

}  // namespace ssync::planner
