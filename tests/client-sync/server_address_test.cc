#include "server_address.h"

#include <gtest/gtest.h>

namespace ssync::client_program {
namespace {

TEST(ServerAddressTest, ReadsHostPortAndName) {
  struct Case {
    std::string text;
    ServerAddress address;
  };
  const std::vector<Case> cases = {
      {"backup", {"backup", {}, ""}},
      {"backup:7200", {"backup", 7200, ""}},
      {"backup::home", {"backup", {}, "home"}},
      {"backup:7200::home", {"backup", 7200, "home"}},
      {"::home", {"", {}, "home"}},
      {"::1", {"", {}, "1"}},
      {"10.0.0.1:1::a b", {"10.0.0.1", 1, "a b"}},
      {"[::1]", {"::1", {}, ""}},
      {"[fe80::1%eth0]:7101", {"fe80::1%eth0", 7101, ""}},
      {"[2001:db8::5]::a.b", {"2001:db8::5", {}, "a.b"}},
      {"[::1]:65535::home", {"::1", 65535, "home"}},
      {"backup::me@home", {"backup", {}, "me@home"}},
  };
  for (const Case& each : cases) {
    const Result<ServerAddress> address = parse_server_address(each.text);
    ASSERT_TRUE(address) << address.error().text();
    EXPECT_EQ(*address, each.address) << each.text;
  }
}

TEST(ServerAddressTest, SaysWhatToWriteInstead) {
  const std::string form = "HOST[:PORT][::NAME]";
  const std::string by_name = " path; the mirror's is known to the server, by a name: write " + form;
  struct Case {
    std::string text, error;
  };
  const std::vector<Case> cases = {
      {"", "'' names no server: write " + form},
      {"backup:/srv/m", "'backup:/srv/m' has a" + by_name},
      {"/srv/m", "'/srv/m' has a" + by_name},
      {"./m", "'./m' has a" + by_name},
      {"C:\\m", "'C:\\m' is a" + by_name},
      {"C:/m", "'C:/m' is a" + by_name},
      {"me@backup:/srv/m", "'me@backup:/srv/m' has a user, and there is no login: write " + form},
      {"me@backup::home", "'me@backup::home' has a user, and there is no login: write " + form},
      {"rsync://backup/home", "'rsync://backup/home' is a URL: write " + form},
      {"backup::home/x",
       "'backup::home/x' has a path in a mirror, and a mirror is synced as a whole: write backup::home"},
      {"backup:home",
       "'backup:home' has 'home' where a port from 1 to 65535 is: a mirror's name has two colons before "
       "it, " +
           form},
      {"backup:0",
       "'backup:0' has '0' where a port from 1 to 65535 is: a mirror's name has two colons before it, " +
           form},
      {"backup:70000::a",
       "'backup:70000::a' has '70000' where a port from 1 to 65535 is: a mirror's name has two colons before "
       "it, " +
           form},
      {"backup:",
       "'backup:' has '' where a port from 1 to 65535 is: a mirror's name has two colons before it, " + form},
      {":7101", "':7101' has no host: write " + form},
      {"backup::", "'backup::' names no mirror after '::'; client-sync --list backup shows what there is"},
      {"backup::a::b",
       "'a::b' cannot be the name of a mirror: clients write HOST:PORT::NAME, so ':' is not allowed"},
      {"2001:db8::5", "'2001:db8::5' is an IPv6 address: write [2001:db8::5] for the address"},
      {"fe80::", "'fe80::' is an IPv6 address: write [fe80::] for the address"},
      {"cafe::1",
       "'cafe::1' can be read in two ways: write [cafe::1] for the address, or --server cafe --mirror 1"},
      {"[backup]:1", "'[backup]:1' has no IPv6 address in its brackets: write [ADDRESS]:PORT::NAME"},
      {"[::1", "'[::1' has no IPv6 address in its brackets: write [ADDRESS]:PORT::NAME"},
      {"[::1]7101", "'[::1]7101' has more after its brackets: write [ADDRESS]:PORT::NAME"},
  };
  for (const Case& each : cases) {
    const Result<ServerAddress> address = parse_server_address(each.text);
    ASSERT_FALSE(address) << each.text;
    EXPECT_EQ(address.error().text(), each.error);
  }
}

TEST(HostTest, IsAHostAlone) {
  EXPECT_EQ(parse_host("backup"), "backup");
  EXPECT_EQ(parse_host("::1"), "::1");
  EXPECT_EQ(parse_host("fe80::1%eth0"), "fe80::1%eth0");
  EXPECT_EQ(parse_host("[::1]"), "::1");
  for (const std::string text : {"backup:7101", "backup::home", "::home"})
    EXPECT_FALSE(parse_host(text)) << text;
}

}  // namespace
}  // namespace ssync::client_program
