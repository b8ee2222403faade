#include <algorithm>
#include <utility>

#include "rig.h"
#include "simulator.h"

namespace ssync::session::simulator {

ClientHost::ClientHost(World& world, std::uint8_t number, std::string mirror, Source source)
    : world_(world),
      number_(number),
      mirror_(std::move(mirror)),
      source_(std::move(source)),
      inbox_(world.calendar) {}

/// A fresh machine on fresh connections.
void ClientHost::start() {
  ++attempt_;
  client::Config config{hello_of(number_)};
  config.hello.mirror = mirror_;
  machine_ = std::make_unique<client::Client>(std::move(config));
  encoder_ = std::make_unique<wire::FileListEncoder>(3);
  const Peer control = world_.new_peer();
  link_ = std::make_shared<Link>(world_, control, world_.new_peer());
  link_->client = weak_from_this();
  link_->attempt = attempt_;
  listed_ = 0;
  listing_ = over_ = false;
  to_send_.clear();
  sent_of_file_ = 0;
  carry_out(machine_->start(world_.calendar.now()));
  world_.calendar.in(world_.delay(), [self = shared_from_this(), attempt = attempt_] {
    self->turn(attempt,
               [self] { self->carry_out(self->machine_->on_connected(self->world_.calendar.now())); });
  });
  tick(attempt_);
}

void ClientHost::turn(std::uint64_t attempt, std::function<void()> what) {
  inbox_.run([this, attempt, what = std::move(what)] {
    if (attempt != attempt_ || over_) return;
    what();
    if (!over_) pump();
  });
}

void ClientHost::tick(std::uint64_t attempt) {
  world_.calendar.in(milliseconds(100), [self = shared_from_this(), attempt] {
    self->turn(attempt, [self, attempt] {
      if (self->world_.trouble(1))
        return self->carry_out(self->machine_->interrupt(20, self->world_.calendar.now()));
      self->carry_out(self->machine_->on_tick(self->world_.calendar.now()));
      self->tick(attempt);
    });
  });
}

void ClientHost::reply(std::uint64_t attempt, wire::Reply reply) {
  auto shared = std::make_shared<wire::Reply>(std::move(reply));
  turn(attempt, [this, shared] { carry_out(machine_->on_reply(std::move(*shared), world_.calendar.now())); });
}
void ClientHost::credit(std::uint64_t attempt, wire::DataHead head) {
  turn(attempt,
       [this, head = std::move(head)] { carry_out(machine_->on_credit(head, world_.calendar.now())); });
}
void ClientHost::lost(std::uint64_t attempt) {
  turn(attempt, [this] { carry_out(machine_->on_disconnected("the network", world_.calendar.now())); });
}

/// Nothing gets through any more; this end learns of it soon, or by the silence.
void ClientHost::break_link() {
  if (over_) return;
  link_->broken = true;
  if (!world_.chance(70)) return;
  world_.calendar.in(world_.delay(),
                     [self = shared_from_this(), attempt = attempt_] { self->lost(attempt); });
}

std::string ClientHost::state() const {
  if (done_) return "done";
  return over_ ? "between attempts" : machine_->state_text();
}

void ClientHost::carry_out(client::Effects effects) {
  for (client::Effect& effect : effects) {
    if (over_) return world_.complain("an effect after the last");
    std::visit([this](auto& what) { on(what); }, effect);
  }
}

void ClientHost::on(client::Send& effect) {
  auto frames = std::make_shared<wire::Frames>(std::move(effect.frames));
  link_->control_up.send(
      [link = link_, server = world_.server, frames] { server->request(link, std::move(*frames)); });
}

void ClientHost::on(client::SendData& effect) {
  const Result<wire::DataHead> head = wire::decode_data(effect.head.bytes(), effect.payload.size());
  if (!head) return world_.complain(head.error().text());
  wire::SessionId key{};
  std::copy_n(effect.payload.bytes().begin(), key.size(), key.begin());
  link_->data_up.send([link = link_, server = world_.server, head = *head, key] {
    server->data(link, head, key.size(), key);
  });
}

void ClientHost::on(client::StartList&) {
  listing_ = true;
}

void ClientHost::on(client::HashFiles& effect) {
  std::vector<wire::DigestRow> rows;
  for (const wire::DigestQuery& query : effect.rows) {
    if (query.row >= listed_) return world_.complain("asked for a row that was not listed");
    rows.push_back({query.row, std::nullopt, std::nullopt});
  }
  world_.calendar.in(world_.delay(), [self = shared_from_this(), attempt = attempt_, rows] {
    self->turn(attempt, [self, rows] {
      self->carry_out(self->machine_->digests_ready(rows, self->world_.calendar.now()));
    });
  });
}

void ClientHost::on(client::ListDirectories& /*effect*/) {
  world_.complain("asked for rows of directories that were not listed");
}

void ClientHost::on(client::ReadFiles& effect) {
  for (const wire::RequestRow& row : effect.rows)
    to_send_.push_back(row.row);
}

void ClientHost::on(client::ShowPlan&) {
  world_.calendar.in(world_.delay(), [self = shared_from_this(), attempt = attempt_] {
    self->turn(attempt, [self] {
      const Time now = self->world_.calendar.now();
      self->carry_out(self->world_.trouble(30) ? self->machine_->plan_refused(25, now)
                                               : self->machine_->plan_accepted(now));
    });
  });
}

void ClientHost::on(client::Finished&) {
  done_ = true;
  hang_up();
}

void ClientHost::on(client::Failed& effect) {
  using Why = client::Failed::Why;
  const bool own_fault = effect.why == Why::protocol || (effect.why == Why::server_error && !effect.retry &&
                                                         effect.code != wire::ErrorCode::mirror);
  if (own_fault) return world_.complain("client " + std::to_string(number_) + " failed: " + effect.text);
  hang_up();
  world_.calendar.in(milliseconds(200 + world_.pick(2000)), [self = shared_from_this()] { self->start(); });
}

/// What was sent may still arrive, or not; the server learns of it when it sends something, if at all.
void ClientHost::hang_up() {
  over_ = true;
  if (world_.chance(30)) {
    link_->broken = true;
    return;
  }
  link_->control_up.send([link = link_] { link->broken = true; });
}

void ClientHost::pump() {
  if (!listing_) return;
  pump_list();
  pump_files();
}

void ClientHost::pump_list() {
  while (listed_ < source_.sizes.size() && machine_->list_room() && world_.chance(60)) {
    for (std::uint64_t i = 1 + world_.pick(3); i > 0 && listed_ < source_.sizes.size(); --i) {
      Row row;
      const std::string name =
          listed_ == 0 ? "" : "f" + std::to_string(100'000 + listed_);  // in the order of names
      row.name = name;
      row.id = listed_;
      row.values.kind = listed_ == 0 ? Kind::directory : Kind::file;
      row.values.size = source_.sizes[listed_++];
      if (!encoder_->add(row)) world_.complain("the batch is full");
    }
    carry_out(machine_->list_ready(encoder_->finish(listed_ == source_.sizes.size()), world_.calendar.now()));
  }
}

void ClientHost::pump_files() {
  while (!to_send_.empty() && !over_) {
    const RowId row = to_send_.front();
    if (source_.vanished[row]) {
      to_send_.pop_front();
      carry_out(machine_->file_failed(wire::Fail{row, true, 2, "gone"}, world_.calendar.now()));
      continue;
    }
    wire::Segment segment;
    segment.row = row;
    segment.offset = sent_of_file_;
    segment.length = static_cast<std::uint32_t>(
        std::min<std::uint64_t>(source_.sizes[row] - sent_of_file_, 1 + world_.pick(3000)));
    segment.last = segment.offset + segment.length == source_.sizes[row];
    if (!machine_->data_room(wire::table_bytes(segment), segment.length)) return;
    sent_of_file_ = segment.last ? 0 : segment.offset + segment.length;
    if (segment.last) to_send_.pop_front();
    const wire::DataHead head = machine_->number_data({segment}, segment.length, world_.calendar.now());
    link_->data_up.send([link = link_, server = world_.server, head, bytes = segment.length] {
      server->data(link, head, bytes, {});
    });
  }
}

}  // namespace ssync::session::simulator
