// What client-sync is asked to do: the command line, the environment and the file together.
#include "options.h"

#include <gtest/gtest.h>

#include "ssync/support/surroundings.h"

namespace ssync::client_program {
namespace {

using Words = std::vector<std::string>;

class ClientOptionsTest : public ::testing::Test {
 protected:
  Result<Options> read(const Words& arguments) {
    const support::Arguments given("client-sync", arguments);
    return read_options(given.argc(), given.argv());
  }
  /// With `text` as the file.
  Result<Options> read_file(std::string_view text, Words arguments = {"/src"}) {
    arguments.insert(arguments.begin(), {"--config", around_.write("c.toml", text)});
    return read(arguments);
  }
  /// The error, with "FILE" for the file's path.
  std::string error(const Result<Options>& result) {
    if (result) return "no error";
    std::string text = result.error().text();
    const std::string file = around_.path("c.toml");
    for (std::size_t at = 0; (at = text.find(file)) != std::string::npos;)
      text.replace(at, file.size(), "FILE");
    return text;
  }

  support::Surroundings around_;
};

TEST_F(ClientOptionsTest, ADirectoryAloneGoesToThisMachine) {
  const Result<Options> options = read({"/src"});
  ASSERT_TRUE(options) << options.error().text();
  EXPECT_EQ(options->directory, "/src");
  EXPECT_EQ(options->server, "localhost");
  EXPECT_EQ(options->control_port, wire::kControlPort);
  EXPECT_EQ(options->mirror, "");
  EXPECT_TRUE(options->fsync);
  EXPECT_TRUE(options->delete_extra);
  EXPECT_EQ(options->progress, std::nullopt);
  EXPECT_EQ(options->digest, DigestKind::sha256);
}

TEST_F(ClientOptionsTest, TheAddressFillsInItsOptions) {
  const Result<Options> all = read({"/src", "backup:7200::home"});
  ASSERT_TRUE(all) << all.error().text();
  EXPECT_EQ(all->server, "backup");
  EXPECT_EQ(all->control_port, 7200);
  EXPECT_EQ(all->mirror, "home");
  EXPECT_EQ(read({"/src", "::home"})->server, "localhost");
  EXPECT_EQ(read({"/src", "[::1]:7200"})->server, "::1");
  EXPECT_EQ(read({"/src", "--server=::1"})->server, "::1");
  EXPECT_EQ(read({"/src", "--server=backup", "--mirror=home"})->mirror, "home");
}

TEST_F(ClientOptionsTest, AddressAndOptionsMustAgree) {
  EXPECT_TRUE(read({"/src", "backup:1::home", "--server=backup", "--control-port=1", "--mirror=home"}));
  EXPECT_EQ(error(read({"/src", "backup", "--server=other"})),
            "backup and --server other do not agree: say one of them");
  EXPECT_EQ(error(read({"/src", "backup:1", "--control-port=2"})),
            "backup:1 and --control-port 2 do not agree: say one of them");
  EXPECT_EQ(error(read({"/src", "backup::a", "--mirror=b"})),
            "backup::a and --mirror b do not agree: say one of them");
}

TEST_F(ClientOptionsTest, TheAddressGoesBeforeEnvironmentAndFile) {
  around_.set("CLIENT_SYNC_SERVER", "other");
  const Result<Options> options = read_file("control-port = 1\nmirror = 'x'\n", {"/src", "backup:2::home"});
  ASSERT_TRUE(options) << options.error().text();
  EXPECT_EQ(options->server, "backup");
  EXPECT_EQ(options->control_port, 2);
  EXPECT_EQ(options->mirror, "home");
  EXPECT_EQ(read_file("control-port = 1\nmirror = 'x'\n")->mirror, "x");
  EXPECT_EQ(read_file("control-port = 1\nmirror = 'x'\n")->server, "other");
}

TEST_F(ClientOptionsTest, AListNeedsNoDirectory) {
  const Result<Options> options = read({"--list", "backup:7200"});
  ASSERT_TRUE(options) << options.error().text();
  EXPECT_TRUE(options->list);
  EXPECT_EQ(options->server, "backup");
  EXPECT_EQ(options->control_port, 7200);
  EXPECT_EQ(error(read({"--list", "backup", "/src"})),
            "--list shows what mirrors there are: it takes no DIR");
  EXPECT_EQ(error(read({"--list", "backup::home"})),
            "--list shows all mirrors of a server: write it without '::home'");
  EXPECT_EQ(error(read({"--list", "backup:/x"})).substr(0, 20), "--list: 'backup:/x' ");
  around_.set("CLIENT_SYNC_LIST", "1");
  EXPECT_FALSE(read({"/src"})->list);
}

TEST_F(ClientOptionsTest, EveryLongOptionIsAKey) {
  const Result<Options> options = read_file(R"(
server = "backup"
mirror = "home"
control-port = 1
data-port = 2
once = true
interval = 5
dry-run = true
verify = true
contimeout = 1.5
verbose = 2
stats = true
json = true
progress = false
checksum = true
digest = "md5"
eager-digest = true
no-delete = true
max-delete = 3
accept-root = true
no-fsync = true
source-id = "me"
state-dir = "/s"
log-file = "/l"
)");
  ASSERT_TRUE(options) << options.error().text();
  EXPECT_EQ(options->server, "backup");
  EXPECT_EQ(options->mirror, "home");
  EXPECT_EQ(options->control_port, 1);
  EXPECT_EQ(options->data_port, 2);
  EXPECT_TRUE(options->once && options->dry_run && options->verify && options->stats && options->json);
  EXPECT_EQ(options->interval_s, 5);
  EXPECT_EQ(options->contimeout_s, 1.5);
  EXPECT_EQ(options->verbosity, 2);
  EXPECT_EQ(options->progress, false);
  EXPECT_TRUE(options->checksum && options->eager_digest && options->accept_root);
  EXPECT_EQ(options->digest, DigestKind::md5);
  EXPECT_FALSE(options->delete_extra);
  EXPECT_EQ(options->max_delete, 3U);
  EXPECT_FALSE(options->fsync);
  EXPECT_EQ(options->source_id, "me");
  EXPECT_EQ(options->state_dir, "/s");
  EXPECT_EQ(options->log_file, "/l");
}

TEST_F(ClientOptionsTest, ANoCanBeTakenBack) {
  EXPECT_TRUE(read_file("no-fsync = true\n", {"/src", "--fsync"})->fsync);
  EXPECT_TRUE(read_file("no-delete = true\n", {"/src", "--delete"})->delete_extra);
  EXPECT_TRUE(read_file("no-delete = false\n")->delete_extra);
  EXPECT_FALSE(read_file("delete = false\n")->delete_extra);
  EXPECT_EQ(read({"/src", "--progress"})->progress, true);
  EXPECT_EQ(read({"/src", "--no-progress"})->progress, false);
  around_.set("CLIENT_SYNC_NO_FSYNC", "yes");
  EXPECT_FALSE(read({"/src"})->fsync);
}

TEST_F(ClientOptionsTest, HowMuchIsSaidIsTheNearerWord) {
  EXPECT_EQ(read({"/src", "-q"})->verbosity, -1);
  EXPECT_EQ(read({"/src", "-q", "-v"})->verbosity, -1);
  EXPECT_EQ(read({"/src", "-vv"})->verbosity, 2);
  EXPECT_EQ(read_file("quiet = true\n", {"/src", "-v"})->verbosity, 1);
  EXPECT_EQ(read_file("verbose = true\n", {"/src", "-q"})->verbosity, -1);
  EXPECT_EQ(read_file("verbose = false\n")->verbosity, 0);
  around_.set("CLIENT_SYNC_VERBOSE", "2");
  EXPECT_EQ(read({"/src"})->verbosity, 2);
  around_.set("CLIENT_SYNC_VERBOSE", "0");
  EXPECT_EQ(read({"/src"})->verbosity, 0);
}

TEST_F(ClientOptionsTest, SaysWhatIsWrong) {
  struct Case {
    std::string file, error;
  };
  const std::vector<Case> cases = {
      {"\nserver_ = 'x'", "FILE:2: unknown key 'server_'; did you mean 'server'?"},
      {"list = 'x'", "FILE:1: 'list' cannot be said in a file"},
      {"interval = 'x'", "FILE:1: 'interval' must be a number, not text \"x\""},
      {"interval = nan", "FILE:1: 'interval' must be a number, not nan"},
      {"interval = 0", "FILE:1: 'interval' must be a number between 0.05 and 1000000000, not 0"},
      {"verbose = 'x'", "FILE:1: 'verbose' must be true, false or a number from 0 to 9, not text \"x\""},
      {"digest = 'sha1'", "FILE:1: 'digest' must be sha256 or md5, not 'sha1'"},
      {"fsync = true\nno-fsync = true",
       "FILE:2: 'no-fsync' says what 'fsync' in line 1 says: one of them only"},
      {"mirror = 'a/b'",
       "FILE:1: 'mirror' is no name: 'a/b' cannot be the name of a mirror: a client names a mirror, not a "
       "path in it, so '/' is "
       "not allowed"},
      {"server = 'backup::home'",
       "FILE:1: 'server' is no host: 'backup::home' is more than a host: the rest has options of its own, "
       "--control-port and "
       "--mirror; or write it after DIR"},
      {"source-id = ''", "FILE:1: 'source-id' must not be empty"},
      {"[mirror.a]\npath = '/a'", "FILE:1: 'mirror' must be text in quotes, not a table"},
  };
  for (const Case& each : cases)
    EXPECT_EQ(error(read_file(each.file)), each.error) << each.file;
  EXPECT_EQ(error(read({})),
            "there is no source: say client-sync DIR [HOST[:PORT][::NAME]], or --list HOST for "
            "what a server has");
  EXPECT_EQ(error(read({"/src", "--interval=nan"})).substr(0, 49),
            "--interval: must be a number between 0.05 and 100");
  around_.set("CLIENT_SYNC_FSYNC", "1");
  around_.set("CLIENT_SYNC_NO_FSYNC", "1");
  EXPECT_EQ(error(read({"/src"})), "CLIENT_SYNC_NO_FSYNC: CLIENT_SYNC_FSYNC says it too: one of them only");
}

}  // namespace
}  // namespace ssync::client_program
