#include <algorithm>
#include <utility>

#include "rig.h"
#include "simulator.h"

namespace ssync::session::simulator {
namespace {

constexpr std::uint64_t kWindow = 8000;

server::Config config_of(const World& world) {
  server::Config config;
  config.program = "model";
  config.syncs_max = world.syncs_max;
  config.window_bytes = kWindow;
  config.least_window_bytes = kWindow / 2;
  config.outputs_max = 2;
  return config;
}

std::size_t payload_bytes_of(const wire::DataHead& head) {
  std::size_t bytes = 0;
  for (const wire::Segment& segment : head.segments)
    bytes += segment.length;
  return bytes;
}

}  // namespace

ServerHost::ServerHost(World& world)
    : world_(world),
      machine_(config_of(world),
               [this] {
                 wire::SessionId id = session_id(++ids_);
                 for (std::size_t i = 8; i < id.size(); ++i)
                   id[i] = static_cast<std::byte>(world_.pick(256));
                 return server::Ids{id, world_.pick(1000)};
               }),
      inbox_(world.calendar) {
  set_mirrors();
}

void ServerHost::set_mirrors() {
  std::vector<server::OfferedMirror> offered;
  for (const std::string& name : world_.mirrors)
    offered.push_back({name, ""});
  turns_changed_ = world_.calendar.now();
  carry_out(machine_.set_mirrors(std::move(offered), world_.calendar.now()));
}

void ServerHost::start() {
  tick();
}

void ServerHost::tick() {
  world_.calendar.in(milliseconds(100), [self = shared_from_this()] {
    if (self->stopped_) return;
    self->turn([self] {
      self->carry_out(self->machine_.on_tick(self->world_.calendar.now()));
      const auto syncs = self->syncs_;  // what one says may end it
      for (const auto& [key, sync] : syncs)
        self->pump(*sync);
      self->check_patience();
      self->tick();
    });
  });
}

void ServerHost::turn(std::function<void()> what) {
  inbox_.run([this, what = std::move(what)] {
    if (!stopped_) what();
  });
}

std::shared_ptr<ServerHost::Sync> ServerHost::find(SessionKey key) const {
  const auto found = syncs_.find(key);
  return found == syncs_.end() ? nullptr : found->second;
}

void ServerHost::later(Sync& sync, std::function<void(Sync&)> what) {
  sync.work.send([self = shared_from_this(), key = sync.key, what = std::move(what)] {
    self->turn([self, key, what] {
      const std::shared_ptr<Sync> open = self->find(key);
      if (!open) return;
      what(*open);
      self->pump(*open);
    });
  });
}

void ServerHost::check_patience() {
  const server::Config config = config_of(world_);
  const Time now = world_.calendar.now();
  const bool is_full = config.syncs_max != 0 && syncs_.size() >= config.syncs_max;
  // Each client that stays away may keep a turn for a moment, once.
  const auto keeping = config.recall * (world_.clients.size() + intruders_) + milliseconds(200);
  for (const auto& [peer, requests] : asked_) {
    for (const auto& [seq, asked] : requests) {
      if (asked.replied || (!asked.waits_for_turn && !asked.polls)) continue;
      if (now - asked.at >= config.heartbeat) world_.complain("a request without its reply");
      const bool is_free =
          std::none_of(syncs_.begin(), syncs_.end(),
                       [&mirror = asked.mirror](const auto& sync) { return sync.second->mirror == mirror; });
      if (asked.waits_for_turn && is_free && !is_full && now - std::max(asked.at, turns_changed_) > keeping)
        world_.complain("a turn is free and a client waits");
    }
  }
}

void ServerHost::stop() {
  carry_out(machine_.shutdown(world_.calendar.now()));
  syncs_.clear();
  stopped_ = true;
}

void ServerHost::request(const std::shared_ptr<Link>& link, wire::Frames frames) {
  if (link->broken || stopped_) return;
  auto shared = std::make_shared<wire::Frames>(std::move(frames));
  turn([self = shared_from_this(), link, shared] {
    Result<wire::Request> request = wire::decode_request(std::move(*shared));
    if (!request) return self->world_.complain(request.error().text());
    self->links_[link->control] = link;
    Asked& asked = self->asked_[link->control][request->seq];
    asked.at = self->world_.calendar.now();
    asked.polls = std::holds_alternative<wire::Next>(request->body);
    if (const auto* hello = std::get_if<wire::Hello>(&request->body)) {
      asked.waits_for_turn = true;
      asked.mirror = hello->mirror;
    }
    self->carry_out(
        self->machine_.on_request(link->control, std::move(*request), self->world_.calendar.now()));
  });
}

void ServerHost::data(const std::shared_ptr<Link>& link, wire::DataHead head, std::size_t payload_bytes,
                      wire::SessionId id) {
  if (link->broken || stopped_) return;
  turn([self = shared_from_this(), link, head = std::move(head), payload_bytes, id] {
    self->links_[link->data] = link;
    std::size_t head_bytes = wire::kDataHeaderBytes;
    for (const wire::Segment& segment : head.segments)
      head_bytes += wire::table_bytes(segment);
    Buffer payload =
        head.type == wire::DataType::attach ? Buffer::copy_of(id) : Buffer::allocate(payload_bytes);
    self->carry_out(self->machine_.on_data(link->data, head, head_bytes, std::move(payload),
                                           self->world_.calendar.now()));
  });
}

void ServerHost::intrude() {
  turn([self = shared_from_this()] { self->intrude_now(self->world_.new_peer()); });
}

/// Nobody reads what it is told, so its requests are not among those that are waited for.
void ServerHost::intrude_now(Peer peer) {
  const Time now = world_.calendar.now();
  wire::Hello hello = hello_of(static_cast<std::uint8_t>(200 + ++intruders_));
  hello.mirror = world_.mirrors.empty() || world_.chance(20)
                     ? "nowhere"
                     : world_.mirrors[world_.pick(world_.mirrors.size())];
  std::uint32_t seq = 0;
  const auto say = [&](wire::RequestBody body) {
    carry_out(machine_.on_request(peer, wire::Request{++seq, {}, std::move(body)}, now));
  };
  const Error bad{Errc::protocol, "bad bytes", 0};
  switch (world_.pick(7)) {
    case 0:
      return say(hello);
    case 1:
      say(hello), say(hello), say(hello);
      return;
    case 2:
      say(hello);
      return carry_out(machine_.on_malformed(peer, ++seq, bad, now));
    case 3:
      say(hello);
      return say(wire::Next{7});
    case 4:
      say(wire::AskMirrors{});
      return say(hello);
    case 5:
      say(hello);
      return carry_out(machine_.on_disconnected(peer, now));
    default:
      wire::DataHead attach;
      attach.type = wire::DataType::attach;
      carry_out(machine_.on_data(peer, attach, wire::kDataHeaderBytes, Buffer::copy_of(session_id(1)), now));
      return carry_out(machine_.on_malformed_data(peer, bad, now));
  }
}

void ServerHost::lost(Peer peer) {
  asked_.erase(peer);
  links_.erase(peer);
  carry_out(machine_.on_disconnected(peer, world_.calendar.now()));
}

void ServerHost::carry_out(server::Effects effects) {
  for (server::Effect& effect : effects)
    std::visit([this](auto& what) { on(what); }, effect);
}

void ServerHost::on(server::SendReply& effect) {
  const auto known = links_.find(effect.peer);
  if (known == links_.end()) return;  // lost a moment ago
  const std::shared_ptr<Link> link = known->second;
  auto& requests = asked_[effect.peer];
  const auto request = requests.find(effect.reply.seq);
  if (request == requests.end() || request->second.replied)
    return world_.complain("a reply to no request, or a second one");
  request->second.replied = true;
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
  for (const auto& [seq, asked] : asked_[effect.peer]) {
    if (!asked.replied) world_.complain("kicked with request " + std::to_string(seq) + " unanswered");
  }
  links_.erase(effect.peer);
  asked_.erase(effect.peer);
  link->control_down.send([link] {
    if (const auto client = link->client.lock()) client->lost(link->attempt);
  });
}

void ServerHost::on(server::OpenSync& effect) {
  for (const auto& [key, other] : syncs_) {
    if (other->mirror == effect.hello.mirror) world_.complain("two syncs on one mirror");
  }
  if (world_.syncs_max != 0 && syncs_.size() >= world_.syncs_max) world_.complain("more syncs than may be");
  const auto sync = std::make_shared<Sync>(world_, effect.session);
  if (!syncs_.emplace(effect.session, sync).second) world_.complain("a key twice");
  turns_changed_ = world_.calendar.now();
  sync->mirror = effect.hello.mirror;
  sync->control = effect.peer;
  sync->client = static_cast<std::uint8_t>(effect.hello.client[0]);
  for (auto& [seq, asked] : asked_[effect.peer])
    asked.waits_for_turn = false;
  later(*sync, [this](Sync& opening) {
    const SessionKey key = opening.key;
    if (world_.trouble(50)) {
      syncs_.erase(key);
      turns_changed_ = world_.calendar.now();
      return carry_out(machine_.refused(key, {kIo, true, "not now"}, world_.calendar.now()));
    }
    carry_out(machine_.opened(key, server::Opening{}, world_.calendar.now()));
  });
}

void ServerHost::on(server::StartScan&) {}

void ServerHost::on(server::ListRows& effect) {
  const std::shared_ptr<Sync> listing = find(effect.session);
  if (!listing) return;  // a reply of the same answer found the connection broken
  for (const Row& row : effect.batch.rows)
    listing->rows.push_back(row.values.size);
  later(*listing, [this, number = effect.number, last = effect.batch.last](Sync& sync) {
    carry_out(machine_.list_taken(sync.key, number, world_.calendar.now()));
    if (last && is_open(sync)) compare(sync);
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
  const std::shared_ptr<Sync> asking = find(effect.session);
  if (!asking) return;  // a reply of the same answer found the connection broken
  if (effect.rows.size() > asking->questions_open) return world_.complain("digests without a question");
  asking->questions_open -= effect.rows.size();
  if (asking->questions_open == 0) later(*asking, [this](Sync& sync) { plan(sync); });
}

void ServerHost::plan(Sync& sync) {
  say(sync, wire::Plan{});
}

void ServerHost::on(server::Proceed& effect) {
  const std::shared_ptr<Sync> agreed = find(effect.session);
  if (!agreed) return;  // likewise
  if (!agreed->listed || std::exchange(agreed->proceeded, true))
    return world_.complain("proceed twice, or too early");
  later(*agreed, [this](Sync& sync) { request_files(sync); });
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
  if (const std::shared_ptr<Sync> sync = find(effect.session)) file_ended(*sync, effect.fail.row);
}

void ServerHost::on(server::Deliver& effect) {
  const std::shared_ptr<Sync> taking = find(effect.session);
  if (!taking) return world_.complain("data without a sync");
  if (effect.payload.size() != payload_bytes_of(effect.head)) world_.complain("another message's payload");
  std::uint64_t bytes = wire::kDataHeaderBytes + wire::kMessageCharge;
  for (const wire::Segment& segment : effect.head.segments)
    bytes += wire::table_bytes(segment) + segment.length;
  taking->unreturned += bytes;
  if (taking->unreturned > kWindow) return world_.complain("more data than the window");
  if (taking->failed) return;  // what is still on its way is for nobody
  if (world_.trouble(20)) {
    taking->failed = true;
    return say(*taking, failure());
  }
  later(*taking, [this, head = effect.head, bytes](Sync& sync) {
    for (const wire::Segment& segment : head.segments) {
      if (sync.arriving[segment.row] != segment.offset) return world_.complain("segments out of order");
      sync.arriving[segment.row] += segment.length;
      if (!segment.last) continue;
      world_.mirror[sync.client][segment.row] = sync.arriving[segment.row];
      file_ended(sync, segment.row);
    }
    sync.unreturned -= bytes;
    carry_out(machine_.credit_returned(sync.key, bytes, world_.calendar.now()));
  });
}

void ServerHost::on(server::CloseSync& effect) {
  const std::shared_ptr<Sync> sync = find(effect.session);
  if (!sync) return world_.complain("closed twice");
  for (const auto& [seq, asked] : asked_[sync->control]) {
    if (!asked.replied) world_.complain("closed with request " + std::to_string(seq) + " unanswered");
  }
  if (effect.completed && sync->files_open != 0) world_.complain("complete with files missing");
  // Its threads take a while to stop; what they still say is for nobody.
  sync->work.send([self = shared_from_this(), key = effect.session] {
    self->turn([self, key] {
      self->syncs_.erase(key);
      self->turns_changed_ = self->world_.calendar.now();
      self->carry_out(self->machine_.closed(key, self->world_.calendar.now()));
      if (self->machine_.output_room(key)) self->world_.complain("room in a sync that is closed");
      self->carry_out(self->machine_.credit_returned(key, 1, self->world_.calendar.now()));
    });
  });
}

void ServerHost::say(Sync& sync, server::Output output) {
  sync.outputs.push_back(std::move(output));
}

void ServerHost::pump(Sync& sync) {
  while (is_open(sync) && !sync.outputs.empty() && machine_.output_room(sync.key)) {
    server::Output output = std::move(sync.outputs.front());
    sync.outputs.pop_front();
    carry_out(machine_.output(sync.key, std::move(output), world_.calendar.now()));
  }
}

}  // namespace ssync::session::simulator
