// What happens in a source's syncs is told to it; whoever prints, logs or counts implements it.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "ssync/model/change.h"
#include "ssync/model/entry.h"
#include "ssync/wire/messages.h"

namespace ssync::source {

/// Bytes of one sync, both sockets.
struct Traffic {
  std::uint64_t sent = 0, received = 0;
};

/// Entries, or what they have, that the source has and no mirror gets.
struct NotMirrored {
  std::uint64_t attributes = 0;  ///< entries with extended attributes, the next two counted
  std::uint64_t acls = 0, capabilities = 0;
  std::uint64_t hard_links = 0;  ///< files with more than one link
  std::uint64_t specials = 0;
  std::uint64_t reserved = 0;  ///< under names that are kept for the programs themselves
  friend bool operator==(const NotMirrored&, const NotMirrored&) = default;
};

/// How a sync ended.
struct Ended {
  wire::SyncDone done;
  std::string_view tree_digest;  ///< of the source, 32 hex digits
  bool equal = false;            ///< both ends have the same tree
  NotMirrored not_mirrored;
  Traffic traffic;
  double seconds = 0;
};

/// Says nothing by itself. Thread safety: it is told by one thread, that of Source::run(). A function that
/// blocks holds up the sync.
class Observer {
 public:
  virtual ~Observer() = default;
  virtual void notice(std::string_view /*text*/) {}  ///< something to know
  virtual void error(std::string_view /*text*/) {}   ///< something went wrong
  /// `server`: its program and version.
  virtual void connected(std::string_view /*server*/, bool /*synced_before*/) {}
  virtual void problem(const Problem& /*problem*/) {}
  virtual void plan(const wire::Plan& /*plan*/) {}
  /// The plan would delete too much; `stops`: so nothing was changed. Else it is only shown.
  virtual void guard_holds(const wire::Plan& /*plan*/, bool /*stops*/) {}
  /// Called only with SyncOptions::list_changes.
  virtual void changes(const std::vector<wire::ChangeRow>& /*rows*/) {}
  virtual void sync_done(const Ended& /*ended*/) {}

  // Progress: often.
  virtual void listing(std::uint64_t /*entries*/) {}
  virtual void waiting(const wire::Wait& /*wait*/) {}
  virtual void sending(std::uint64_t /*files*/, std::uint64_t /*bytes*/, const PlanTotals& /*totals*/) {}
  /// The progress of one sync is over, however it ended.
  virtual void progress_ended() {}
};

}  // namespace ssync::source
