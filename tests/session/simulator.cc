#include "simulator.h"

#include <algorithm>
#include <utility>

namespace ssync::session::simulator {
namespace {

constexpr std::uint64_t kStepsMax = 200000;

Source random_source(World& world) {
  Source source;
  source.sizes.push_back(0);
  const std::uint64_t files = world.pick(12);
  for (std::uint64_t i = 0; i < files; ++i)
    source.sizes.push_back(world.chance(10) ? 0 : world.pick(6000));
  for (std::size_t row = 0; row < source.sizes.size(); ++row)
    source.vanished.push_back(row > 0 && world.chance(5));
  return source;
}

}  // namespace

bool Calendar::step() {
  if (events_.empty()) return false;
  auto first = events_.extract(events_.begin());
  now_ = first.key();
  first.mapped()();
  return true;
}

void Inbox::run(std::function<void()> what) {
  if (calendar_.now() >= stalled_until_ && kept_.empty()) return what();
  kept_.push_back(std::move(what));
}

void Inbox::stall(milliseconds duration) {
  stalled_until_ = std::max(stalled_until_, calendar_.now() + duration);
  calendar_.at(stalled_until_, [this] { drain(); });
}

void Inbox::drain() {
  while (calendar_.now() >= stalled_until_ && !kept_.empty()) {
    const std::function<void()> what = std::move(kept_.front());
    kept_.pop_front();
    what();
  }
}

void Channel::send(std::function<void()> arrive) {
  last_ = std::max(last_, world_.calendar.now() + world_.delay());
  world_.calendar.at(last_, std::move(arrive));
}

Link::Link(World& world, Peer control_peer, Peer data_peer)
    : control(control_peer),
      data(data_peer),
      control_up(world),
      control_down(world),
      data_up(world),
      data_down(world) {}

World::World(std::uint64_t seed) : random_(seed), trouble_left_(static_cast<int>(random_() % 10)) {
  const std::uint64_t mirror_count = 1 + pick(4);
  for (std::uint64_t i = 0; i < mirror_count; ++i)
    mirrors.push_back(i == 0 ? "" : "mirror " + std::to_string(i));
  syncs_max = pick(3);
  server = std::make_shared<ServerHost>(*this);
  const std::uint64_t count = 1 + pick(7);
  for (std::uint8_t i = 1; i <= count; ++i)
    clients.push_back(
        std::make_shared<ClientHost>(*this, i, mirrors[pick(mirror_count)], random_source(*this)));
}

World::~World() {
  server->dissolve();
  for (const auto& host : stopped_)
    host->dissolve();
  for (const auto& client : clients)
    client->dissolve();
}

bool World::trouble(std::uint64_t per_mille) {
  if (trouble_left_ == 0 || pick(1000) >= per_mille) return false;
  --trouble_left_;
  return true;
}

milliseconds World::delay() {
  if (chance(90)) return milliseconds(pick(20));
  return milliseconds(chance(90) ? pick(300) : pick(3000));
}

void World::complain(const std::string& what) {
  if (complaint_.empty()) complaint_ = what;
}

void World::restart_server() {
  server->stop();
  stopped_.push_back(std::move(server));
  server = std::make_shared<ServerHost>(*this);
  server->start();
  for (const auto& client : clients)
    client->break_link();
}

void World::take_mirror_away() {
  if (mirrors.empty()) return;
  const auto at = mirrors.begin() + static_cast<std::ptrdiff_t>(pick(mirrors.size()));
  const std::string name = *at;
  mirrors.erase(at);
  server->set_mirrors();
  calendar.in(milliseconds(pick(20000)), [this, name] {
    mirrors.push_back(name);
    server->set_mirrors();
  });
}

std::string World::run() {
  server->start();
  for (const auto& client : clients)
    calendar.in(milliseconds(pick(3000)), [client] { client->start(); });
  const auto all_done = [this] {
    return std::all_of(clients.begin(), clients.end(), [](const auto& client) { return client->done(); });
  };
  for (std::uint64_t steps = 0; !all_done() && !broken(); ++steps) {
    if (steps == kStepsMax) complain("no end");
    if (!calendar.step()) complain("nothing is left to happen");
    if (trouble(2)) server->stall(milliseconds(pick(20000)));
    if (trouble(1)) restart_server();
    if (trouble(1)) take_mirror_away();
    if (trouble(2)) server->intrude();
    if (trouble(2)) clients[pick(clients.size())]->break_link();
    if (trouble(2)) clients[pick(clients.size())]->stall(milliseconds(pick(20000)));
  }
  if (broken()) {
    for (const auto& client : clients)
      complaint_ += "; client " + std::to_string(client->number()) + ": " + client->state();
    return complaint_;
  }
  for (const auto& client : clients) {
    const Source& source = client->source();
    std::map<RowId, std::uint64_t> expected;
    for (RowId row = 1; row < source.sizes.size(); ++row) {
      if (!source.vanished[row]) expected[row] = source.sizes[row];
    }
    if (mirror[client->number()] != expected)
      return "client " + std::to_string(client->number()) + " has the wrong mirror";
  }
  return {};
}

}  // namespace ssync::session::simulator
