// Queries about file contents: a bounded number is out at any time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

#include "ssync/planner/planner.h"

namespace ssync::planner {

/// What a question was about, in numbers that mean something to the phase that asked.
struct Subject {
  std::uint32_t owner = 0;  ///< slot of a size group
  std::uint32_t item = 0;   ///< row, seeker or entry
  std::uint8_t what = 0;
};

class Queries {
 public:
  [[nodiscard]] bool has_room() const noexcept { return open_.size() < kOpenMax; }
  void ask(Query query, Subject subject);
  [[nodiscard]] std::vector<Query> take();
  [[nodiscard]] bool has_untaken() const noexcept { return !untaken_.empty(); }
  [[nodiscard]] bool has_open() const noexcept { return !open_.empty(); }
  /// nullopt: nobody asked, or it was answered before.
  [[nodiscard]] std::optional<Subject> close(std::uint64_t id);

 private:
  // Enough to keep two ends busy over a network; each costs some 300 bytes.
  static constexpr std::size_t kOpenMax = 4096;
  std::uint64_t next_id_ = 1;
  std::vector<Query> untaken_;
  std::unordered_map<std::uint64_t, Subject> open_;
};

}  // namespace ssync::planner
