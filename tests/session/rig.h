// The two machines with short words for their events, and their effects as text: one line each, so that a
// table says what it means and a comparison is of whole answers.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "ssync/session/client.h"
#include "ssync/session/server.h"

namespace ssync::session {

using Lines = std::vector<std::string>;
using std::chrono::milliseconds;

inline constexpr wire::ErrorCode kIo = wire::ErrorCode::io;

[[nodiscard]] wire::ClientId client_id(std::uint8_t number);
[[nodiscard]] wire::SessionId session_id(std::uint8_t number);
[[nodiscard]] wire::Hello hello_of(std::uint8_t client);

/// Peers: 1 is the first client's control connection, 2 its data connection, 3 and 4 the second client's.
/// Sessions are numbered from 1; their tag is 100 more. Sequence numbers are counted per peer.
class ServerRig {
 public:
  explicit ServerRig(server::Config config = config_of());
  static server::Config config_of();  ///< a window of 10,000 bytes

  // Requests carry the newest session's id unless they say otherwise.
  Lines hello(Peer peer, std::uint8_t client = 0);  ///< client 0: the peer's number
  Lines hello_to(const std::string& mirror, Peer peer, std::uint8_t client = 0);
  Lines ask_mirrors(Peer peer, const std::string& after = {});
  Lines mirrors(const std::vector<std::string>& names);  ///< these are there from now on
  Lines list(std::uint64_t number, std::uint64_t first_row, std::size_t rows, bool last, Peer peer = 1);
  Lines directories(std::uint64_t number, std::size_t rows, bool last, Peer peer = 1);
  Lines next(std::uint64_t ack, Peer peer = 1);
  Lines digests(std::size_t rows, Peer peer = 1);
  Lines fail(RowId row, Peer peer = 1);
  Lines bye(std::uint8_t code = 0, Peer peer = 1);
  Lines request(Peer peer, wire::RequestBody body, std::uint8_t session);
  Lines malformed(Peer peer, Errc code = Errc::protocol, std::uint32_t seq = 0);

  Lines attach(Peer peer = 2);
  Lines attach(Peer peer, std::uint8_t session_number);
  /// The next data message: charged with 1,080 bytes and the payload.
  Lines data(std::size_t payload_bytes, Peer peer = 2);
  Lines data(wire::DataHead head, std::size_t payload_bytes, Peer peer = 2);
  Lines malformed_data(Peer peer);
  [[nodiscard]] wire::DataHead next_data() const;

  Lines lost(Peer peer);
  Lines tick(milliseconds later = milliseconds(0));
  Lines opened(SessionKey session = 0);  ///< session 0: the newest
  Lines refused(SessionKey session = 0);
  Lines taken(std::uint64_t number, SessionKey session = 0);
  Lines output(server::Output output, SessionKey session = 0);
  Lines returned(std::uint64_t bytes, SessionKey session = 0);
  Lines closed(SessionKey session = 0);
  Lines shutdown();

  ServerRig& opening();   ///< hello(1) was said
  ServerRig& welcomed();  ///< and answered
  ServerRig& running();   ///< attached, `next` with seq 2 open
  ServerRig& planned();  ///< rows 0 to 2 listed with seq 3 and taken, plan said and acknowledged (seq 4 open)
  ServerRig& sending();  ///< rows 1 and 2 requested, `next` with seq 5 open
  ServerRig& done();     ///< sync:done said, no `next` open
  ServerRig& failed();   ///< the sync said an error, CloseSync came
  ServerRig& left();     ///< the client said bye(25), CloseSync came

  [[nodiscard]] std::uint32_t seq(Peer peer) { return seqs_[peer]; }
  /// The sequence number that `peer` uses next.
  void skip_seq(Peer peer) { ++seqs_[peer]; }

  [[nodiscard]] SessionKey newest() const { return sessions_; }

  Time now{std::chrono::hours(1)};
  bool offers_sums = true;
  server::Server server;

 private:
  Lines text(const server::Effects& effects) const;
  [[nodiscard]] SessionKey key(SessionKey session) const;

  std::uint8_t sessions_ = 0;
  std::map<Peer, std::uint32_t> seqs_;
  std::uint64_t data_number_ = 0, data_offset_ = 0;
};

/// The session is number 1, its tag 101; the server's list window is 2.
class ClientRig {
 public:
  ClientRig();

  Lines start();
  Lines connected();
  Lines reply(std::uint32_t seq, wire::ReplyBody body);
  Lines welcome(std::uint32_t seq = 1, const std::string& mirror = {});
  Lines wait(std::uint32_t seq, std::uint64_t progress = 0);
  Lines credit(std::uint64_t number, std::uint64_t limit);
  Lines malformed();
  Lines lost();
  Lines tick(milliseconds later = milliseconds(0));
  Lines list(bool last = false);
  Lines directories(bool last = false);
  Lines digests(std::size_t rows);
  Lines file_failed(RowId row);
  Lines accept();
  Lines refuse();
  Lines interrupt();
  /// The offset of a data message with this payload and one segment.
  std::uint64_t data(std::size_t payload_bytes);

  ClientRig& connecting();
  ClientRig& greeting();  ///< hello was said with seq 1
  ClientRig& waiting();   ///< and answered with wait
  ClientRig& running();   ///< welcome came, `next` is open with seq 2
  ClientRig& deciding();  ///< plan 1 was shown, no `next` open
  ClientRig& leaving();   ///< sync:done 1 came, bye was said with seq 3
  ClientRig& over();      ///< the connection broke

  Time now{std::chrono::hours(1)};
  client::Client client;

 private:
  Lines text(client::Effects effects) const;
  wire::FileListEncoder encoder_;
  std::uint64_t rows_ = 0;
};

[[nodiscard]] server::Output plan();
[[nodiscard]] server::Output done();
[[nodiscard]] server::Output changes();
[[nodiscard]] server::Output request_rows(const std::vector<RowId>& rows);
[[nodiscard]] server::Output list_rows(const std::vector<std::uint64_t>& directories);
[[nodiscard]] server::Output query_rows(const std::vector<RowId>& rows);
[[nodiscard]] server::Output failure();

}  // namespace ssync::session
