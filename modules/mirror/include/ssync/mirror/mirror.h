// One mirror: its root and lock, whose it is, and what is known of it between syncs.
#pragma once

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
  /// Locks the root, and removes what a killed server staged in it. Blocks. Errors: fs::Root::open().
  [[nodiscard]] static Result<std::unique_ptr<Mirror>> open(Options options, Observer& observer);
  ~Mirror();
  Mirror(const Mirror&) = delete;
  Mirror& operator=(const Mirror&) = delete;

  [[nodiscard]] const std::string& directory() const noexcept;  ///< absolute
  [[nodiscard]] Observer& observer() const noexcept;
  /// It is gone, or somebody else's, or does not answer; found out without waiting for it.
  [[nodiscard]] std::optional<Error> trouble();

  /// Gets ready for what `hello` asks for. Blocks. Refused: nothing is left of it.
  [[nodiscard]] tl::expected<session::server::Opening, wire::ErrorReply> open_sync(const wire::Hello& hello);
  /// The sync that was opened; it ends before close_sync() is called.
  [[nodiscard]] std::unique_ptr<Sync> make_sync(const Capacities& capacities, EventFd& wake);
  /// Removes what an opened sync left, whether it was made and ran or not. Blocks. `is_done`: it ended well.
  void close_sync(bool is_done);

 private:
  struct Impl;
  explicit Mirror(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// An error for the client, cut to what a message takes.
[[nodiscard]] wire::ErrorReply error_reply(wire::ErrorCode code, bool retry, std::string text);

}  // namespace ssync::mirror
