// What happens to a mirror is told to it; whoever prints, logs or counts implements it.
#pragma once

#include <cstdint>
#include <string_view>

#include "ssync/model/change.h"
#include "ssync/model/entry.h"

namespace ssync::mirror {

/// Thread safety: any thread. A function that blocks holds up the sync.
class Observer {
 public:
  virtual ~Observer() = default;
  virtual void notice(std::string_view text) = 0;   ///< something to know
  virtual void warning(std::string_view text) = 0;  ///< something went wrong
  /// `peer`: its address.
  virtual void sync_started(std::string_view peer, std::string_view source_id) = 0;
  /// It was carried out. Followed by pause() before the sync waits for something.
  virtual void change(const Change& change) = 0;
  virtual void requesting(std::uint64_t files, std::uint64_t bytes) = 0;
  /// The file of a request has its name. Followed by pause() likewise.
  virtual void received(const Change& change) = 0;
  virtual void problem(const Problem& problem) = 0;
  /// Nothing may happen for a while now: what was collected is to be written.
  virtual void pause() = 0;
  /// `tree_digest`: 32 hex digits.
  virtual void sync_done(const SyncStats& stats, std::string_view tree_digest, double seconds) = 0;
  virtual void sync_aborted(std::string_view reason) = 0;
};

}  // namespace ssync::mirror
