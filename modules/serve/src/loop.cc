#include "loop.h"

#include <algorithm>
#include <array>
#include <chrono>
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

Loop::Loop(const Options& options, Room& room, net::ServerTransport& transport, EventFd& wake,
           Observer& observer)
    : options_(options),
      room_(room),
      transport_(transport),
      wake_(wake),
      observer_(observer),
      session_(session::server::Config{options.program}, random_ids) {
  carry_out(session_.set_mirrors({{}}, Clock::now()));
}

Loop::~Loop() = default;

void Loop::stop() noexcept {
  stopping_.store(true);
  wake_.signal();
}

Result<void> Loop::run(const Watched& watched) {
  while (!stopping_.load())
    SSYNC_TRY_VOID(turn(watched));
  carry_out(session_.shutdown(Clock::now()));
  if (room_.aside) {
    room_.aside->join();
    take_work();
  }
  room_.sync.reset();
  return {};
}

Result<void> Loop::turn(const Watched& watched) {
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
  take_work();
  watch_root();
  take_sync();
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

/// What the running sync has to say.
void Loop::take_sync() {
  if (!room_.sync) return;
  room_.sync->flush();
  while (room_.sync && room_.list_announced < room_.sync->list_taken())
    carry_out(session_.list_taken(room_.session, room_.list_announced++, Clock::now()));
  if (!room_.sync) return;
  if (const std::uint64_t bytes = room_.sync->take_credit(); bytes > 0)
    carry_out(session_.credit_returned(room_.session, bytes, Clock::now()));
  while (room_.sync && session_.output_room(room_.session)) {
    std::optional<session::server::Output> output = room_.sync->poll_output();
    if (!output) break;
    if (const auto* done = std::get_if<wire::SyncDone>(&*output)) room_.done = *done;
    carry_out(session_.output(room_.session, std::move(*output), Clock::now()));
  }
  if (room_.sync) session_.progress(room_.session, room_.sync->progress());
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

void Loop::on(session::server::OpenSync& effect) {
  room_.session = effect.session;
  if (room_.aside) {  // abandoned, and still on its way
    carry_out(session_.refused(room_.session, silent_reply(), Clock::now()));
    return;
  }
  room_.peer = effect.peer;
  room_.source_id = effect.hello.source_id;
  begin(Room::Work::opens,
        [this, hello = std::move(effect.hello)] { room_.opened = room_.mirror->open_sync(hello); });
}

void Loop::opened() {
  const auto opening = *std::exchange(room_.opened, std::nullopt);
  mirror::Observer& observer = room_.mirror->observer();
  const std::string peer = transport_.address_of(room_.peer);
  if (!opening) {
    observer.notice(fmt::format("Refused {}: {}", peer, opening.error().text));
    carry_out(session_.refused(room_.session, opening.error(), Clock::now()));
    return;
  }
  observer.sync_started(peer, room_.source_id);
  room_.started = Clock::now();
  room_.done.reset();
  room_.list_announced = 0;
  for (const std::string& note : opening->notes)
    observer.notice(note);
  room_.sync = room_.mirror->make_sync(options_.capacities, wake_);
  carry_out(session_.opened(room_.session, *opening, Clock::now()));
}

void Loop::on(session::server::StartScan&) {
  if (room_.sync) room_.sync->start();
}

void Loop::on(session::server::ListRows& effect) {
  if (room_.sync) room_.sync->list_rows(effect.number, std::move(effect.batch));
}

void Loop::on(session::server::ListDirectories& effect) {
  if (room_.sync) room_.sync->list_directories(effect.number, std::move(effect.rows), effect.last);
}

void Loop::on(session::server::DigestRows& effect) {
  if (room_.sync) room_.sync->digests(std::move(effect.rows));
}

void Loop::on(session::server::FileFailed& effect) {
  if (room_.sync) room_.sync->file_failed(effect.fail);
}

void Loop::on(session::server::Proceed&) {
  if (room_.sync) room_.sync->plan_acknowledged();
}

void Loop::on(session::server::Deliver& effect) {
  if (!room_.sync) return;
  const Result<void> taken = room_.sync->data(std::move(effect.head), std::move(effect.payload));
  if (!taken) {
    carry_out(session_.output(room_.session,
                              mirror::error_reply(wire::ErrorCode::protocol, false, taken.error().text()),
                              Clock::now()));
  }
}

void Loop::on(session::server::CloseSync& effect) {
  if (room_.sync) room_.sync->stop();
  room_.took = Clock::now() - room_.started;
  room_.is_completed = effect.completed;
  room_.reason = std::move(effect.reason);
  begin(Room::Work::closes, [&mirror = *room_.mirror, is_done = room_.done.has_value(),
                             sync = std::shared_ptr<mirror::Sync>(std::move(room_.sync))]() mutable {
    sync.reset();  // joins
    mirror.close_sync(is_done);
  });
}

void Loop::closed() {
  mirror::Observer& observer = room_.mirror->observer();
  if (room_.is_completed && room_.done) {
    observer.sync_done(room_.done->stats, room_.done->tree_digest,
                       std::chrono::duration<double>(room_.took).count());
  } else {
    observer.sync_aborted(room_.reason);
  }
  carry_out(session_.closed(room_.session, Clock::now()));
}

void Loop::on(session::server::Notice& effect) {
  observer_.notice(effect.text);
}

void Loop::begin(Room::Work work, std::function<void()> what) {
  SSYNC_ASSERT(!room_.aside);
  room_.work = work;
  room_.is_abandoned = false;
  room_.aside = std::make_unique<Aside>(wake_, std::move(what), [this](std::string text) {
    if (room_.work == Room::Work::opens)
      room_.opened = tl::unexpected(mirror::error_reply(wire::ErrorCode::internal, true, std::move(text)));
  });
}

void Loop::take_work() {
  if (!room_.aside) return;
  if (!room_.aside->is_done()) {
    const bool opens = room_.work == Room::Work::opens;
    if (opens && !room_.is_abandoned && room_.aside->age() >= wire::kIdle) abandon_work();
    return;
  }
  room_.aside.reset();
  const Room::Work done = std::exchange(room_.work, Room::Work::none);
  if (std::exchange(room_.is_abandoned, false)) {
    if (room_.opened && *room_.opened) room_.mirror->close_sync(false);
    room_.opened.reset();
    return;
  }
  if (done == Room::Work::opens) return opened();
  closed();
}

void Loop::abandon_work() {
  room_.is_abandoned = true;
  room_.mirror->observer().warning(silent_reply().text);
  carry_out(room_.work == Room::Work::opens ? session_.refused(room_.session, silent_reply(), Clock::now())
                                            : session_.closed(room_.session, Clock::now()));
}

/// A mirror that is gone, or somebody else's, ends the sync also while every thread waits for it.
void Loop::watch_root() {
  if (room_.work == Room::Work::opens || room_.is_abandoned) return;  // the root is being opened
  if (!room_.sync && !room_.aside) return;
  const std::optional<Error> trouble = room_.mirror->trouble();
  if (!trouble) return;
  if (room_.aside) return abandon_work();
  carry_out(session_.output(room_.session, mirror::error_reply(wire::ErrorCode::io, false, trouble->text()),
                            Clock::now()));
}

}  // namespace ssync::serve
