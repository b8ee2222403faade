// What was given and not merged yet.
#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ssync/model/entry.h"
#include "ssync/model/snapshot.h"

namespace ssync::planner {

/// Rows in list order. Rows of one batch that share a location share its bytes, so equal data() means equal
/// location.
class SourceQueue {
 public:
  void push(RowBatch batch);
  /// nullptr: all were taken.
  [[nodiscard]] const Row* front() const noexcept {
    return batches_.empty() ? nullptr : &batches_.front().rows[next_];
  }
  void pop();
  /// Number of the batch that front() is in: addresses mean nothing from one batch to the next.
  [[nodiscard]] std::uint64_t batch() const noexcept { return batch_; }

 private:
  std::deque<RowBatch> batches_;  // none is empty; each owns its rows' text
  std::size_t next_ = 0;
  std::uint64_t batch_ = 0;
};

/// A mirror entry until it is merged: what the snapshot does not keep. Its name is the snapshot's.
struct Scanned {
  std::string_view name;
  std::string_view target;
  EntryIndex entry = kNoEntry;
  bool doubt = false;
  bool retry = false;
  Values values;
  std::optional<Values> wanted;
  std::optional<Checksum> checksum;
  bool has_acl = false;  ///< which the source's entry must not have
};

/// One directory of the mirror.
struct Block {
  std::string location;
  std::vector<Scanned> entries;
  std::vector<Problem> problems;
};

}  // namespace ssync::planner
