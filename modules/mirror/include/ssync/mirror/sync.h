// One sync of a mirror: its scan, the decider, readers, receiver and sealer, connected by bounded queues.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "ssync/base/buffer.h"
#include "ssync/base/event_fd.h"
#include "ssync/fs/staging.h"
#include "ssync/fs/tree.h"
#include "ssync/index/index.h"
#include "ssync/mirror/observer.h"
#include "ssync/mirror/options.h"
#include "ssync/mirror/sync_request.h"
#include "ssync/session/server.h"

namespace ssync::mirror {

/// What a sync works on. The owner of it all outlives the sync.
struct Parts {
  fs::Tree& tree;
  fs::Staging& staging;
  index::Index& index;
  index::Header header_after;  ///< when this sync ended well
};

/// Used by one thread, which owns the sockets, once it is made. Only constructor and destructor block: one
/// looks at the file system, the other joins the threads. When `wake` was signalled, ask list_taken(),
/// take_credit() and poll_output(), and call flush().
///
/// Threads: scan (ends with the tree or stop()), decider (ends after sync:done, an error, or when its queues
/// close), content readers, the receiver's, the sealer's. Shutdown: stop() closes the queues; the destructor
/// joins.
class Sync {
 public:
  /// Blocks, as the destructor does. Throws std::system_error when no thread can be started.
  Sync(Parts parts, SyncRequest request, const Capacities& capacities, EventFd& wake, Observer& observer);
  ~Sync();
  Sync(const Sync&) = delete;
  Sync& operator=(const Sync&) = delete;

  void start();
  void list_rows(std::uint64_t number, RowBatch batch);
  void list_directories(std::uint64_t number, std::vector<DirectorySum> rows, bool last);
  void digests(std::vector<wire::DigestRow> rows);
  void file_failed(const wire::Fail& failure);
  void plan_acknowledged();
  /// Errc::protocol: the session must end (transfer::Receiver::accept()).
  [[nodiscard]] Result<void> data(wire::DataHead head, Buffer payload);

  /// How many list messages the decider has taken so far: all with a lower number.
  [[nodiscard]] std::uint64_t list_taken() const noexcept;
  /// Bytes of credit that came back since the last call.
  [[nodiscard]] std::uint64_t take_credit() noexcept;
  [[nodiscard]] std::optional<session::server::Output> poll_output();
  /// Offers once more what the full queues did not take.
  void flush();
  [[nodiscard]] session::server::Progress progress() const;
  /// The sync ends early: its threads find their queues closed. May be called at any time.
  void stop() noexcept;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ssync::mirror
