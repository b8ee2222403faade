// All peers and all syncs: which connection belongs to whom, who is let in, and what is said to strangers.
// What is said in a session is conversation.h, who waits is turn_queue.h.
#include "ssync/session/server.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <span>
#include <unordered_map>
#include <utility>

#include "ssync/base/assert.h"

#include "conversation.h"
#include "doomed.h"
#include "mirrors.h"
#include "turn_queue.h"

namespace ssync::session::server {
namespace {

constexpr auto kLastWords = std::chrono::milliseconds(500);

enum class Phase : std::uint8_t {
  opening,  ///< OpenSync was said; opened() or refused() is awaited
  running,
  closing,  ///< the conversation is over; closed() is awaited, or still opened() or refused()
};

/// A conversation and whose it is.
struct Session {
  Session(const Config& config, CreditPool& credit, SessionKey session, QueuedClient queued, Ids session_ids,
          Time now)
      : key(session),
        mirror(std::move(queued.mirror)),
        client(queued.client),
        id(session_ids.session),
        conversation(config, credit, {session, queued.peer, queued.held->seq, session_ids}, now) {}

  const SessionKey key;
  const std::string mirror;
  const wire::ClientId client;
  const wire::SessionId id;
  Phase phase = Phase::opening;
  bool opened = false;  ///< opened() came
  Conversation conversation;
};

/// Session ids are random.
struct HashOfId {
  std::size_t operator()(const wire::SessionId& id) const noexcept {
    std::size_t hash = 0;
    std::memcpy(&hash, id.data(), sizeof hash);
    return hash;
  }
};

template <typename Map, typename Key>
Session* find_in(const Map& map, const Key& key) {
  const auto found = map.find(key);
  return found == map.end() ? nullptr : found->second;
}

wire::ErrorCode code_of(Errc code) {
  if (code == Errc::limit) return wire::ErrorCode::limit;
  return code == Errc::version ? wire::ErrorCode::version : wire::ErrorCode::protocol;
}

}  // namespace

struct Server::Impl {
  Impl(Config c, std::function<Ids()> ids)
      : config(std::move(c)),
        new_ids(std::move(ids)),
        credit(config.window_bytes, config.least_window_bytes),
        turns(config) {}

  const Config config;
  const std::function<Ids()> new_ids;
  CreditPool credit;
  MirrorTable mirrors;
  TurnQueue turns;
  DoomedPeers doomed;
  std::map<SessionKey, std::unique_ptr<Session>> sessions;
  std::unordered_map<std::string, Session*> on_mirror;
  std::unordered_map<Peer, Session*> controls;  ///< of conversations that have not ended
  std::unordered_map<Peer, Session*> datas;
  std::unordered_map<wire::SessionId, Session*, HashOfId> by_id;
  SessionKey last_key = 0;
  bool stopping = false;

  static void answer(Peer peer, std::uint32_t seq, wire::ReplyBody body, Effects& out) {
    out.push_back(SendReply{peer, wire::Reply{seq, std::move(body)}});
  }

  void dismiss(Peer peer, wire::ErrorReply last_word, Time now) {
    doomed.add(peer, {now + kLastWords, std::move(last_word)});
  }
  void turn_away(Peer peer, std::uint32_t seq, const wire::ErrorReply& error, Effects& out, Time now);
  void turn_away(const QueuedClient& queued, const wire::ErrorReply& error, Effects& out, Time now);
  void answer_doomed(Peer peer, const wire::Request& request, Effects& out) const;
  void stranger(Peer peer, wire::Request request, Effects& out, Time now);
  void goodbye(Peer peer, std::uint32_t seq, Effects& out);

  [[nodiscard]] MirrorTable::May what_may_use(Peer peer) const;
  [[nodiscard]] std::optional<wire::ErrorReply> refusal(Peer peer, const wire::Hello& hello) const;
  void hello(Peer peer, std::uint32_t seq, wire::Hello hello, Effects& out, Time now);
  void end_session_of(const wire::Hello& hello, Effects& out, Time now);
  void tell_to_wait(Ticket ticket, Effects& out, Time now);
  [[nodiscard]] std::string waiting_text(const QueuedClient& queued, Standing::Why why) const;
  void give_turns(Effects& out, Time now);
  void open(QueuedClient queued, Effects& out, Time now);

  [[nodiscard]] Session* attach(Peer peer, const wire::DataHead& head, std::span<const std::byte> id,
                                Effects& out, Time now);
  void kick(Peer peer, std::string reason, Effects& out);
  [[nodiscard]] Session* forget(Peer peer, Effects& out);

  [[nodiscard]] Session* find(SessionKey key) const;
  [[nodiscard]] Session& awaited(SessionKey key) const;
  [[nodiscard]] wire::Welcome welcome_of(const Session& session, const Opening& opening) const;
  void conclude(Session& session, Effects& out, Time now);
  void dismiss_peers(const Session& session, Time now);
  void release(Session& session);
};

/// The error is the reply to the request `seq`, and to a hello of this peer that is held.
void Server::Impl::turn_away(Peer peer, std::uint32_t seq, const wire::ErrorReply& error, Effects& out,
                             Time now) {
  const std::optional<QueuedClient> queued = turns.leave(peer);
  if (queued && queued->held && queued->held->seq != seq) answer(peer, queued->held->seq, error, out);
  answer(peer, seq, error, out);
  dismiss(peer, error, now);
}

/// Who is between two hellos is told at the next.
void Server::Impl::turn_away(const QueuedClient& queued, const wire::ErrorReply& error, Effects& out,
                             Time now) {
  if (!queued.held) return;
  answer(queued.peer, queued.held->seq, error, out);
  dismiss(queued.peer, error, now);
}

void Server::Impl::answer_doomed(Peer peer, const wire::Request& request, Effects& out) const {
  const Doomed& last = *doomed.find(peer);
  const auto* ask = std::get_if<wire::AskMirrors>(&request.body);
  if (std::holds_alternative<wire::Bye>(request.body)) {
    answer(peer, request.seq, wire::Ok{}, out);
  } else if (ask != nullptr && last.listing) {
    answer(peer, request.seq, mirrors.page(ask->after, what_may_use(peer)), out);
  } else {
    answer(peer, request.seq, last.last_word, out);
  }
}

/// A request on a connection that has no session.
void Server::Impl::stranger(Peer peer, wire::Request request, Effects& out, Time now) {
  const wire::ErrorReply no_session{wire::ErrorCode::session, true, "no session: say hello first"};
  if (auto* said = std::get_if<wire::Hello>(&request.body)) {
    hello(peer, request.seq, std::move(*said), out, now);
  } else if (std::holds_alternative<wire::Bye>(request.body)) {
    goodbye(peer, request.seq, out);
  } else if (std::holds_alternative<wire::AskMirrors>(request.body) && turns.of(peer) == nullptr) {
    doomed.add(peer, {now + config.attach, no_session, true});
    answer_doomed(peer, request, out);
  } else {
    turn_away(peer, request.seq, no_session, out, now);
  }
  give_turns(out, now);
}

/// Of a client that waited, or whose session is over.
void Server::Impl::goodbye(Peer peer, std::uint32_t seq, Effects& out) {
  const std::optional<QueuedClient> queued = turns.leave(peer);
  if (queued && queued->held) {
    answer(peer, queued->held->seq, wire::ErrorReply{wire::ErrorCode::session, true, "the client said bye"},
           out);
  }
  answer(peer, seq, wire::Ok{}, out);
}

MirrorTable::May Server::Impl::what_may_use(Peer peer) const {
  if (!config.may_use) return {};
  return [this, peer](const std::string& mirror) { return config.may_use(peer, mirror); };
}

/// Why a hello cannot even wait.
std::optional<wire::ErrorReply> Server::Impl::refusal(Peer peer, const wire::Hello& hello) const {
  if (stopping) return wire::ErrorReply{wire::ErrorCode::shutdown, true, "the server is stopping"};
  if (hello.version_min > wire::kVersion || hello.version_max < wire::kVersion) {
    return wire::ErrorReply{wire::ErrorCode::version, false,
                            "this server speaks protocol version " + std::to_string(wire::kVersion) +
                                ", the client " + std::to_string(hello.version_min) + " to " +
                                std::to_string(hello.version_max)};
  }
  const MirrorTable::May may = what_may_use(peer);
  // One that the client may not use is one that it does not learn of.
  if (!mirrors.has(hello.mirror) || (may && !may(hello.mirror)))
    return wire::ErrorReply{wire::ErrorCode::mirror, false, mirrors.unknown_text(hello.mirror, may)};
  return std::nullopt;
}

void Server::Impl::hello(Peer peer, std::uint32_t seq, wire::Hello hello, Effects& out, Time now) {
  if (const std::optional<wire::ErrorReply> why = refusal(peer, hello))
    return turn_away(peer, seq, *why, out, now);
  if (const QueuedClient* queued = turns.of(peer); queued != nullptr && queued->held) {
    return turn_away(peer, seq,
                     {wire::ErrorCode::state, false, "a second hello while one is without its reply"}, out,
                     now);
  }
  end_session_of(hello, out, now);
  const TurnQueue::Arrival arrival = turns.arrive(peer, seq, std::move(hello), now);
  if (arrival.before) {
    turn_away(*arrival.before, {wire::ErrorCode::session, true, "the client came back on another connection"},
              out, now);
  }
  give_turns(out, now);
  if (turns.find(arrival.ticket) == nullptr) return;  // it has its turn
  if (arrival.first && turns.is_crowded(arrival.ticket)) {
    return turn_away(peer, seq, {wire::ErrorCode::busy, true, "too many clients are waiting"}, out, now);
  }
  // The first time at once, so that a person is told; and who cannot be kept asks again.
  if (arrival.first || turns.holds_too_much()) tell_to_wait(arrival.ticket, out, now);
}

/// Its connection broke and this end has not noticed: nobody need wait for the silence to grow too long.
void Server::Impl::end_session_of(const wire::Hello& hello, Effects& out, Time now) {
  Session* const session = find_in(on_mirror, hello.mirror);
  if (session == nullptr || session->client != hello.client) return;
  session->conversation.fail(wire::ErrorCode::session, true, "the client came back on another connection",
                             out);
  conclude(*session, out, now);
}

void Server::Impl::tell_to_wait(Ticket ticket, Effects& out, Time now) {
  const QueuedClient& queued = *turns.find(ticket);
  const Standing standing = turns.standing(ticket);
  wire::Wait wait;
  wait.reason = standing.why == Standing::Why::server_full ? wire::Wait::Reason::other_mirrors
                                                           : wire::Wait::Reason::other_session;
  wait.total = standing.total;
  wait.place = standing.place;
  wait.text = waiting_text(queued, standing.why);
  const Peer peer = queued.peer;
  answer(peer, turns.answer(ticket, now), std::move(wait), out);
}

std::string Server::Impl::waiting_text(const QueuedClient& queued, Standing::Why why) const {
  if (const Session* session = find_in(on_mirror, queued.mirror);
      session != nullptr && session->client == queued.client)
    return "the session before is still being closed";
  switch (why) {
    case Standing::Why::mirror_taken:
      return "another client is syncing to this mirror";
    case Standing::Why::others_first:
      return "another client is next";
    case Standing::Why::server_full:
      break;
  }
  return "the server runs as many syncs as it may at once (" + std::to_string(config.syncs_max) + ")";
}

void Server::Impl::give_turns(Effects& out, Time now) {
  while (std::optional<QueuedClient> queued = turns.next_turn(now))
    open(std::move(*queued), out, now);
}

void Server::Impl::open(QueuedClient queued, Effects& out, Time now) {
  const SessionKey key = ++last_key;
  const Peer peer = queued.peer;
  wire::Hello hello = std::move(queued.held->hello);
  auto session = std::make_unique<Session>(config, credit, key, std::move(queued), new_ids(), now);
  on_mirror[session->mirror] = session.get();
  controls[peer] = session.get();
  by_id[session->id] = session.get();
  sessions[key] = std::move(session);
  out.push_back(OpenSync{key, peer, std::move(hello)});
}

/// nullptr: that is no session's id.
Session* Server::Impl::attach(Peer peer, const wire::DataHead& head, std::span<const std::byte> id,
                              Effects& out, Time now) {
  wire::SessionId asked{};
  if (head.type != wire::DataType::attach || id.size() != asked.size()) return nullptr;
  std::memcpy(asked.data(), id.data(), asked.size());
  Session* const session = find_in(by_id, asked);
  if (session == nullptr || !session->conversation.attach(peer, head, id, out, now)) return nullptr;
  if (session->conversation.data() == peer) datas[peer] = session;
  return session;
}

void Server::Impl::kick(Peer peer, std::string reason, Effects& out) {
  doomed.forget(peer);
  out.push_back(Kick{peer, std::move(reason)});
}

/// A connection is lost: the session that it belonged to.
Session* Server::Impl::forget(Peer peer, Effects& out) {
  if (const auto control = controls.extract(peer)) {
    control.mapped()->conversation.control_disconnected();
    return control.mapped();
  }
  if (const auto data = datas.extract(peer)) {
    data.mapped()->conversation.data_disconnected(out);
    return data.mapped();
  }
  return nullptr;
}

/// nullptr: it is over, and its sync does not know that yet.
Session* Server::Impl::find(SessionKey key) const {
  SSYNC_ASSERT(0 < key && key <= last_key);
  const auto found = sessions.find(key);
  return found == sessions.end() ? nullptr : found->second.get();
}

/// Whose OpenSync has no answer yet.
Session& Server::Impl::awaited(SessionKey key) const {
  Session* const session = find(key);
  SSYNC_ASSERT(session != nullptr && !session->opened);
  return *session;
}

/// Turns the end of the conversation into effects, once.
void Server::Impl::conclude(Session& session, Effects& out, Time now) {
  if (!session.conversation.ended() || session.phase == Phase::closing) return;
  const bool was_opening = session.phase == Phase::opening;
  session.phase = Phase::closing;
  dismiss_peers(session, now);
  if (was_opening) return;  // opened() or refused() is still to come, then CloseSync
  out.push_back(
      CloseSync{session.key, session.conversation.completed(), session.conversation.last_word().text});
}

/// Who left by itself hangs up by itself.
void Server::Impl::dismiss_peers(const Session& session, Time now) {
  const Conversation& conversation = session.conversation;
  if (conversation.control()) controls.erase(*conversation.control());
  if (conversation.left()) return;
  for (const std::optional<Peer> peer : {conversation.control(), conversation.data()}) {
    if (peer) dismiss(*peer, conversation.last_word(), now);
  }
}

void Server::Impl::release(Session& session) {
  if (session.conversation.data()) datas.erase(*session.conversation.data());
  by_id.erase(session.id);
  on_mirror.erase(session.mirror);
  turns.release(session.mirror);
  sessions.erase(session.key);
}

Server::Server(Config config, std::function<Ids()> new_ids)
    : impl_(std::make_unique<Impl>(std::move(config), std::move(new_ids))) {}
Server::~Server() = default;

Effects Server::set_mirrors(std::vector<OfferedMirror> mirrors, Time now) {
  Effects out;
  for (const std::string& gone : impl_->mirrors.set(std::move(mirrors))) {
    for (const QueuedClient& queued : impl_->turns.dissolve(gone)) {
      const std::string text = impl_->mirrors.unknown_text(gone, impl_->what_may_use(queued.peer));
      impl_->turn_away(queued, {wire::ErrorCode::mirror, false, text}, out, now);
    }
  }
  impl_->give_turns(out, now);  // one of them may have been next
  return out;
}

Effects Server::on_request(Peer peer, wire::Request request, Time now) {
  Effects out;
  if (impl_->doomed.find(peer) != nullptr) {
    impl_->answer_doomed(peer, request, out);
  } else if (Session* const session = find_in(impl_->controls, peer)) {
    session->conversation.request(std::move(request), out, now);
    impl_->conclude(*session, out, now);
  } else {
    impl_->stranger(peer, std::move(request), out, now);
  }
  return out;
}

Effects Server::on_malformed(Peer peer, std::uint32_t seq, const Error& error, Time now) {
  Effects out;
  if (impl_->doomed.find(peer) != nullptr) return out;
  const wire::ErrorReply reply{code_of(error.code), false, error.text().substr(0, wire::kTextBytesMax)};
  Session* const session = find_in(impl_->controls, peer);
  if (session != nullptr) session->conversation.fail(reply, out);
  impl_->turn_away(peer, seq, reply, out, now);
  if (session != nullptr) impl_->conclude(*session, out, now);
  impl_->give_turns(out, now);
  return out;
}

Effects Server::dismiss(Peer peer, const wire::ErrorReply& error, Time now) {
  Effects out;
  if (Session* const session = find_in(impl_->controls, peer)) {
    session->conversation.fail(error, out);
    impl_->conclude(*session, out, now);
  } else if (const std::optional<QueuedClient> queued = impl_->turns.leave(peer)) {
    impl_->turn_away(*queued, error, out, now);
  }
  impl_->dismiss(peer, error, now);
  impl_->give_turns(out, now);
  return out;
}

Effects Server::refuse(Peer peer, std::uint32_t seq, const wire::ErrorReply& error, Time now) {
  Effects out;
  if (impl_->doomed.find(peer) == nullptr) impl_->turn_away(peer, seq, error, out, now);
  impl_->give_turns(out, now);
  return out;
}

Effects Server::on_data(Peer peer, wire::DataHead head, std::size_t head_bytes, Buffer payload, Time now) {
  Effects out;
  if (impl_->doomed.find(peer) != nullptr) return out;
  Session* session = find_in(impl_->datas, peer);
  if (session != nullptr) {
    if (!session->conversation.ended())
      session->conversation.data_message(std::move(head), head_bytes, std::move(payload), out, now);
  } else {
    session = impl_->attach(peer, head, payload.bytes(), out, now);
    if (session == nullptr) impl_->kick(peer, "a data connection without a session", out);
  }
  if (session != nullptr) impl_->conclude(*session, out, now);
  return out;
}

Effects Server::on_malformed_data(Peer peer, const Error& error, Time now) {
  Effects out;
  std::string text = error.text().substr(0, wire::kTextBytesMax);
  if (Session* const session = find_in(impl_->datas, peer)) {
    session->conversation.fail(wire::ErrorCode::protocol, false, text, out);
    impl_->conclude(*session, out, now);
  }
  // Nothing is said on data connections, so there is nothing to wait for.
  impl_->kick(peer, std::move(text), out);
  return out;
}

Effects Server::on_disconnected(Peer peer, Time now) {
  Effects out;
  static_cast<void>(impl_->turns.leave(peer));
  impl_->doomed.forget(peer);
  if (Session* const session = impl_->forget(peer, out)) impl_->conclude(*session, out, now);
  impl_->give_turns(out, now);
  return out;
}

/// Looks at every session, of which there are few, and at no client that waits but for those whose time has
/// come.
Effects Server::on_tick(Time now) {
  Effects out;
  impl_->doomed.kick(out, now);
  for (const auto& [key, session] : impl_->sessions) {
    session->conversation.tick(out, now);
    impl_->conclude(*session, out, now);
  }
  const std::vector<Ticket> held = impl_->turns.tick(now);
  impl_->give_turns(out, now);
  for (const Ticket ticket : held) {
    if (impl_->turns.find(ticket) != nullptr) impl_->tell_to_wait(ticket, out, now);
  }
  return out;
}

Time Server::next_deadline() const {
  Time at = std::min(impl_->doomed.next_deadline(), impl_->turns.next_deadline());
  for (const auto& [key, session] : impl_->sessions)
    at = std::min(at, session->conversation.next_deadline());
  return at;
}

Effects Server::opened(SessionKey key, const Opening& opening, Time now) {
  Effects out;
  Session& session = impl_->awaited(key);
  session.opened = true;
  if (session.phase == Phase::closing) {  // the client went away meanwhile
    out.push_back(CloseSync{key, session.conversation.completed(), session.conversation.last_word().text});
    return out;
  }
  session.phase = Phase::running;
  session.conversation.welcome(impl_->welcome_of(session, opening), out, now);
  return out;
}

Effects Server::refused(SessionKey key, wire::ErrorReply error, Time now) {
  Effects out;
  Session& session = impl_->awaited(key);
  session.conversation.fail(std::move(error), out);
  if (session.phase == Phase::opening) impl_->dismiss_peers(session, now);
  impl_->release(session);
  impl_->give_turns(out, now);
  return out;
}

wire::Welcome Server::Impl::welcome_of(const Session& session, const Opening& opening) const {
  wire::Welcome welcome;
  welcome.version = wire::kVersion;
  welcome.program = config.program;
  welcome.attributes = opening.attributes;
  welcome.rows_max = wire::kRowsMax;
  welcome.body_bytes_max = wire::kBodyBytesMax;
  welcome.list_window = wire::kListWindow;
  welcome.chunk_bytes_max = wire::kChunkBytesMax;
  welcome.heartbeat_ms = static_cast<std::uint32_t>(config.heartbeat.count());
  welcome.idle_ms = static_cast<std::uint32_t>(config.idle.count());
  welcome.synced_before = opening.synced_before;
  welcome.directory_sums = opening.directory_sums;
  welcome.root = opening.root;
  welcome.notes = opening.notes;
  welcome.mirror = session.mirror;
  return welcome;
}

Effects Server::list_taken(SessionKey key, std::uint64_t number, Time) {
  Effects out;
  if (Session* const session = impl_->find(key)) session->conversation.list_taken(number, out);
  return out;
}

Effects Server::output(SessionKey key, Output output, Time now) {
  Effects out;
  if (Session* const session = impl_->find(key)) {
    session->conversation.output(std::move(output), out);
    impl_->conclude(*session, out, now);
  }
  return out;
}

bool Server::output_room(SessionKey key) const {
  const Session* const session = impl_->find(key);
  return session != nullptr && !session->conversation.ended() && session->conversation.output_room();
}

Effects Server::credit_returned(SessionKey key, std::uint64_t bytes, Time now) {
  Effects out;
  if (Session* const session = impl_->find(key)) session->conversation.credit_returned(bytes, out, now);
  return out;
}

void Server::progress(SessionKey key, const Progress& progress) {
  if (Session* const session = impl_->find(key)) session->conversation.progress(progress);
}

Effects Server::closed(SessionKey key, Time now) {
  Effects out;
  Session* const session = impl_->find(key);
  SSYNC_ASSERT(session != nullptr && session->opened && session->phase == Phase::closing);
  impl_->release(*session);
  impl_->give_turns(out, now);
  return out;
}

Effects Server::shutdown(Time now) {
  Effects out;
  const wire::ErrorReply error{wire::ErrorCode::shutdown, true, "the server is stopping"};
  impl_->stopping = true;
  for (const QueuedClient& queued : impl_->turns.dissolve())
    impl_->turn_away(queued, error, out, now);
  for (const auto& [key, session] : impl_->sessions) {
    session->conversation.fail(error, out);
    impl_->conclude(*session, out, now);
  }
  return out;
}

std::size_t Server::active() const {
  return impl_->sessions.size();
}
std::size_t Server::waiting() const {
  return impl_->turns.size();
}

}  // namespace ssync::session::server
