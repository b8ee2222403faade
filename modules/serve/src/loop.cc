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

constexpr auto kTickMax = std::chrono::milliseconds(100);
/// Messages handled before the other sources have their turn.
constexpr int kBurst = 64;

session::server::Ids random_ids() {
  session::server::Ids ids;
  fill_random(ids.session);
  fill_random(std::as_writable_bytes(std::span(&ids.tag, 1)));
  return ids;
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
      wake_(parts.wake),
      observer_(parts.observer),
      open_(std::move(parts.open)),
      session_(std::move(config), random_ids) {}

Loop::~Loop() = default;

void Loop::add(MirrorOptions options, std::unique_ptr<mirror::Mirror> mirror) {
  rooms_.add(std::move(options), std::move(mirror));
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
    for (Room* const room : rooms_.busy()) {
      if (!room->aside) continue;
      is_at_work = true;
      room->aside->join();
      take_room(*room);
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
  for (Room* const room : rooms_.busy())
    take_room(*room);
  take_new_mirrors();
  open_new_mirrors();
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

void Loop::take_room(Room& room) {
  take_work(room);
  watch_root(room);
  take_sync(room);
  take_options(room);
}

/// Passes on what the running sync has to say.
void Loop::take_sync(Room& room) {
  if (!room.sync) return;
  const session::SessionKey session = room.session;
  room.sync->flush();
  while (room.sync && room.list_announced < room.sync->list_taken())
    carry_out(session_.list_taken(session, room.list_announced++, Clock::now()));
  if (!room.sync) return;
  if (const std::uint64_t bytes = room.sync->take_credit(); bytes > 0)
    carry_out(session_.credit_returned(session, bytes, Clock::now()));
  while (room.sync && session_.output_room(session)) {
    std::optional<session::server::Output> output = room.sync->poll_output();
    if (!output) break;
    if (const auto* done = std::get_if<wire::SyncDone>(&*output)) room.done = *done;
    carry_out(session_.output(session, std::move(*output), Clock::now()));
  }
  if (room.sync) session_.progress(session, room.sync->progress());
}

void Loop::carry_out(Effects effects) {
  for (session::server::Effect& effect : effects)
    std::visit([this](auto& what) { on(what); }, effect);
}

void Loop::on(session::server::SendReply& effect) {
  if (!transport_.send_control(effect.peer, wire::encode(effect.reply)))
    carry_out(session_.on_lost(effect.peer, Clock::now()));
}

void Loop::on(session::server::SendCredit& effect) {
  if (!transport_.send_data(effect.peer, wire::encode(effect.head), Buffer()))
    carry_out(session_.on_lost(effect.peer, Clock::now()));
}

void Loop::on(session::server::Kick& effect) {
  observer_.notice(fmt::format("Disconnecting {}: {}", transport_.address_of(effect.peer), effect.reason));
  transport_.kick(effect.peer);
}

mirror::Sync* Loop::sync_of(session::SessionKey session) {
  Room* const room = rooms_.of(session);
  return room == nullptr ? nullptr : room->sync.get();
}

void Loop::on(session::server::OpenSync& effect) {
  transport_.label(effect.peer, {effect.hello.mirror, effect.session});
  Room* const room = rooms_.named(effect.hello.mirror);
  // The name is free for the session machine, but not the mirror: it still has a sync under its former name,
  // or its file system does not answer.
  if (room == nullptr || room->is_busy()) {
    const bool is_silent = room != nullptr && room->session == 0;
    refused(effect.session, effect.peer,
            is_silent
                ? silent_reply()
                : mirror::error_reply(wire::ErrorCode::busy, true, "the mirror is about to change its name"));
    return;
  }
  rooms_.begin(*room, effect.session);
  room->peer = effect.peer;
  room->data_peer = 0;
  room->asked_name = effect.hello.mirror;
  room->source_id = effect.hello.source_id;
  begin(*room, Room::Work::opens,
        [room, hello = std::move(effect.hello)] { room->opened = room->mirror->open_sync(hello); });
}

void Loop::on(session::server::Attached& effect) {
  Room* const room = rooms_.of(effect.session);
  if (room == nullptr) return;
  room->data_peer = effect.peer;
  transport_.label(effect.peer, {room->asked_name, effect.session});
}

void Loop::refused(session::SessionKey session, session::Peer peer, wire::ErrorReply why) {
  carry_out(session_.refused(session, std::move(why), Clock::now()));
  transport_.unlabel(peer, session);
}

void Loop::opened(Room& room) {
  auto opening = *std::exchange(room.opened, std::nullopt);
  if (!opening) return refuse(room, std::move(opening).error());
  mirror::Observer& observer = room.mirror->observer();
  observer.sync_started(transport_.address_of(room.peer), room.source_id);
  room.started = Clock::now();
  room.done.reset();
  room.list_announced = 0;
  for (const std::string& note : opening->notes)
    observer.notice(note);
  mirror::Capacities capacities = capacities_;
  capacities.threads = std::max(1U, capacities.threads / static_cast<unsigned>(rooms_.sessions()));
  room.sync = room.mirror->make_sync(capacities, wake_);
  carry_out(session_.opened(room.session, *opening, Clock::now()));
}

void Loop::refuse(Room& room, wire::ErrorReply why) {
  room.mirror->observer().notice(fmt::format("Refused {}: {}", transport_.address_of(room.peer), why.text));
  const session::SessionKey session = room.session;
  rooms_.end(room);
  refused(session, room.peer, std::move(why));
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
  carry_out(session_.output(effect.session,
                            mirror::error_reply(wire::ErrorCode::protocol, false, taken.error().text()),
                            Clock::now()));
}

void Loop::on(session::server::CloseSync& effect) {
  Room& room = *rooms_.of(effect.session);
  transport_.unlabel(room.peer, room.session);
  if (room.data_peer != 0) transport_.unlabel(room.data_peer, room.session);
  if (room.sync) room.sync->stop();
  room.took = Clock::now() - room.started;
  room.is_completed = effect.completed;
  room.reason = std::move(effect.reason);
  begin(room, Room::Work::closes,
        [&mirror = *room.mirror, is_done = room.done.has_value(),
         sync = std::shared_ptr<mirror::Sync>(std::move(room.sync))]() mutable {
          sync.reset();  // joins
          mirror.close_sync(is_done);
        });
}

void Loop::closed(Room& room) {
  mirror::Observer& observer = room.mirror->observer();
  if (room.is_completed && room.done) {
    observer.sync_done(room.done->stats, room.done->tree_digest,
                       std::chrono::duration<double>(room.took).count());
  } else {
    observer.sync_aborted(room.reason);
  }
  const session::SessionKey session = room.session;
  rooms_.end(room);
  take_options(room);  // before the next one has its turn
  carry_out(session_.closed(session, Clock::now()));
}

void Loop::on(session::server::Notice& effect) {
  observer_.notice(effect.text);
}

void Loop::begin(Room& room, Room::Work work, std::function<void()> what) {
  SSYNC_ASSERT(!room.aside);
  room.work = work;
  room.is_abandoned = false;
  room.aside = std::make_unique<Aside>(wake_, std::move(what), [&room](std::string text) {
    if (room.work == Room::Work::opens)
      room.opened = tl::unexpected(mirror::error_reply(wire::ErrorCode::internal, true, std::move(text)));
  });
}

void Loop::take_work(Room& room) {
  if (!room.aside) return;
  if (!room.aside->is_done()) {
    const bool opens = room.work == Room::Work::opens;
    if (opens && !room.is_abandoned && room.aside->age() >= wire::kIdle) abandon_work(room);
    return;
  }
  room.aside.reset();
  const Room::Work done = std::exchange(room.work, Room::Work::none);
  if (std::exchange(room.is_abandoned, false)) {
    if (room.opened && *room.opened) room.mirror->close_sync(false);
    room.opened.reset();
    return;
  }
  if (done == Room::Work::opens) return opened(room);
  if (done == Room::Work::closes) return closed(room);
}

/// Ends the session without waiting for the work. The room stays busy until the work comes back.
void Loop::abandon_work(Room& room) {
  room.is_abandoned = true;
  room.mirror->observer().warning(silent_reply().text);
  const session::SessionKey session = room.session;
  rooms_.end(room);
  if (room.work == Room::Work::opens) return refused(session, room.peer, silent_reply());
  carry_out(session_.closed(session, Clock::now()));
}

/// A mirror that is gone, or somebody else's, ends the sync also while every thread waits for it.
void Loop::watch_root(Room& room) {
  if (room.work == Room::Work::opens || room.session == 0) return;  // the root is being opened; nobody waits
  const std::optional<Error> trouble = room.mirror->trouble();
  if (!trouble) return;
  if (room.aside) return abandon_work(room);
  carry_out(session_.output(room.session, mirror::error_reply(wire::ErrorCode::io, false, trouble->text()),
                            Clock::now()));
}

/// When nothing is done in the room: it is removed if it is leaving, or gets its new options.
void Loop::take_options(Room& room) {
  if (room.is_busy()) return;
  if (room.is_leaving) {
    if (!room.mirror) return rooms_.erase(room);
    begin(room, Room::Work::leaves,
          [mirror = std::shared_ptr<mirror::Mirror>(std::move(room.mirror))]() mutable { mirror.reset(); });
    return;
  }
  if (std::exchange(room.has_new_options, false))
    room.mirror->set_options(room.options.mirror, observer_.of_mirror(room.options.name));
}

void Loop::announce() {
  carry_out(session_.set_mirrors(rooms_.listings(), Clock::now()));
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
    return rooms_.at(one.mirror.directory) == nullptr;
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
  for (Room& room : rooms_.all()) {
    const auto stays = std::ranges::find_if(opened.wanted, [&](const MirrorOptions& one) {
      return one.mirror.directory == room.options.mirror.directory;
    });
    if (stays == opened.wanted.end()) {
      if (!room.is_leaving)
        room.mirror->observer().notice("No mirror any more: " + escape(room.options.mirror.directory));
      room.is_leaving = true;
    } else if (!room.is_leaving) {
      room.options = *stays;
      room.has_new_options = true;
    }
  }
  for (auto& [options, mirror] : opened.mirrors) {
    mirror->observer().notice("A new mirror: " + escape(options.mirror.directory));
    rooms_.add(std::move(options), std::move(mirror));
  }
  announce();
  for (auto room = rooms_.all().begin(); room != rooms_.all().end();)
    take_options(*room++);
}

}  // namespace ssync::serve
