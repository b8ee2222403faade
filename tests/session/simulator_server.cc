#include <algorithm>
#include <utility>

#include "rig.h"
#include "simulator.h"

namespace ssync::session::simulator {
namespace {

constexpr std::uint64_t kWindow = 8000;

server::Config config_of() {
  server::Config config;
  config.program = "model";
  config.window_bytes = kWindow;
  config.least_window_bytes = kWindow / 2;
  config.outputs_max = 2;
  return config;
}

}  // namespace

ServerHost::ServerHost(World& world)
    : world_(world),
      machine_(config_of(),
               [this] {
                 ++ids_;
                 return server::Ids{session_id(ids_), world_.pick(1000)};
               }),
      inbox_(world.calendar) {}

void ServerHost::start() {
  tick();
}

void ServerHost::tick() {
  world_.calendar.in(milliseconds(100), [self = shared_from_this()] {
    if (self->stopped_) return;
    self->turn([self] {
      self->carry_out(self->machine_.on_tick(self->world_.calendar.now()));
      if (self->sync_) self->pump(*self->sync_);
      self->tick();
    });
  });
}

void ServerHost::turn(std::function<void()> what) {
  inbox_.run([this, what = std::move(what)] {
    if (!stopped_) what();
  });
}

void ServerHost::later(std::function<void(Sync&)> what) {
  sync_->work.send([self = shared_from_this(), sync = std::weak_ptr(sync_), what = std::move(what)] {
    self->turn([self, sync, what] {
      const std::shared_ptr<Sync> open = sync.lock();
      if (!open || open != self->sync_) return;
      what(*open);
      if (open == self->sync_) self->pump(*open);
    });
  });
}

void ServerHost::stop() {
  carry_out(machine_.shutdown(world_.calendar.now()));
  sync_.reset();
  stopped_ = true;
}

void ServerHost::request(const std::shared_ptr<Link>& link, wire::Frames frames) {
  if (link->broken || stopped_) return;
  auto shared = std::make_shared<wire::Frames>(std::move(frames));
  turn([self = shared_from_this(), link, shared] {
    Result<wire::Request> request = wire::decode_request(std::move(*shared));
    if (!request) return self->world_.complain(request.error().text());
    self->links_[link->control] = link;
    self->replied_[link->control][request->seq] = false;
    self->carry_out(
        self->machine_.on_request(link->control, std::move(*request), self->world_.calendar.now()));
  });
}

void ServerHost::data(const std::shared_ptr<Link>& link, wire::DataHead head, std::size_t payload_bytes,
                      wire::SessionId key) {
  if (link->broken || stopped_) return;
  turn([self = shared_from_this(), link, head = std::move(head), payload_bytes, key] {
    self->links_[link->data] = link;
    std::size_t head_bytes = wire::kDataHeaderBytes;
    for (const wire::Segment& segment : head.segments)
      head_bytes += wire::table_bytes(segment);
    self->carry_out(self->machine_.on_data(link->data, head, head_bytes, payload_bytes, key,
                                           self->world_.calendar.now()));
  });
}

void ServerHost::lost(Peer peer) {
  replied_.erase(peer);
  links_.erase(peer);
  carry_out(machine_.on_lost(peer, world_.calendar.now()));
}

void ServerHost::carry_out(server::Effects effects) {
  for (server::Effect& effect : effects)
    std::visit([this](auto& what) { on(what); }, effect);
}

// ---- effects
// --------------------------------------------------------------------------------------------------------

void ServerHost::on(server::SendReply& effect) {
  const auto known = links_.find(effect.peer);
  if (known == links_.end()) return;  // lost a moment ago
  const std::shared_ptr<Link> link = known->second;
  auto& replied = replied_[effect.peer];
  const auto request = replied.find(effect.reply.seq);
  if (request == replied.end() || request->second)
    return world_.complain("a reply to no request, or a second one");
  request->second = true;
  if (link->broken) {
    if (world_.chance(70)) lost(effect.peer);  // sending fails, or does not yet
    return;
  }
  auto reply = std::make_shared<wire::Reply>(std::move(effect.reply));
  link->control_down.send([link, reply] {
    const auto client = link->client.lock();
    if (client && !link->broken) client->reply(link->attempt, std::move(*reply));
  });
}

void ServerHost::on(server::SendCredit& effect) {
  const auto known = links_.find(effect.peer);
  if (known == links_.end()) return;
  const std::shared_ptr<Link> link = known->second;
  if (link->broken) {
    if (world_.chance(70)) lost(effect.peer);
    return;
  }
  link->data_down.send([link, head = effect.head] {
    const auto client = link->client.lock();
    if (client && !link->broken) client->credit(link->attempt, head);
  });
}

void ServerHost::on(server::Kick& effect) {
  const auto known = links_.find(effect.peer);
  if (known == links_.end()) return;
  const std::shared_ptr<Link> link = known->second;
  for (const auto& [seq, done] : replied_[effect.peer]) {
    if (!done) world_.complain("kicked with request " + std::to_string(seq) + " unanswered");
  }
  links_.erase(effect.peer);
  replied_.erase(effect.peer);
  link->control_down.send([link] {
    if (const auto client = link->client.lock()) client->lost(link->attempt);
  });
}

void ServerHost::on(server::OpenSync& effect) {
  if (sync_) world_.complain("two syncs are open");
  sync_ = std::make_shared<Sync>(world_);
  sync_->control = effect.peer;
  sync_->client = static_cast<std::uint8_t>(effect.hello.client[0]);
  later([this](Sync&) {
    if (world_.trouble(50)) {
      sync_.reset();
      return carry_out(machine_.refused({kIo, true, "not now"}, world_.calendar.now()));
    }
    carry_out(machine_.opened(server::Opening{}, world_.calendar.now()));
  });
}

void ServerHost::on(server::StartScan&) {}

void ServerHost::on(server::ListRows& effect) {
  if (!sync_) return;  // a reply of the same answer found the connection broken
  for (const Row& row : effect.batch.rows)
    sync_->rows.push_back(row.values.size);
  later([this, number = effect.number, last = effect.batch.last](Sync& sync) {
    carry_out(machine_.list_taken(number, world_.calendar.now()));
    if (last && &sync == sync_.get()) compare(sync);
  });
}

void ServerHost::on(server::ListDirectories& /*effect*/) {
  world_.complain("directories that were not offered");
}

/// Some rows' contents are asked about first, as a planner would.
void ServerHost::compare(Sync& sync) {
  sync.listed = true;
  const auto& held = world_.mirror[sync.client];
  wire::DigestRequest questions;
  for (RowId row = 1; row < sync.rows.size(); ++row) {
    const auto known = held.find(row);
    if (known == held.end() || known->second != sync.rows[row])
      sync.wanted.push_back(row);
    else if (world_.chance(30))
      questions.rows.push_back({"", "f" + std::to_string(100'000 + row), row, false});
  }
  sync.questions_open = questions.rows.size();
  if (questions.rows.empty()) return plan(sync);
  say(sync, std::move(questions));
}

void ServerHost::on(server::DigestRows& effect) {
  if (!sync_) return;  // a reply of the same answer found the connection broken
  if (effect.rows.size() > sync_->questions_open) return world_.complain("digests without a question");
  sync_->questions_open -= effect.rows.size();
  if (sync_->questions_open == 0) later([this](Sync& sync) { plan(sync); });
}

void ServerHost::plan(Sync& sync) {
  say(sync, wire::Plan{});
}

void ServerHost::on(server::Proceed&) {
  if (!sync_) return;  // likewise
  if (!sync_->listed || std::exchange(sync_->proceeded, true))
    return world_.complain("proceed twice, or too early");
  later([this](Sync& sync) { request_files(sync); });
}

void ServerHost::request_files(Sync& sync) {
  sync.files_open = sync.wanted.size();
  while (sync.requested < sync.wanted.size()) {
    std::vector<RowId> rows;
    for (std::uint64_t i = 1 + world_.pick(3); i > 0 && sync.requested < sync.wanted.size(); --i) {
      rows.push_back(sync.wanted[sync.requested++]);
    }
    say(sync, request_rows(rows));
  }
  if (sync.files_open == 0) say(sync, done());
}

void ServerHost::file_ended(Sync& sync, RowId row) {
  sync.arriving.erase(row);
  if (world_.chance(30)) say(sync, changes());
  if (--sync.files_open == 0) say(sync, done());
}

void ServerHost::on(server::FileFailed& effect) {
  if (!sync_) return;
  file_ended(*sync_, effect.fail.row);
}

void ServerHost::on(server::Deliver& effect) {
  if (!sync_) return world_.complain("data without a sync");
  std::uint64_t bytes = wire::kDataHeaderBytes + wire::kMessageCharge;
  for (const wire::Segment& segment : effect.head.segments)
    bytes += wire::table_bytes(segment) + segment.length;
  sync_->unreturned += bytes;
  if (sync_->unreturned > kWindow) return world_.complain("more data than the window");
  if (sync_->failed) return;  // what is still on its way is for nobody
  if (world_.trouble(20)) {
    sync_->failed = true;
    return say(*sync_, failure());
  }
  later([this, head = effect.head, bytes](Sync& sync) {
    for (const wire::Segment& segment : head.segments) {
      if (sync.arriving[segment.row] != segment.offset) return world_.complain("segments out of order");
      sync.arriving[segment.row] += segment.length;
      if (!segment.last) continue;
      world_.mirror[sync.client][segment.row] = sync.arriving[segment.row];
      file_ended(sync, segment.row);
    }
    sync.unreturned -= bytes;
    carry_out(machine_.credit_returned(bytes, world_.calendar.now()));
  });
}

void ServerHost::on(server::CloseSync& effect) {
  if (!sync_) return world_.complain("closed twice");
  for (const auto& [seq, replied] : replied_[sync_->control]) {
    if (!replied) world_.complain("closed with request " + std::to_string(seq) + " unanswered");
  }
  if (effect.completed && sync_->files_open != 0) world_.complain("complete with files missing");
  sync_.reset();
  carry_out(machine_.closed(world_.calendar.now()));
}

void ServerHost::say(Sync& sync, server::Output output) {
  sync.outputs.push_back(std::move(output));
}

void ServerHost::pump(Sync& sync) {
  while (&sync == sync_.get() && !sync.outputs.empty() && machine_.output_room()) {
    server::Output output = std::move(sync.outputs.front());
    sync.outputs.pop_front();
    carry_out(machine_.output(std::move(output), world_.calendar.now()));
  }
}

}  // namespace ssync::session::simulator
