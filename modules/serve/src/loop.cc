#include "loop.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "ssync/base/assert.h"
#include "ssync/base/random.h"
#include "ssync/base/text.h"

namespace ssync::serve {
namespace {

using Clock = std::chrono::steady_clock;
using SystemClock = std::chrono::system_clock;

constexpr auto kTickMax = std::chrono::milliseconds(100);
/// Messages handled before the other sources have their turn.
constexpr int kBurst = 64;
/// How often keys are looked at whose time may be over.
constexpr auto kLookAtGuests = std::chrono::milliseconds(500);

session::server::Ids random_ids() {
  session::server::Ids ids;
  fill_random(ids.session);
  fill_random(std::as_writable_bytes(std::span(&ids.tag, 1)));
  return ids;
}

wire::ErrorReply revoked_reply() {
  return mirror::error_reply(wire::ErrorCode::revoked, false,
                             "this client's key is not known any more, or has expired");
}

wire::ErrorReply silent_reply() {
  return mirror::error_reply(wire::ErrorCode::io, false, "the mirror's file system does not answer");
}

}  // namespace

/// New mirrors, opened before anything is changed.
struct Loop::Opened {
  std::vector<MirrorOptions> wanted;  ///< all of them
  std::vector<std::pair<MirrorOptions, std::unique_ptr<mirror::Mirror>>> mirrors;
  std::optional<Error> failed;
};

Loop::Loop(session::server::Config config, const mirror::Capacities& capacities, Parts parts)
    : capacities_(capacities),
      transport_(parts.transport),
      admit_(std::move(parts.admit)),
      wake_(parts.wake),
      observer_(parts.observer),
      open_(std::move(parts.open)),
      seen_(parts.keeper.seen),
      session_(with_rights(std::move(config)), random_ids),
      joining_(parts.wake, parts.keeper.enter) {
  guests_.set(parts.clients);
  admit_(guests_.known_keys());
}

session::server::Config Loop::with_rights(session::server::Config config) {
  config.may_use = [this](session::Peer peer, const std::string& mirror) {
    return guests_.may_use(transport_.identity_of(peer), mirror, SystemClock::now());
  };
  return config;
}

Loop::~Loop() = default;

void Loop::add(MirrorOptions options, std::unique_ptr<mirror::Mirror> mirror) {
  slots_.add(std::move(options), std::move(mirror));
}

void Loop::stop() noexcept {
  stopping_.store(true);
  wake_.signal();
}

Result<void> Loop::run(const Watched& watched) {
  announce();
  while (!stopping_.load())
    SSYNC_TRY_VOID(round(watched));
  carry_out(session_.shutdown(Clock::now()));
  // Waits for all work that is done aside. Where a mirror was just being opened, closing it is further work,
  // hence the loop.
  for (bool is_at_work = true; is_at_work;) {
    is_at_work = false;
    for (Slot* const slot : slots_.busy()) {
      if (!slot->aside) continue;
      is_at_work = true;
      slot->aside->join();
      take_slot(*slot);
    }
  }
  if (opening_) opening_->join();
  return {};
}

Result<void> Loop::round(const Watched& watched) {
  const auto now = Clock::now();
  const auto until = std::clamp<std::chrono::nanoseconds>(session_.next_deadline() - now,
                                                          std::chrono::milliseconds(0), kTickMax);
  const std::array<int, 2> fds{wake_.fd(), watched.fd};
  SSYNC_TRY(const net::Ready ready, transport_.wait(std::chrono::ceil<std::chrono::milliseconds>(until),
                                                    std::span(fds).first(watched.fd < 0 ? 1 : 2), true));
  if (ready.fds.size() > 1 && ready.fds.at(1)) watched.on_readable();
  if (ready.fds.at(0)) wake_.drain();
  if (ready.control) SSYNC_TRY_VOID(take_control());
  if (ready.data) SSYNC_TRY_VOID(take_data());
  for (Slot* const slot : slots_.busy())
    take_slot(*slot);
  take_joined();
  take_new_clients();
  dismiss_the_unwelcome();
  take_new_mirrors();
  open_new_mirrors();
  for (const net::PeerId peer : transport_.take_gone())
    carry_out(session_.on_disconnected(peer, Clock::now()));
  for (const std::string& text : transport_.take_notices())
    observer_.warning(text);
  carry_out(session_.on_tick(Clock::now()));
  return {};
}

Result<void> Loop::take_control() {
  for (int i = 0; i < kBurst; ++i) {
    SSYNC_TRY(std::optional<net::ControlMessage> message, transport_.receive_control());
    if (!message) return {};
    const std::uint32_t seq = wire::seq_of(message->frames.head.bytes());
    Result<wire::Request> request = wire::decode_request(std::move(message->frames));
    if (const auto* hello = request ? std::get_if<wire::Hello>(&request->body) : nullptr)
      transport_.label(message->peer, {.mirror = hello->mirror});
    if (request && !is_allowed(message->peer, *request)) continue;
    carry_out(request ? session_.on_request(message->peer, std::move(*request), Clock::now())
                      : session_.on_malformed(message->peer, seq, request.error(), Clock::now()));
  }
  return {};
}

Result<void> Loop::take_data() {
  for (int i = 0; i < kBurst; ++i) {
    SSYNC_TRY(std::optional<net::DataMessage> message, transport_.receive_data());
    if (!message) return {};
    Result<wire::DataHead> head = wire::decode_data(message->head.bytes(), message->payload.bytes().size());
    if (!head) {
      carry_out(session_.on_malformed_data(message->peer, head.error(), Clock::now()));
      continue;
    }
    const std::size_t head_bytes = message->head.bytes().size();
    carry_out(session_.on_data(message->peer, std::move(*head), head_bytes, std::move(message->payload),
                               Clock::now()));
  }
  return {};
}

void Loop::take_slot(Slot& slot) {
  take_work(slot);
  watch_root(slot);
  take_sync(slot);
  take_options(slot);
}

/// Passes on what the running sync has to say.
void Loop::take_sync(Slot& slot) {
  if (!slot.sync) return;
  const session::SessionKey session = slot.session;
  slot.sync->flush();
  while (slot.sync && slot.list_announced < slot.sync->list_taken())
    carry_out(session_.list_taken(session, slot.list_announced++, Clock::now()));
  if (!slot.sync) return;
  if (const std::uint64_t bytes = slot.sync->take_credit(); bytes > 0)
    carry_out(session_.credit_returned(session, bytes, Clock::now()));
  while (slot.sync && session_.output_room(session)) {
    std::optional<session::server::Output> output = slot.sync->poll_output();
    if (!output) break;
    if (const auto* done = std::get_if<wire::SyncDone>(&*output)) slot.done = *done;
    carry_out(session_.output(session, std::move(*output), Clock::now()));
  }
  if (slot.sync) session_.progress(session, slot.sync->progress());
}

void Loop::carry_out(Effects effects) {
  for (session::server::Effect& effect : effects)
    std::visit([this](auto& what) { on(what); }, effect);
}

void Loop::on(session::server::SendReply& effect) {
  if (!transport_.send_control(effect.peer, wire::encode(effect.reply)))
    carry_out(session_.on_disconnected(effect.peer, Clock::now()));
}

void Loop::on(session::server::SendCredit& effect) {
  if (!transport_.send_data(effect.peer, wire::encode(effect.head), Buffer()))
    carry_out(session_.on_disconnected(effect.peer, Clock::now()));
}

void Loop::on(session::server::Kick& effect) {
  observer_.notice(fmt::format("Disconnecting {}: {}", transport_.address_of(effect.peer), effect.reason));
  transport_.kick(effect.peer);
}

mirror::Sync* Loop::sync_of(session::SessionKey session) {
  Slot* const slot = slots_.of(session);
  return slot == nullptr ? nullptr : slot->sync.get();
}

void Loop::on(session::server::OpenSync& effect) {
  transport_.label(effect.peer, {effect.hello.mirror, effect.session});
  Slot* const slot = slots_.named(effect.hello.mirror);
  // The name is free for the session machine, but not the mirror: it still has a sync under its former name,
  // or its file system does not answer.
  if (slot == nullptr || slot->is_busy()) {
    const bool is_silent = slot != nullptr && slot->session == 0;
    refused(effect.session, effect.peer,
            is_silent
                ? silent_reply()
                : mirror::error_reply(wire::ErrorCode::busy, true, "the mirror is about to change its name"));
    return;
  }
  slots_.begin(*slot, effect.session);
  slot->peer = effect.peer;
  slot->data_peer = 0;
  slot->asked_name = effect.hello.mirror;
  slot->client_name.clear();
  slot->notes.clear();
  mirror::Limits limits;
  const std::optional<net::Identity> who = transport_.identity_of(effect.peer);
  if (!who) return refuse(*slot, revoked_reply());
  if (who->kind == net::Identity::Kind::key) {
    const Client* const client = guests_.client(who->key, SystemClock::now());
    const auto why = client == nullptr ? revoked_reply() : apply_rights(*client, effect.hello, slot->notes);
    if (why) return refuse(*slot, *why);
    slot->client_name = client->name;
    limits = client->rights.limits;
  }
  slot->source_id = effect.hello.source_id;
  mirror::Capacities capacities = capacities_;
  capacities.threads = capacities.threads.shared_by(slots_.sessions());
  begin(*slot, Slot::Work::opens, [this, slot, capacities, limits, hello = std::move(effect.hello)] {
    if (seen_ && !slot->client_name.empty()) seen_(slot->client_name);
    slot->opened = slot->mirror->open_sync(hello, limits);
    if (!*slot->opened) return;
    try {
      slot->made = slot->mirror->make_sync(capacities, wake_);
    } catch (...) {  // told below, as all that leaves this thread
      slot->mirror->close_sync(false);
      throw;
    }
  });
}

void Loop::on(session::server::Attached& effect) {
  Slot* const slot = slots_.of(effect.session);
  if (slot == nullptr) return;
  slot->data_peer = effect.peer;
  transport_.label(effect.peer, {slot->asked_name, effect.session});
  const std::optional<net::Identity> who = transport_.identity_of(effect.peer);
  if (who && who == transport_.identity_of(slot->peer)) return;
  observer_.warning(fmt::format("{} sends data for the session of {}, with another key",
                                transport_.address_of(effect.peer), transport_.address_of(slot->peer)));
  transport_.kick(effect.peer);
  carry_out(session_.on_disconnected(effect.peer, Clock::now()));
}

void Loop::refused(session::SessionKey session, session::Peer peer, wire::ErrorReply why) {
  carry_out(session_.refused(session, std::move(why), Clock::now()));
  transport_.unlabel(peer, session);
}

void Loop::opened(Slot& slot) {
  auto opening = *std::exchange(slot.opened, std::nullopt);
  if (!opening) return refuse(slot, std::move(opening).error());
  mirror::Observer& observer = slot.mirror->observer();
  std::string peer = transport_.address_of(slot.peer);
  if (!slot.client_name.empty()) peer = fmt::format("{} at {}", escape(slot.client_name), peer);
  observer.sync_started(peer, slot.source_id);
  slot.started = Clock::now();
  slot.done.reset();
  slot.list_announced = 0;
  for (const std::string& note : opening->notes)
    observer.notice(note);
  std::ranges::move(slot.notes, std::back_inserter(opening->notes));
  slot.sync = std::move(slot.made);
  carry_out(session_.opened(slot.session, *opening, Clock::now()));
}

void Loop::refuse(Slot& slot, wire::ErrorReply why) {
  slot.mirror->observer().notice(fmt::format("Refused {}: {}", transport_.address_of(slot.peer), why.text));
  const session::SessionKey session = slot.session;
  slots_.end(slot);
  refused(session, slot.peer, std::move(why));
}

void Loop::on(session::server::StartScan& effect) {
  if (mirror::Sync* const sync = sync_of(effect.session)) sync->start();
}

void Loop::on(session::server::ListRows& effect) {
  if (mirror::Sync* const sync = sync_of(effect.session))
    sync->list_rows(effect.number, std::move(effect.batch));
}

void Loop::on(session::server::ListDirectories& effect) {
  if (mirror::Sync* const sync = sync_of(effect.session))
    sync->list_directories(effect.number, std::move(effect.rows), effect.last);
}

void Loop::on(session::server::DigestRows& effect) {
  if (mirror::Sync* const sync = sync_of(effect.session)) sync->digests(std::move(effect.rows));
}

void Loop::on(session::server::FileFailed& effect) {
  if (mirror::Sync* const sync = sync_of(effect.session)) sync->file_failed(effect.fail);
}

void Loop::on(session::server::Proceed& effect) {
  if (mirror::Sync* const sync = sync_of(effect.session)) sync->plan_acknowledged();
}

void Loop::on(session::server::Deliver& effect) {
  mirror::Sync* const sync = sync_of(effect.session);
  if (sync == nullptr) return;
  const Result<void> taken = sync->data(std::move(effect.head), std::move(effect.payload));
  if (taken) return;
  const bool is_over = taken.error().code == Errc::permission;
  carry_out(session_.output(effect.session,
                            mirror::error_reply(is_over ? wire::ErrorCode::rights : wire::ErrorCode::protocol,
                                                false, taken.error().text()),
                            Clock::now()));
}

void Loop::on(session::server::CloseSync& effect) {
  Slot& slot = *slots_.of(effect.session);
  transport_.unlabel(slot.peer, slot.session);
  if (slot.data_peer != 0) transport_.unlabel(slot.data_peer, slot.session);
  if (slot.sync) slot.sync->stop();
  slot.took = Clock::now() - slot.started;
  slot.is_completed = effect.completed;
  slot.reason = std::move(effect.reason);
  begin(slot, Slot::Work::closes,
        [&mirror = *slot.mirror, is_done = slot.done.has_value(),
         sync = std::shared_ptr<mirror::Sync>(std::move(slot.sync))]() mutable {
          sync.reset();  // joins
          mirror.close_sync(is_done);
        });
}

void Loop::closed(Slot& slot) {
  mirror::Observer& observer = slot.mirror->observer();
  if (slot.is_completed && slot.done) {
    observer.sync_done(slot.done->stats, slot.done->tree_digest,
                       std::chrono::duration<double>(slot.took).count());
  } else {
    observer.sync_aborted(slot.reason);
  }
  const session::SessionKey session = slot.session;
  slots_.end(slot);
  take_options(slot);  // before the next one has its turn
  carry_out(session_.closed(session, Clock::now()));
}

void Loop::on(session::server::Notice& effect) {
  observer_.notice(effect.text);
}

void Loop::begin(Slot& slot, Slot::Work work, std::function<void()> what) {
  SSYNC_ASSERT(!slot.aside);
  slot.work = work;
  slot.is_abandoned = false;
  slot.aside = std::make_unique<Aside>(wake_, std::move(what), [&slot](std::string text) {
    if (slot.work == Slot::Work::opens)
      slot.opened = tl::unexpected(mirror::error_reply(wire::ErrorCode::internal, true, std::move(text)));
  });
}

void Loop::take_work(Slot& slot) {
  if (!slot.aside) return;
  if (!slot.aside->is_done()) {
    const bool opens = slot.work == Slot::Work::opens;
    if (opens && !slot.is_abandoned && slot.aside->age() >= wire::kIdle) abandon_work(slot);
    return;
  }
  slot.aside.reset();
  const Slot::Work done = std::exchange(slot.work, Slot::Work::none);
  if (std::exchange(slot.is_abandoned, false)) {
    const bool is_open = slot.opened && *slot.opened;
    slot.opened.reset();
    if (is_open) drop(slot);
    return;
  }
  if (done == Slot::Work::opens) return opened(slot);
  if (done == Slot::Work::closes) return closed(slot);
}

/// What was opened for nobody is put away.
void Loop::drop(Slot& slot) {
  begin(slot, Slot::Work::drops,
        [&mirror = *slot.mirror, sync = std::shared_ptr<mirror::Sync>(std::move(slot.made))]() mutable {
          sync.reset();
          mirror.close_sync(false);
        });
}

/// Ends the session without waiting for the work. The slot stays busy until the work comes back.
void Loop::abandon_work(Slot& slot) {
  slot.is_abandoned = true;
  slot.mirror->observer().warning(silent_reply().text);
  const session::SessionKey session = slot.session;
  slots_.end(slot);
  if (slot.work == Slot::Work::opens) return refused(session, slot.peer, silent_reply());
  carry_out(session_.closed(session, Clock::now()));
}

/// A mirror that is gone, or somebody else's, ends the sync also while every thread waits for it.
void Loop::watch_root(Slot& slot) {
  if (slot.work == Slot::Work::opens || slot.session == 0) return;  // the root is being opened; nobody waits
  const std::optional<Error> trouble = slot.mirror->trouble();
  if (!trouble) return;
  if (slot.aside) return abandon_work(slot);
  carry_out(session_.output(slot.session, mirror::error_reply(wire::ErrorCode::io, false, trouble->text()),
                            Clock::now()));
}

/// When nothing is done in the slot: it is removed if it is leaving, or gets its new options.
void Loop::take_options(Slot& slot) {
  if (slot.is_busy()) return;
  if (slot.is_leaving) {
    if (!slot.mirror) return slots_.erase(slot);
    begin(slot, Slot::Work::leaves,
          [mirror = std::shared_ptr<mirror::Mirror>(std::move(slot.mirror))]() mutable { mirror.reset(); });
    return;
  }
  if (std::exchange(slot.has_new_options, false))
    slot.mirror->set_options(slot.options.mirror, observer_.of_mirror(slot.options.name));
}

/// Whether the session machine gets to see it. What is not for a session is dealt with in here.
bool Loop::is_allowed(session::Peer peer, const wire::Request& request) {
  const std::optional<net::Identity> found = transport_.identity_of(peer);
  if (!found) return false;  // gone meanwhile
  const net::Identity& who = *found;
  const auto* const join = std::get_if<wire::Join>(&request.body);
  const auto refuse = [&](wire::ErrorCode code, std::string text) {
    carry_out(
        session_.refuse(peer, request.seq, mirror::error_reply(code, false, std::move(text)), Clock::now()));
    return false;
  };
  if (who.kind != net::Identity::Kind::key) {
    return join == nullptr ||
           refuse(wire::ErrorCode::state, "joining is for who was invited, with the token");
  }
  if (const Client* const client = guests_.client(who.key, SystemClock::now())) {
    return join == nullptr || refuse(wire::ErrorCode::state,
                                     fmt::format("this key is known here, as '{}'", escape(client->name)));
  }
  if (joining_.has(peer)) return refuse(wire::ErrorCode::state, "a request while joining");
  const Invitation* const invitation = guests_.invitation(who.key, SystemClock::now());
  if (invitation == nullptr) return refuse(wire::ErrorCode::revoked, revoked_reply().text);
  if (join == nullptr || !joining_.is_possible())
    return refuse(wire::ErrorCode::rights, "an invitation is for joining, and for nothing else");
  joining_.add({peer, request.seq, *invitation, net::PublicKey{join->key}});
  guests_.use_up(who.key);
  admit_(guests_.known_keys());
  return false;
}

void Loop::take_joined() {
  while (std::optional<Joining::Outcome> joined = joining_.take()) {
    const auto& [who, entered] = *joined;
    wire::Reply reply{who.seq, {}};
    if (entered) {
      guests_.add(*entered);
      admit_(guests_.known_keys());
      observer_.notice(fmt::format("'{}' has joined from {}, with the key {}", escape(entered->name),
                                   transport_.address_of(who.peer), net::fingerprint(who.key)));
      reply.body = wire::Joined{entered->name, transport_.data_port()};
    } else {
      observer_.warning(
          fmt::format("'{}' could not join: {}", escape(who.invitation.name), entered.error().text()));
      reply.body = mirror::error_reply(wire::ErrorCode::refused, false, entered.error().text());
    }
    session::server::SendReply send{who.peer, std::move(reply)};
    on(send);
    carry_out(session_.dismiss(
        who.peer, mirror::error_reply(wire::ErrorCode::revoked, false, "this invitation is used up"),
        Clock::now()));
  }
}

void Loop::set_clients(Clients clients) {
  const MutexLock lock(mutex_);
  wanted_clients_ = std::move(clients);
  wake_.signal();
}

void Loop::take_new_clients() {
  std::optional<Clients> wanted;
  {
    const MutexLock lock(mutex_);
    wanted.swap(wanted_clients_);
  }
  if (!wanted) return;
  guests_.set(*wanted);
  admit_(guests_.known_keys());
  looked_at_guests_ = {};
}

void Loop::dismiss_the_unwelcome() {
  const auto now = Clock::now();
  if (now - looked_at_guests_ < kLookAtGuests) return;
  looked_at_guests_ = now;
  const auto today = SystemClock::now();
  for (const net::PeerId peer : transport_.open_peers()) {
    if (!joining_.has(peer) && !guests_.is_welcome(transport_.identity_of(peer), today))
      carry_out(session_.dismiss(peer, revoked_reply(), now));
  }
}

void Loop::announce() {
  carry_out(session_.set_mirrors(slots_.offered(), Clock::now()));
}

void Loop::set_mirrors(std::vector<MirrorOptions> mirrors) {
  const MutexLock lock(mutex_);
  wanted_ = std::move(mirrors);
  wake_.signal();
}

void Loop::open_new_mirrors() {
  if (opening_) return;
  {
    const MutexLock lock(mutex_);
    if (!wanted_) return;
    opened_ = std::make_unique<Opened>();
    opened_->wanted = *std::exchange(wanted_, std::nullopt);
  }
  std::vector<MirrorOptions> fresh;
  std::ranges::copy_if(opened_->wanted, std::back_inserter(fresh), [this](const MirrorOptions& one) {
    return slots_.at(one.mirror.directory) == nullptr;
  });
  opening_ = std::make_unique<Aside>(
      wake_,
      [this, fresh = std::move(fresh)] {
        for (const MirrorOptions& one : fresh) {
          Result<std::unique_ptr<mirror::Mirror>> mirror = open_(one);
          if (!mirror) {
            opened_->failed = std::move(mirror).error();
            opened_->mirrors.clear();
            return;
          }
          opened_->mirrors.emplace_back(one, *std::move(mirror));
        }
      },
      [this](std::string text) {
        opened_->failed = Error{Errc::io, std::move(text)};
      });
}

void Loop::take_new_mirrors() {
  if (!opening_ || !opening_->is_done()) return;
  opening_.reset();
  const std::unique_ptr<Opened> opened = std::move(opened_);
  if (!opened->failed) return apply(std::move(*opened));
  observer_.warning(opened->failed->text() + ": the configuration stays as it was");
}

void Loop::apply(Opened opened) {
  for (Slot& slot : slots_.all()) {
    const auto stays = std::ranges::find_if(opened.wanted, [&](const MirrorOptions& one) {
      return one.mirror.directory == slot.options.mirror.directory;
    });
    if (stays == opened.wanted.end()) {
      if (!slot.is_leaving)
        slot.mirror->observer().notice("No mirror any more: " + escape(slot.options.mirror.directory));
      slot.is_leaving = true;
    } else if (!slot.is_leaving) {
      slot.options = *stays;
      slot.has_new_options = true;
    }
  }
  for (auto& [options, mirror] : opened.mirrors) {
    mirror->observer().notice("A new mirror: " + escape(options.mirror.directory));
    slots_.add(std::move(options), std::move(mirror));
  }
  announce();
  for (auto slot = slots_.all().begin(); slot != slots_.all().end();)
    take_options(*slot++);
}

}  // namespace ssync::serve
