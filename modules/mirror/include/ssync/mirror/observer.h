// What happens to a mirror is told to it; whoever prints, logs or counts implements it.
#pragma once

#include <cstdint>
#include <string_view>

#include "ssync/model/change.h"
#include "ssync/model/entry.h"

namespace ssync::mirror {

/// Says nothing by itself. Thread safety: any thread. A function that blocks holds up the sync.
class Observer {
 public:
  virtual ~Observer() = default;
  virtual void notice(std::string_view /*text*/) {}   ///< something to know
  virtual void warning(std::string_view /*text*/) {}  ///< something went wrong
  /// `peer`: its address.
  virtual void sync_started(std::string_view /*peer*/, std::string_view /*source_id*/) {}
  /// It was carried out. Followed by pause() before the sync waits for something.
  virtual void change(const Change& /*change*/) {}
  virtual void requesting(std::uint64_t /*files*/, std::uint64_t /*bytes*/) {}
  /// The file of a request has its name. Followed by pause() likewise.
  virtual void received(const Change& /*change*/) {}
  virtual void problem(const Problem& /*problem*/) {}
  /// Nothing may happen for a while now: what was collected is to be written.
  virtual void pause() {}
  /// `tree_digest`: 32 hex digits.
  virtual void sync_done(const SyncStats& /*stats*/, std::string_view /*tree_digest*/, double /*seconds*/) {}
  virtual void sync_aborted(std::string_view /*reason*/) {}
};

}  // namespace ssync::mirror
