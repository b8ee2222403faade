#include "ssync/session/lister.h"

#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "rig.h"

namespace ssync::session::client {
namespace {

const Time kStart{std::chrono::hours(1)};

Lister connected() {
  Lister lister(milliseconds(30000));
  lister.start(kStart);
  EXPECT_EQ(lister.on_connected(kStart).size(), 1U);
  return lister;
}

const Failed& failure_of(const ListEffects& effects) {
  static const Failed none;
  EXPECT_EQ(effects.size(), 1U);
  return effects.size() == 1 ? std::get<Failed>(effects[0]) : none;
}

TEST(ListerTest, ReadsAllPagesOfARealServer) {
  server::Server server(ServerRig::config_of(), [] { return server::Ids{}; });
  std::vector<server::OfferedMirror> mirrors;
  for (std::size_t i = 0; i < 600; ++i)
    mirrors.push_back({"m" + std::to_string(1000 + i), "home"});
  static_cast<void>(server.set_mirrors(mirrors, kStart));
  Lister lister(milliseconds(30000));
  lister.start(kStart);
  ListEffects effects = lister.on_connected(kStart);
  std::size_t asked = 0;
  while (!effects.empty() && std::holds_alternative<Send>(effects[0]) && effects.size() == 1) {
    ++asked;
    auto request = wire::decode_request(std::move(std::get<Send>(effects[0]).frames));
    ASSERT_TRUE(request) << request.error().text();
    server::Effects told = server.on_request(1, std::move(*request), kStart);
    effects = lister.on_reply(std::move(std::get<server::SendReply>(told.at(0)).reply), kStart);
  }
  EXPECT_EQ(asked, 3U);
  ASSERT_EQ(effects.size(), 2U);
  EXPECT_EQ(std::get<Listed>(effects[1]).mirrors.size(), 600U);
  EXPECT_EQ(std::get<Listed>(effects[1]).mirrors.back().name, "m1599");
  EXPECT_EQ(lister.next_deadline(), Time::max());
}

TEST(ListerTest, SaysThatAnOldServerDoesNotKnowNames) {
  Lister lister = connected();
  const ListEffects effects = lister.on_reply(
      wire::Reply{1, wire::ErrorReply{wire::ErrorCode::protocol, false, "is no request that is known"}},
      kStart);
  EXPECT_EQ(failure_of(effects).text, "the server does not know many mirrors");
  EXPECT_FALSE(failure_of(effects).retry);
}

TEST(ListerTest, GivesUpWithoutAnAnswerOrAConnection) {
  Lister slow = connected();
  EXPECT_EQ(slow.on_tick(kStart + milliseconds(29999)).size(), 0U);
  EXPECT_EQ(failure_of(slow.on_tick(kStart + milliseconds(30000))).why, Failed::Why::connect_timeout);
  EXPECT_EQ(slow.on_disconnected("late").size(), 0U);
  Lister lost = connected();
  EXPECT_EQ(failure_of(lost.on_disconnected("reset")).why, Failed::Why::connection);
}

TEST(ListerTest, RefusesWhatDoesNotFit) {
  const auto why = [](std::uint32_t seq, wire::ReplyBody body) {
    Lister lister = connected();
    return failure_of(lister.on_reply({seq, std::move(body)}, kStart)).why;
  };
  EXPECT_EQ(why(1, wire::Ok{}), Failed::Why::protocol);
  EXPECT_EQ(why(1, wire::Wait{}), Failed::Why::protocol);
  EXPECT_EQ(why(2, wire::Mirrors{}), Failed::Why::protocol);
  EXPECT_EQ(why(0, wire::Mirrors{}), Failed::Why::protocol);
  Lister again = connected();
  EXPECT_EQ(again.on_reply({1, wire::Mirrors{{{"b", ""}}, true}}, kStart).size(), 1U);
  EXPECT_EQ(failure_of(again.on_reply({2, wire::Mirrors{{{"b", ""}}, true}}, kStart)).why,
            Failed::Why::protocol);
}

}  // namespace
}  // namespace ssync::session::client
