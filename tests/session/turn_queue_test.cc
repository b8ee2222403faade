// The order of turns under random comings and goings, against a list that is searched from its beginning.
#include "turn_queue.h"

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "rig.h"

namespace ssync::session::server {
namespace {

class Visitors {
 public:
  Visitors(std::uint32_t seed, std::size_t syncs_max) : random_(seed) { config_.syncs_max = syncs_max; }

  void step() {
    now_ += milliseconds(pick(60));
    tick();
    switch (pick(4)) {
      case 0:
        leave();
        break;
      case 1:
        if (!taken_.empty()) release(pick(taken_.size()));
        break;
      default:
        hello();
    }
    take_turns();
    EXPECT_EQ(room_.size(), waiting_.size());
  }

 private:
  struct Visitor {
    std::string mirror;
    std::uint8_t client = 0;
    Ticket ticket = 0;
    bool held = false;
    Time answered;
  };

  std::size_t pick(std::size_t below) { return random_() % below; }
  [[nodiscard]] bool is_taken(const std::string& mirror) const {
    return std::find(taken_.begin(), taken_.end(), mirror) != taken_.end();
  }
  [[nodiscard]] bool has_slot() const { return config_.syncs_max == 0 || taken_.size() < config_.syncs_max; }

  /// A client has one connection, numbered as itself, and one mirror.
  void hello() {
    const auto client = static_cast<std::uint8_t>(pick(20));
    const std::string mirror(1, static_cast<char>('a' + client % 5));
    const auto known = std::find_if(waiting_.begin(), waiting_.end(),
                                    [&](const Visitor& other) { return other.client == client; });
    if (known != waiting_.end() && known->held) return;
    wire::Hello hello = hello_of(client);
    hello.mirror = mirror;
    const TurnQueue::Arrival arrival = room_.arrive(client, ++seq_, hello, now_);
    EXPECT_EQ(arrival.first, known == waiting_.end());
    if (known == waiting_.end()) {
      waiting_.push_back({mirror, client, arrival.ticket, true, now_});
    } else {
      EXPECT_EQ(arrival.ticket, known->ticket);
      known->held = true;
    }
  }
  void leave() {
    if (waiting_.empty() || pick(3) > 0) return;
    const auto gone = waiting_.begin() + static_cast<std::ptrdiff_t>(pick(waiting_.size()));
    EXPECT_TRUE(room_.leave(gone->client));
    waiting_.erase(gone);
  }
  void release(std::size_t at) {
    room_.release(taken_[at]);
    taken_.erase(taken_.begin() + static_cast<std::ptrdiff_t>(at));
  }
  void tick() {
    std::erase_if(waiting_, [&](const Visitor& visitor) {
      return !visitor.held && now_ - visitor.answered >= config_.turn;
    });
    for (const Ticket ticket : room_.tick(now_)) {
      const auto due = std::find_if(waiting_.begin(), waiting_.end(),
                                    [&](const Visitor& visitor) { return visitor.ticket == ticket; });
      ASSERT_NE(due, waiting_.end());
      static_cast<void>(room_.answer(ticket, now_));
      due->held = false;
      due->answered = now_;
    }
  }
  void take_turns() {
    while (const std::optional<QueuedClient> queued = room_.next_turn(now_)) {
      const auto next = std::find_if(waiting_.begin(), waiting_.end(), [&](const Visitor& visitor) {
        return client_id(visitor.client) == queued->client;
      });
      ASSERT_NE(next, waiting_.end());
      EXPECT_TRUE(next->held && queued->held && has_slot() && !is_taken(next->mirror));
      if (config_.syncs_max == 1) expect_no_earlier(next);
      taken_.push_back(next->mirror);
      waiting_.erase(next);
    }
    const bool all_held =
        std::all_of(waiting_.begin(), waiting_.end(), [](const Visitor& visitor) { return visitor.held; });
    if (!all_held || !has_slot()) return;
    for (const Visitor& visitor : waiting_)
      EXPECT_TRUE(is_taken(visitor.mirror)) << "a turn that nobody has";
  }
  /// Who came before waits for a mirror that is taken, or stayed away for too long.
  void expect_no_earlier(std::vector<Visitor>::iterator next) {
    for (auto before = waiting_.begin(); before != next; ++before) {
      if (is_taken(before->mirror)) continue;
      EXPECT_FALSE(before->held);
      EXPECT_GE(now_ - before->answered, config_.recall);
    }
  }

  std::mt19937 random_;
  Config config_;
  TurnQueue room_{config_};
  Time now_{std::chrono::hours(1)};
  std::vector<Visitor> waiting_;  ///< in the order of their first hello
  std::vector<std::string> taken_;
  std::uint32_t seq_ = 0;
};

TEST(TurnQueueTest, FirstComeIsFirstServed) {
  for (std::uint32_t seed = 1; seed <= 200 && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE(seed);
    Visitors visitors(seed, seed % 4);
    for (int i = 0; i < 500; ++i)
      visitors.step();
  }
}

}  // namespace
}  // namespace ssync::session::server
