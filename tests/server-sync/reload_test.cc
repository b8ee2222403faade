#include "reload.h"

#include <gtest/gtest.h>

namespace ssync::server_program {
namespace {

Options with_mirrors(std::vector<MirrorOptions> mirrors) {
  Options options;
  options.mirrors = std::move(mirrors);
  return options;
}

MirrorOptions mirror(std::string name, std::string path) {
  MirrorOptions made;
  made.name = std::move(name);
  made.path = std::move(path);
  return made;
}

TEST(ReloadTest, TheSameChangesNothing) {
  const Options options = with_mirrors({mirror("a", "/a")});
  const Reload reload = compare(options, options);
  EXPECT_TRUE(reload.notices.empty());
  EXPECT_EQ(reload.options, options);
}

TEST(ReloadTest, MirrorsAreThoseOfTheNewConfiguration) {
  const Options before = with_mirrors({mirror("a", "/a"), mirror("b", "/b")});
  const Options after = with_mirrors({mirror("d", "/a"), mirror("c", "/c")});
  const Reload reload = compare(before, after);
  EXPECT_TRUE(reload.notices.empty());
  EXPECT_EQ(reload.options, after);
}

TEST(ReloadTest, WhatNeedsARestartStaysAndIsSaid) {
  const Options before = with_mirrors({mirror("a", "/a")});
  Options after = before;
  after.address = "0.0.0.0";
  after.control_port = 1;
  after.data_port = 2;
  after.insecure = true;
  after.monitor = "ipc:///t";
  after.no_monitor = true;
  after.state_dir = "/s";
  after.log_file = "/l";
  after.json = true;
  after.max_syncs = 2;
  const Reload reload = compare(before, after);
  EXPECT_EQ(reload.options, before);
  ASSERT_EQ(reload.notices.size(), 10U);
  EXPECT_EQ(reload.notices[0],
            "address is 0.0.0.0 in the configuration now, and stays localhost until a restart");
  EXPECT_EQ(reload.notices[5],
            "monitor is ipc:///t in the configuration now, and stays not set until a restart");
}

}  // namespace
}  // namespace ssync::server_program
