// The waiting room: who has the turn, who waits, which peer belongs to whom. One conversation at a time
// (conversation.h).
#include "ssync/session/server.h"

#include <algorithm>
#include <list>

#include "ssync/base/assert.h"

#include "conversation.h"

namespace ssync::session::server {
namespace {

/// A client that said hello and was told to wait. Its turn lapses when it does not say hello again.
struct Waiting {
  wire::ClientId client{};
  Peer peer = 0;  ///< where it said hello last
  Time seen;
};

/// A peer that was told why and is to be disconnected when it had time to read that.
struct Doomed {
  Peer peer = 0;
  Time at;
  wire::ErrorReply last_word;
};
constexpr auto kLastWords = std::chrono::milliseconds(500);

enum class Stage : std::uint8_t {
  idle,     ///< nobody has the turn
  opening,  ///< OpenSync was said; opened() or refused() is awaited
  running,
  closing,  ///< the conversation is over; closed() is awaited, or still opened() or refused()
};

}  // namespace

struct Server::Impl {
  Impl(Config c, std::function<Ids()> ids) : config(std::move(c)), new_ids(std::move(ids)) {}

  const Config config;
  const std::function<Ids()> new_ids;
  Stage stage = Stage::idle;
  std::optional<Conversation> conversation;
  wire::ClientId active_client{};
  std::list<Waiting> waiting;
  std::list<Doomed> doomed;
  bool stopping = false;

  [[nodiscard]] bool is_control(Peer peer) const { return conversation && conversation->control() == peer; }
  [[nodiscard]] bool is_data(Peer peer) const { return conversation && conversation->data() == peer; }

  static void answer(Peer peer, std::uint32_t seq, wire::ReplyBody body, Effects& out) {
    out.push_back(SendReply{peer, wire::Reply{seq, std::move(body)}});
  }
  void forget_waiting(Peer peer) {
    waiting.remove_if([&](const Waiting& client) { return client.peer == peer; });
  }

  void turn_away(Peer peer, std::uint32_t seq, wire::ErrorReply error, Effects& out, Time now);
  void kick_later(Peer peer, wire::ErrorReply last_word, Time now);
  void kick(Peer peer, std::string reason, Effects& out);
  void kick_doomed(Effects& out, Time now);
  [[nodiscard]] const Doomed* find_doomed(Peer peer) const;

  void hello(Peer peer, std::uint32_t seq, wire::Hello hello, Effects& out, Time now);
  void wait_turn(Peer peer, std::uint32_t seq, const wire::ClientId& client, Effects& out, Time now);
  void lapse(Time now);

  void settle(Effects& out, Time now);
  void dismiss_peers(Time now);
  void release();
};

// ---- peers that are to go
// -------------------------------------------------------------------------------------------

void Server::Impl::turn_away(Peer peer, std::uint32_t seq, wire::ErrorReply error, Effects& out, Time now) {
  forget_waiting(peer);
  answer(peer, seq, error, out);
  kick_later(peer, std::move(error), now);
}

void Server::Impl::kick_later(Peer peer, wire::ErrorReply last_word, Time now) {
  if (find_doomed(peer) == nullptr) doomed.push_back(Doomed{peer, now + kLastWords, std::move(last_word)});
}

void Server::Impl::kick(Peer peer, std::string reason, Effects& out) {
  doomed.remove_if([&](const Doomed& other) { return other.peer == peer; });
  out.push_back(Kick{peer, std::move(reason)});
}

void Server::Impl::kick_doomed(Effects& out, Time now) {
  while (!doomed.empty() && doomed.front().at <= now) {  // in order of time: all have the same delay
    out.push_back(Kick{doomed.front().peer, std::move(doomed.front().last_word.text)});
    doomed.pop_front();
  }
}

const Doomed* Server::Impl::find_doomed(Peer peer) const {
  const auto found =
      std::find_if(doomed.begin(), doomed.end(), [&](const Doomed& other) { return other.peer == peer; });
  return found == doomed.end() ? nullptr : &*found;
}

// ---- turns
// ----------------------------------------------------------------------------------------------------------

void Server::Impl::lapse(Time now) {
  waiting.remove_if([&](const Waiting& client) { return now - client.seen >= config.turn; });
}

void Server::Impl::hello(Peer peer, std::uint32_t seq, wire::Hello hello, Effects& out, Time now) {
  if (stopping)
    return turn_away(peer, seq, {wire::ErrorCode::shutdown, true, "the server is stopping"}, out, now);
  if (hello.version_min > wire::kVersion || hello.version_max < wire::kVersion) {
    return turn_away(
        peer, seq,
        {wire::ErrorCode::version, false,
         "this server speaks protocol version " + std::to_string(wire::kVersion) + ", the client " +
             std::to_string(hello.version_min) + " to " + std::to_string(hello.version_max)},
        out, now);
  }
  lapse(now);
  if (conversation && !conversation->ended() && hello.client == active_client) {
    // Its connection broke and this end has not noticed: nobody need wait for the silence to grow too long.
    conversation->fail(wire::ErrorCode::session, true, "the client came back on another connection", out);
  }
  const bool first = waiting.empty() || waiting.front().client == hello.client;
  if (stage != Stage::idle || !first) return wait_turn(peer, seq, hello.client, out, now);
  waiting.remove_if([&](const Waiting& client) { return client.client == hello.client; });
  active_client = hello.client;
  stage = Stage::opening;
  conversation.emplace(config, peer, seq, new_ids(), now);
  out.push_back(OpenSync{peer, std::move(hello)});
}

void Server::Impl::wait_turn(Peer peer, std::uint32_t seq, const wire::ClientId& client, Effects& out,
                             Time now) {
  const auto known = std::find_if(waiting.begin(), waiting.end(),
                                  [&](const Waiting& other) { return other.client == client; });
  if (known != waiting.end()) {
    known->peer = peer;
    known->seen = now;
  } else if (waiting.size() >= config.waiting_max) {
    return turn_away(peer, seq, {wire::ErrorCode::busy, true, "too many clients are waiting for this mirror"},
                     out, now);
  } else {
    waiting.push_back(Waiting{client, peer, now});
  }
  const bool own = stage != Stage::idle && client == active_client;
  const std::string text = own                    ? "the session before is still being closed"
                           : stage == Stage::idle ? "another client is next"
                                                  : "another client is syncing to this mirror";
  answer(peer, seq, wire::Wait{wire::Wait::Reason::other_session, 0, waiting.size(), text}, out);
}

// ---- the end of a conversation
// --------------------------------------------------------------------------------------

/// Turns the end of the conversation into effects, once.
void Server::Impl::settle(Effects& out, Time now) {
  if (!conversation || !conversation->ended() || stage == Stage::closing) return;
  const bool was_opening = stage == Stage::opening;
  stage = Stage::closing;
  dismiss_peers(now);
  if (was_opening) return;  // opened() or refused() is still to come, then CloseSync
  out.push_back(CloseSync{conversation->completed(), conversation->last_word().text});
}

/// Who left by itself hangs up by itself.
void Server::Impl::dismiss_peers(Time now) {
  if (conversation->left()) return;
  for (const std::optional<Peer> peer : {conversation->control(), conversation->data()}) {
    if (peer) kick_later(*peer, conversation->last_word(), now);
  }
}

/// The next in line has its turn with its next hello.
void Server::Impl::release() {
  conversation.reset();
  stage = Stage::idle;
}

// ---- from the transport
// ---------------------------------------------------------------------------------------------

Server::Server(Config config, std::function<Ids()> new_ids)
    : impl_(std::make_unique<Impl>(std::move(config), std::move(new_ids))) {}
Server::~Server() = default;

Effects Server::on_request(Peer peer, wire::Request request, Time now) {
  Effects out;
  if (const Doomed* doomed = impl_->find_doomed(peer)) {  // on its way before the peer read the error
    const bool bye = std::holds_alternative<wire::Bye>(request.body);
    Impl::answer(peer, request.seq, bye ? wire::ReplyBody(wire::Ok{}) : wire::ReplyBody(doomed->last_word),
                 out);
    return out;
  }
  if (impl_->is_control(peer) && !impl_->conversation->ended()) {
    impl_->conversation->request(std::move(request), out, now);
  } else if (auto* hello = std::get_if<wire::Hello>(&request.body)) {
    impl_->hello(peer, request.seq, std::move(*hello), out, now);
  } else if (std::holds_alternative<wire::Bye>(
                 request.body)) {  // a client that waited, or whose session is over
    impl_->forget_waiting(peer);
    Impl::answer(peer, request.seq, wire::Ok{}, out);
  } else {
    impl_->turn_away(peer, request.seq, {wire::ErrorCode::session, true, "no session: say hello first"}, out,
                     now);
  }
  impl_->settle(out, now);
  return out;
}

Effects Server::on_malformed(Peer peer, std::uint32_t seq, const Error& error, Time now) {
  Effects out;
  if (impl_->find_doomed(peer) != nullptr) return out;
  wire::ErrorReply reply;
  reply.code = error.code == Errc::version ? wire::ErrorCode::version
               : error.code == Errc::limit ? wire::ErrorCode::limit
                                           : wire::ErrorCode::protocol;
  reply.text = error.text().substr(0, wire::kTextBytesMax);
  if (impl_->is_control(peer)) impl_->conversation->fail(reply, out);
  impl_->turn_away(peer, seq, std::move(reply), out, now);
  impl_->settle(out, now);
  return out;
}

Effects Server::on_data(Peer peer, wire::DataHead head, std::size_t head_bytes, std::size_t payload_bytes,
                        std::span<const std::byte> attach_payload, Time now) {
  Effects out;
  if (impl_->find_doomed(peer) != nullptr) return out;
  if (impl_->is_data(peer)) {
    if (!impl_->conversation->ended())
      impl_->conversation->data_message(std::move(head), head_bytes, payload_bytes, out, now);
  } else if (head.type != wire::DataType::attach || !impl_->conversation ||
             !impl_->conversation->attach(peer, head, attach_payload, out, now)) {
    impl_->kick(peer, "a data connection without a session", out);
  }
  impl_->settle(out, now);
  return out;
}

Effects Server::on_malformed_data(Peer peer, const Error& error, Time now) {
  Effects out;
  std::string text = error.text().substr(0, wire::kTextBytesMax);
  if (impl_->is_data(peer)) impl_->conversation->fail(wire::ErrorCode::protocol, false, text, out);
  impl_->settle(out, now);
  impl_->kick(peer, std::move(text),
              out);  // nothing is said on data connections, so there is nothing to wait for
  return out;
}

Effects Server::on_lost(Peer peer, Time now) {
  Effects out;
  impl_->forget_waiting(peer);
  impl_->doomed.remove_if([&](const Doomed& other) { return other.peer == peer; });
  if (impl_->is_control(peer))
    impl_->conversation->lost_control();
  else if (impl_->is_data(peer))
    impl_->conversation->lost_data(out);
  impl_->settle(out, now);
  return out;
}

Effects Server::on_tick(Time now) {
  Effects out;
  impl_->lapse(now);
  impl_->kick_doomed(out, now);
  if (impl_->conversation) impl_->conversation->tick(out, now);
  impl_->settle(out, now);
  return out;
}

Time Server::next_deadline() const {
  Time at = impl_->doomed.empty() ? Time::max() : impl_->doomed.front().at;
  if (impl_->conversation) at = std::min(at, impl_->conversation->next_deadline());
  return at;
}

// ---- from the sync
// --------------------------------------------------------------------------------------------------

Effects Server::opened(const Opening& opening, Time now) {
  Effects out;
  SSYNC_ASSERT(impl_->conversation && (impl_->stage == Stage::opening || impl_->stage == Stage::closing));
  if (impl_->stage == Stage::closing) {  // the client went away meanwhile
    out.push_back(CloseSync{impl_->conversation->completed(), impl_->conversation->last_word().text});
    return out;
  }
  impl_->stage = Stage::running;
  wire::Welcome welcome;
  welcome.version = wire::kVersion;
  welcome.program = impl_->config.program;
  welcome.attributes = opening.attributes;
  welcome.rows_max = wire::kRowsMax;
  welcome.body_bytes_max = wire::kBodyBytesMax;
  welcome.list_window = wire::kListWindow;
  welcome.chunk_bytes_max = wire::kChunkBytesMax;
  welcome.heartbeat_ms = static_cast<std::uint32_t>(impl_->config.heartbeat.count());
  welcome.idle_ms = static_cast<std::uint32_t>(impl_->config.idle.count());
  welcome.synced_before = opening.synced_before;
  welcome.directory_sums = opening.directory_sums;
  welcome.root = opening.root;
  welcome.notes = opening.notes;
  impl_->conversation->welcome(std::move(welcome), out, now);
  return out;
}

/// Nothing runs for it: its turn is over at once.
Effects Server::refused(wire::ErrorReply error, Time now) {
  Effects out;
  SSYNC_ASSERT(impl_->conversation && (impl_->stage == Stage::opening || impl_->stage == Stage::closing));
  impl_->conversation->fail(std::move(error), out);
  if (impl_->stage == Stage::opening) impl_->dismiss_peers(now);
  impl_->release();
  return out;
}

Effects Server::list_taken(std::uint64_t number, Time) {
  Effects out;
  if (impl_->conversation) impl_->conversation->list_taken(number, out);
  return out;
}

Effects Server::output(Output output, Time now) {
  Effects out;
  if (impl_->conversation) impl_->conversation->output(std::move(output), out);
  impl_->settle(out, now);
  return out;
}

bool Server::output_room() const {
  return impl_->conversation && !impl_->conversation->ended() && impl_->conversation->output_room();
}

Effects Server::credit_returned(std::uint64_t bytes, Time now) {
  Effects out;
  if (impl_->conversation) impl_->conversation->credit_returned(bytes, out, now);
  return out;
}

void Server::progress(const Progress& progress) {
  if (impl_->conversation) impl_->conversation->progress(progress);
}

Effects Server::closed(Time) {
  impl_->release();
  return {};
}

Effects Server::shutdown(Time now) {
  Effects out;
  impl_->stopping = true;
  impl_->waiting.clear();
  if (impl_->conversation)
    impl_->conversation->fail(wire::ErrorCode::shutdown, true, "the server is stopping", out);
  impl_->settle(out, now);
  return out;
}

bool Server::active() const {
  return impl_->stage != Stage::idle;
}
std::size_t Server::waiting() const {
  return impl_->waiting.size();
}

}  // namespace ssync::session::server
