// The server's side of the conversation, for all peers: messages and events in, effects out. No sockets,
// threads, files or clock.
//
// One sync runs at a time; a second client is told `wait` and keeps its turn. State tables: proto-spec/02 §4.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "ssync/base/result.h"
#include "ssync/wire/data.h"
#include "ssync/wire/limits.h"
#include "ssync/wire/messages.h"

namespace ssync::session {

using Time = std::chrono::steady_clock::time_point;
/// A connection, as the transport numbers it.
using Peer = std::uint64_t;

namespace server {

// ---- effects: to be carried out in order
// ----------------------------------------------------------------------------

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
/// A client has its turn: get ready (source id, overlap, staging, attributes), then call opened() or
/// refused().
struct OpenSync {
  Peer peer = 0;
  wire::Hello hello;
};
/// The welcome was sent: start the mirror's scan.
struct StartScan {};
/// Rows for the planner. Call list_taken() when there is room for more.
struct ListRows {
  std::uint64_t number = 0;
  RowBatch batch;
};
/// Directories for the planner; the same.
struct ListDirectories {
  std::uint64_t number = 0;
  std::vector<DirectorySum> rows;
  bool last = false;
};
struct DigestRows {
  std::vector<wire::DigestRow> rows;
};
struct FileFailed {
  wire::Fail fail;
};
/// The plan was acknowledged: changes may be made.
struct Proceed {};
/// A valid data message within its credit: hand it to the receiver.
struct Deliver {
  wire::DataHead head;
  std::size_t payload_bytes = 0;
};
/// The sync is over; stop what runs for it and call closed(). `completed`: sync:done was acknowledged.
/// `reason`: a sentence for the log, empty when completed.
struct CloseSync {
  bool completed = false;
  std::string reason;
};
/// A line for the log.
struct Notice {
  std::string text;
};

using Effect = std::variant<SendReply, SendCredit, Kick, OpenSync, StartScan, ListRows, ListDirectories,
                            DigestRows, FileFailed, Proceed, Deliver, CloseSync, Notice>;
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

struct Config {
  std::string program;  ///< "server-sync 0.1.0"
  std::chrono::milliseconds heartbeat = wire::kHeartbeat;
  std::chrono::milliseconds idle = wire::kIdle;
  std::chrono::milliseconds attach = wire::kAttach;
  std::chrono::milliseconds turn = std::chrono::milliseconds(
      6000);  ///< a waiting client that does not repeat its hello for so long loses its turn
  std::uint64_t window_bytes = wire::kWindowBytes;
  std::uint64_t least_window_bytes = wire::kWindowBytesLeast;  ///< at least a message's charge
  std::size_t waiting_max = 64;                                ///< clients that may wait; more are told busy
  std::size_t outputs_max = 16;                                ///< outputs that may be queued: output_room()
};

/// Random ids come from outside, so that tests repeat.
struct Ids {
  wire::SessionId session{};
  std::uint64_t tag = 0;
};

class Server {
 public:
  Server(Config config, std::function<Ids()> new_ids);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // From the transport.
  [[nodiscard]] Effects on_request(Peer peer, wire::Request request, Time now);
  /// A control message that did not decode: an error reply to `seq` (wire::seq_of), then the peer is kicked.
  /// Other sessions are unharmed.
  [[nodiscard]] Effects on_malformed(Peer peer, std::uint32_t seq, const Error& error, Time now);
  [[nodiscard]] Effects on_data(Peer peer, wire::DataHead head, std::size_t head_bytes,
                                std::size_t payload_bytes, std::span<const std::byte> attach_payload,
                                Time now);
  [[nodiscard]] Effects on_malformed_data(Peer peer, const Error& error, Time now);
  /// A send failed, or the transport knows that the connection is gone.
  [[nodiscard]] Effects on_lost(Peer peer, Time now);
  /// At least every 100 ms, and at next_deadline().
  [[nodiscard]] Effects on_tick(Time now);
  [[nodiscard]] Time next_deadline() const;

  // From the sync that OpenSync started.
  [[nodiscard]] Effects opened(const Opening& opening, Time now);
  [[nodiscard]] Effects refused(wire::ErrorReply error, Time now);
  [[nodiscard]] Effects list_taken(std::uint64_t number, Time now);
  /// Requires: output_room().
  [[nodiscard]] Effects output(Output output, Time now);
  [[nodiscard]] bool output_room() const;
  [[nodiscard]] Effects credit_returned(std::uint64_t bytes, Time now);
  void progress(const Progress& progress);
  /// The sync's threads have stopped; the next client may have its turn.
  [[nodiscard]] Effects closed(Time now);
  /// The server ends: every session gets an error `shutdown` (retry) as the reply to what is open.
  [[nodiscard]] Effects shutdown(Time now);

  [[nodiscard]] bool active() const;  ///< a sync is open
  [[nodiscard]] std::size_t waiting() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace server
}  // namespace ssync::session
