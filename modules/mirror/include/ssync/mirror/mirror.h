// One mirror: its root and lock, whose it is, and what is known of it between syncs.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <tl/expected.hpp>

#include "ssync/base/event_fd.h"
#include "ssync/base/result.h"
#include "ssync/mirror/observer.h"
#include "ssync/mirror/options.h"
#include "ssync/mirror/sync.h"
#include "ssync/session/server.h"
#include "ssync/wire/messages.h"

namespace ssync::mirror {

/// One sync at a time: open_sync(), make_sync(), close_sync(). Thread safety: one thread at a time, which may
/// change; trouble() may be called meanwhile, but not while open_sync() runs.
class Mirror {
 public:
  /// A directory of this machine: locks it, and removes what a killed server staged in it. Blocks. Errors:
  /// fs::Root::open(). `observer` outlives it.
  [[nodiscard]] static Result<std::unique_ptr<Mirror>> open(Options options, Observer& observer);
  virtual ~Mirror() = default;

  [[nodiscard]] virtual const std::string& directory() const noexcept = 0;  ///< absolute
  [[nodiscard]] virtual Observer& observer() const noexcept = 0;
  /// Why it cannot be used: its file system is gone or does not answer, or another server has it by now.
  /// Never waits for the file system.
  [[nodiscard]] virtual std::optional<Error> trouble() = 0;
  /// Holds from the next sync on. Requires: no sync is open, and the directory is the same.
  virtual void set_options(const Options& options, Observer& observer) = 0;

  /// Gets ready for what `hello` asks for. `limits`: of this client, beside the mirror's own. Blocks.
  /// Refused: nothing is left of it.
  [[nodiscard]] virtual tl::expected<session::server::Opening, wire::ErrorReply> open_sync(
      const wire::Hello& hello, const Limits& limits) = 0;
  /// The sync that was opened; it ends before close_sync() is called. Blocks.
  [[nodiscard]] virtual std::unique_ptr<Sync> make_sync(const Capacities& capacities, EventFd& wake) = 0;
  /// Puts away the sync that was opened, whether make_sync() was called or not, and removes its staging.
  /// Blocks. `is_done`: the sync ended well.
  virtual void close_sync(bool is_done) = 0;
};

/// An error for the client, cut to what a message takes.
[[nodiscard]] wire::ErrorReply error_reply(wire::ErrorCode code, bool retry, std::string text);

}  // namespace ssync::mirror
