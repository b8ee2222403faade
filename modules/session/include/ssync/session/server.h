// The server's side of the conversation, for all peers: messages and events in, effects out. No sockets,
// threads, files or clock.
//
// One sync runs at a time on each mirror, and `syncs_max` at most on all. Who has to wait keeps a place:
// turns come in the order of the first hello, over all mirrors that are free. State tables: proto-spec/02 §4,
// §6.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "ssync/base/buffer.h"
#include "ssync/base/result.h"
#include "ssync/wire/data.h"
#include "ssync/wire/limits.h"
#include "ssync/wire/messages.h"

namespace ssync::session {

using Time = std::chrono::steady_clock::time_point;
/// A connection, as the transport numbers it.
using Peer = std::uint64_t;
/// A sync of the server, from OpenSync to refused() or closed(). Numbered from 1, never used again.
using SessionKey = std::uint64_t;

namespace server {

// Effects are to be carried out in order.

struct SendReply {
  Peer peer = 0;
  wire::Reply reply;
};
struct SendCredit {
  Peer peer = 0;
  wire::DataHead head;
};
/// Break this connection (a control or a data peer).
struct Kick {
  Peer peer = 0;
  std::string reason;
};
/// A client has its turn at mirror `hello.mirror`: get ready (source id, overlap, staging, attributes), then
/// call opened() or refused().
struct OpenSync {
  SessionKey session = 0;
  Peer peer = 0;
  wire::Hello hello;
};
/// This data connection belongs to the session from now on.
struct Attached {
  SessionKey session = 0;
  Peer peer = 0;
};
/// The welcome was sent: start the mirror's scan.
struct StartScan {
  SessionKey session = 0;
};
/// Rows for the planner. Call list_taken() when there is room for more.
struct ListRows {
  SessionKey session = 0;
  std::uint64_t number = 0;
  RowBatch batch;
};
/// Directories for the planner; the same.
struct ListDirectories {
  SessionKey session = 0;
  std::uint64_t number = 0;
  std::vector<DirectorySum> rows;
  bool last = false;
};
struct DigestRows {
  SessionKey session = 0;
  std::vector<wire::DigestRow> rows;
};
struct FileFailed {
  SessionKey session = 0;
  wire::Fail fail;
};
/// The plan was acknowledged: changes may be made.
struct Proceed {
  SessionKey session = 0;
};
/// A valid data message within its credit: hand it to the receiver.
struct Deliver {
  SessionKey session = 0;
  wire::DataHead head;
  Buffer payload;
};
/// The sync is over; stop what runs for it and call closed(). `completed`: sync:done was acknowledged.
/// `reason`: a sentence for the log, empty when completed.
struct CloseSync {
  SessionKey session = 0;
  bool completed = false;
  std::string reason;
};
/// A line for the log.
struct Notice {
  std::string text;
};

using Effect = std::variant<SendReply, SendCredit, Kick, OpenSync, Attached, StartScan, ListRows,
                            ListDirectories, DigestRows, FileFailed, Proceed, Deliver, CloseSync, Notice>;
using Effects = std::vector<Effect>;

/// What the sync wants to tell the client, in order; each becomes the reply to a `next`. Numbers are filled
/// in.
using Output = std::variant<wire::FileRequest, wire::ListRequest, wire::DigestRequest, wire::Plan,
                            wire::Changes, wire::Problems, wire::SyncDone, wire::ErrorReply>;

/// What the welcome says of the mirror.
struct Opening {
  Attributes attributes;
  bool synced_before = false;
  bool directory_sums = false;       ///< the list may be one of directories
  std::optional<wire::NodeId> root;  ///< the mirror's, when the client is on this host
  std::vector<std::string> notes;    ///< what the mirror cannot hold
};

/// What progress there is while nothing else is to be said; goes into `wait`.
struct Progress {
  wire::Wait::Reason reason = wire::Wait::Reason::heartbeat;
  std::uint64_t done = 0, total = 0;
};

/// A mirror that clients may ask for. The name is valid (wire::broken_mirror_name_rule).
struct OfferedMirror {
  std::string name;
  std::string comment;  ///< for people, in the list of mirrors
};

struct Config {
  /// Whether the client of this connection may know and use the mirror. Empty: each may use all.
  std::function<bool(Peer peer, const std::string& mirror)> may_use;
  std::string program;        ///< "server-sync 0.1.0"
  std::size_t syncs_max = 0;  ///< at once, over all mirrors, also those that are being closed; 0: no limit
  std::chrono::milliseconds heartbeat = wire::kHeartbeat;
  std::chrono::milliseconds idle = wire::kIdle;
  std::chrono::milliseconds attach = wire::kAttach;
  std::chrono::milliseconds turn = std::chrono::milliseconds(
      6000);  ///< a client that does not repeat its hello for so long after `wait` loses its place
  std::chrono::milliseconds recall = std::chrono::milliseconds(
      250);  ///< so long a turn waits for a client that is between two hellos; then others go first, once
  /// Credit of all sessions together, shared evenly; least_window_bytes (at least a message's charge) each
  /// has in any case. So what is on its way or waits to be written is never more than window_bytes +
  /// least_window_bytes x sessions, and there are syncs_max sessions at most.
  std::uint64_t window_bytes = wire::kWindowBytes;
  std::uint64_t least_window_bytes = wire::kWindowBytesLeast;
  std::size_t waiting_max = 1024;                ///< clients that may wait; more are told busy
  std::size_t mirror_waiting_max = 64;           ///< those of them that wait for one mirror
  std::size_t held_bytes_max = 8 * 1024 * 1024;  ///< of hellos that are held; others are told to wait
  std::size_t outputs_max = 16;                  ///< outputs that may be queued: output_room()
};

/// Random ids come from outside, so that tests repeat.
struct Ids {
  wire::SessionId session{};
  std::uint64_t tag = 0;
};

/// What one session does, or does not do, changes nothing of what the others are told.
///
/// A sync learns of its end later than this machine, so what it says after CloseSync, and after closed() too,
/// is ignored. opened(), refused() and closed() end something and come once: a second one is a mistake of the
/// program, as is a key that OpenSync never gave (assertions).
class Server {
 public:
  Server(Config config, std::function<Ids()> new_ids);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// The mirrors that there are from now on; none at first. A sync on one that is gone runs to its end; who
  /// waits for it is told error `mirror`. Requires: valid names, each once.
  [[nodiscard]] Effects set_mirrors(std::vector<OfferedMirror> mirrors, Time now);

  // From the transport.
  [[nodiscard]] Effects on_request(Peer peer, wire::Request request, Time now);
  /// A control message that did not decode: an error reply to `seq` (wire::seq_of), then the peer is kicked.
  /// Other sessions are unharmed.
  [[nodiscard]] Effects on_malformed(Peer peer, std::uint32_t seq, const Error& error, Time now);
  [[nodiscard]] Effects on_data(Peer peer, wire::DataHead head, std::size_t head_bytes, Buffer payload,
                                Time now);
  [[nodiscard]] Effects on_malformed_data(Peer peer, const Error& error, Time now);
  /// A send failed, or the transport knows that the connection is gone.
  [[nodiscard]] Effects on_disconnected(Peer peer, Time now);
  /// At least every 100 ms, and at next_deadline().
  [[nodiscard]] Effects on_tick(Time now);
  [[nodiscard]] Time next_deadline() const;

  /// The connection's client is not let in any more: its session ends, or its place is lost, with this error.
  [[nodiscard]] Effects dismiss(Peer peer, const wire::ErrorReply& error, Time now);
  /// A request that its client may not make: the error is the reply, then the peer is kicked.
  [[nodiscard]] Effects refuse(Peer peer, std::uint32_t seq, const wire::ErrorReply& error, Time now);

  // From the syncs that OpenSync started.
  [[nodiscard]] Effects opened(SessionKey key, const Opening& opening, Time now);
  /// Nothing runs for it; its turn is over.
  [[nodiscard]] Effects refused(SessionKey key, wire::ErrorReply error, Time now);
  [[nodiscard]] Effects list_taken(SessionKey key, std::uint64_t number, Time now);
  /// Requires: output_room().
  [[nodiscard]] Effects output(SessionKey key, Output output, Time now);
  [[nodiscard]] bool output_room(SessionKey key) const;
  [[nodiscard]] Effects credit_returned(SessionKey key, std::uint64_t bytes, Time now);
  void progress(SessionKey key, const Progress& progress);
  /// After CloseSync: the sync's threads have stopped; its turn is over.
  [[nodiscard]] Effects closed(SessionKey key, Time now);
  /// The server ends: every session gets an error `shutdown` (retry) as the reply to what is open.
  [[nodiscard]] Effects shutdown(Time now);

  [[nodiscard]] std::size_t active() const;   ///< syncs that are open
  [[nodiscard]] std::size_t waiting() const;  ///< clients that wait for their turn

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace server
}  // namespace ssync::session
