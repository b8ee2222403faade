// What the server knows of one mirror, and of the sync that runs in it.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <tl/expected.hpp>

#include "ssync/mirror/mirror.h"
#include "ssync/mirror/sync.h"
#include "ssync/serve/server.h"
#include "ssync/session/server.h"
#include "ssync/wire/messages.h"

#include "aside.h"

namespace ssync::serve {

struct Slot {
  Slot(MirrorOptions with, std::unique_ptr<mirror::Mirror> its_mirror)
      : options(std::move(with)), mirror(std::move(its_mirror)) {}

  MirrorOptions options;
  std::unique_ptr<mirror::Mirror> mirror;
  bool has_new_options = false;  ///< that the mirror does not have yet, as a sync is open
  bool is_leaving = false;       ///< no client can ask for it any more

  // Of the sync that is open.
  session::SessionKey session = 0;  ///< 0: none
  session::Peer peer = 0;
  session::Peer data_peer = 0;  ///< 0: not attached yet
  std::string asked_name;       ///< the mirror's, when the sync began
  std::string source_id;
  std::string client_name;         ///< of its key; empty: it has none
  std::vector<std::string> notes;  ///< what the client is told of its rights
  std::chrono::steady_clock::time_point started;
  std::unique_ptr<mirror::Sync> sync;
  std::uint64_t list_announced = 0;
  std::optional<wire::SyncDone> done;  ///< as it was said

  /// What is being done to the mirror in a thread of its own; one at a time.
  enum class Work : std::uint8_t { none, opens, closes, drops, leaves };
  Work work = Work::none;
  /// Nobody waits for the work any more; what it leaves is put away when it comes back.
  bool is_abandoned = false;
  bool is_completed = false;                   ///< closes: sync:done was acknowledged
  std::chrono::steady_clock::duration took{};  ///< closes: from opened to the end of the conversation
  std::string reason;                          ///< closes: why it ended early
  std::optional<tl::expected<session::server::Opening, wire::ErrorReply>> opened;
  std::unique_ptr<mirror::Sync> made;  ///< opens: when it was opened
  std::unique_ptr<Aside> aside;        ///< last: it uses the rest

  [[nodiscard]] bool is_busy() const noexcept { return session != 0 || aside != nullptr; }
};

}  // namespace ssync::serve
