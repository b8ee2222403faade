// What server-sync is asked to do: the command line, the environment and the file together.
#include "options.h"

#include <chrono>

#include <gtest/gtest.h>

#include "ssync/base/exit_code.h"
#include "ssync/support/surroundings.h"

namespace ssync::server_program {
namespace {

using Words = std::vector<std::string>;

class ServerOptionsTest : public ::testing::Test {
 protected:
  Result<Options> read(const Words& arguments) {
    const support::Arguments given("server-sync", arguments);
    return read_options(given.argc(), given.argv());
  }
  /// With `text` as the file.
  Result<Options> read_file(std::string_view text, Words arguments = {}) {
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

MirrorOptions mirror(std::string name, std::string path) {
  MirrorOptions made;
  made.name = std::move(name);
  made.path = std::move(path);
  return made;
}

TEST_F(ServerOptionsTest, ADirectoryAloneIsTheMirrorWithoutAName) {
  const Result<Options> options = read({"/srv/m", "--max-delete=5", "--fsync", "--take-over"});
  ASSERT_TRUE(options) << options.error().text();
  MirrorOptions expected = mirror("", "/srv/m");
  expected.max_delete = 5;
  expected.fsync = true;
  expected.take_over = true;
  EXPECT_EQ(options->mirrors, std::vector{expected});
  EXPECT_EQ(options->directory, "/srv/m");
  EXPECT_EQ(options->address, "localhost");
  EXPECT_EQ(options->max_syncs, kMaxSyncs);
  EXPECT_FALSE(options->state_dir.empty());
}

TEST_F(ServerOptionsTest, EveryLongOptionIsAKey) {
  const Result<Options> options = read_file(R"(
address = "0.0.0.0"
control-port = 1
data-port = 2
monitor = "tcp://127.0.0.1:7102"
max-syncs = 3
insecure = true
keys-dir = "/etc/s"
key = "/etc/s/other.key"
state-dir = "/var/lib/s"
log-file = "/var/log/s"
json = true
max-delete = 4
take-over = true
accept-root = true
fsync = true
no-monitor = false
[mirror.a]
path = "/srv/a"
)");
  ASSERT_TRUE(options) << options.error().text();
  Options expected;
  expected.config = around_.path("c.toml");
  expected.address = "0.0.0.0";
  expected.control_port = 1;
  expected.data_port = 2;
  expected.monitor = "tcp://127.0.0.1:7102";
  expected.max_syncs = 3;
  expected.insecure = true;
  expected.keys.directory = "/etc/s";
  expected.keys.file = "/etc/s/other.key";
  expected.state_dir = "/var/lib/s";
  expected.log_file = "/var/log/s";
  expected.json = true;
  expected.max_delete = 4;
  expected.take_over = expected.accept_root = expected.fsync = true;
  expected.mirrors = {{"a", "/srv/a", "", 4, true, true, true}};
  EXPECT_EQ(*options, expected);
}

TEST_F(ServerOptionsTest, SeveralAddressesAreOneText) {
  EXPECT_EQ(read({"/m", "--address=a", "--address", "b"})->address, "a,b");
  EXPECT_EQ(read_file("address = \"a,b\"\n[mirror.a]\npath = \"/a\"\n")->address, "a,b");
}

TEST_F(ServerOptionsTest, ACommandNeedsNoMirror) {
  const Result<Options> invite =
      read({"--invite=laptop", "--mirror", "home", "--mirror=work-*", "--rights=look", "--expires=1h"});
  ASSERT_TRUE(invite) << invite.error().text();
  EXPECT_EQ(invite->command.kind, ClientCommand::Kind::invite);
  EXPECT_EQ(invite->command.name, "laptop");
  EXPECT_EQ(invite->command.mirrors, "home,work-*");
  EXPECT_EQ(invite->command.rights, "look");
  EXPECT_EQ(invite->command.valid, std::chrono::hours(1));
  EXPECT_EQ(read({"--clients"})->command.kind, ClientCommand::Kind::list);
  EXPECT_EQ(read({"--revoke", "laptop"})->command.name, "laptop");
}

TEST_F(ServerOptionsTest, WhatDoesNotFitTogetherIsRefused) {
  for (const Words& words : {Words{"/m", "--insecure", "--require-keys"}, Words{"--invite=a", "--clients"},
                             Words{"--invite=a", "--revoke=b"}, Words{"/m", "--mirror=a"},
                             Words{"/m", "--qr"}, Words{"--invite=../a"}, Words{"--invite=a", "--rights=all"},
                             Words{"--invite=a", "--expires=soon"}, Words{"--invite=a", "--mirror=a\"b"}})
    EXPECT_FALSE(read(words)) << words.front() << " " << words.back();
}

TEST_F(ServerOptionsTest, MirrorsComeInTheOrderOfTheFileAfterDir) {
  const Result<Options> options = read_file(R"(
[mirror.z]
path = "/srv/z"
comment = "Zoé's files"
[mirror."a.b"]
path = "/srv/a"
max-delete = 0
)",
                                            {"/srv/dir"});
  ASSERT_TRUE(options) << options.error().text();
  MirrorOptions z = mirror("z", "/srv/z");
  z.comment = "Zo\xc3\xa9's files";
  MirrorOptions a = mirror("a.b", "/srv/a");
  a.max_delete = 0;
  EXPECT_EQ(options->mirrors, (std::vector{mirror("", "/srv/dir"), z, a}));
}

TEST_F(ServerOptionsTest, TheCommandLineGoesBeforeTheEnvironmentBeforeTheFile) {
  const std::string file = "control-port = 1\n[mirror.a]\npath = \"/a\"\n";
  EXPECT_EQ(read_file(file)->control_port, 1);
  around_.set("SERVER_SYNC_CONTROL_PORT", "2");
  EXPECT_EQ(read_file(file)->control_port, 2);
  EXPECT_EQ(read_file(file, {"--control-port=3"})->control_port, 3);
  around_.set("SERVER_SYNC_CONTROL_PORT", "");
  EXPECT_EQ(read_file(file)->control_port, 1);
}

TEST_F(ServerOptionsTest, AFlagOfTheFileCanBeTakenBack) {
  const std::string file = "json = true\n[mirror.a]\npath = \"/a\"\n";
  EXPECT_FALSE(read_file(file, {"--json=false"})->json);
  for (const std::string no : {"false", "0", "no", "No", "off"}) {
    around_.set("SERVER_SYNC_JSON", no);
    EXPECT_FALSE(read_file(file)->json) << no;
  }
  for (const std::string yes : {"true", "1", "yes", "YES", "on"}) {
    around_.set("SERVER_SYNC_JSON", yes);
    EXPECT_TRUE(read({"/a"})->json) << yes;
  }
}

TEST_F(ServerOptionsTest, TheTapIsWhatTheNearerWordSays) {
  const std::string file = "no-monitor = true\n[mirror.a]\npath = \"/a\"\n";
  EXPECT_TRUE(read_file(file)->no_monitor);
  EXPECT_FALSE(read_file(file, {"--monitor=ipc:///t"})->no_monitor);
  EXPECT_TRUE(read({"/a", "--no-monitor", "--monitor=ipc:///t"})->no_monitor);
}

TEST_F(ServerOptionsTest, TheEnvironmentNamesTheFile) {
  around_.set("SERVER_SYNC_CONFIG", around_.write("e.toml", "[mirror.e]\npath = \"/e\"\n"));
  EXPECT_EQ(read({})->mirrors, std::vector{mirror("e", "/e")});
  EXPECT_EQ(read_file("[mirror.a]\npath = \"/a\"\n")->mirrors, std::vector{mirror("a", "/a")});
}

TEST_F(ServerOptionsTest, ForeignVariablesAreLeftAlone) {
  around_.set("SERVER_SYNC_PORT", "tcp://10.0.0.1:7101");
  around_.set("SERVER_SYNC_HELP", "1");
  around_.set("SERVER_SYNC_VERSION", "1");
  EXPECT_TRUE(read({"/a"}));
}

// In the file, what is written for one mirror goes before what is written for all.
TEST_F(ServerOptionsTest, AMirrorsOwnTableGoesBeforeTheFilesSettings) {
  const Result<Options> options = read_file(R"(
max-delete = 10
fsync = true
take-over = true
[mirror.own]
path = "/own"
max-delete = 1000
fsync = false
take-over = false
[mirror.other]
path = "/other"
)");
  ASSERT_TRUE(options) << options.error().text();
  EXPECT_EQ(options->mirrors, (std::vector<MirrorOptions>{{"own", "/own", "", 1000, false, false, false},
                                                          {"other", "/other", "", 10, true, true, false}}));
}

TEST_F(ServerOptionsTest, TheMoreCarefulOfCommandLineAndTableHolds) {
  const std::string file = R"(
[mirror.low]
path = "/low"
max-delete = 5
fsync = true
take-over = false
[mirror.high]
path = "/high"
max-delete = 500
take-over = true
[mirror.silent]
path = "/silent"
)";
  const std::vector<MirrorOptions> expected = {{"low", "/low", "", 5, true, false, true},
                                               {"high", "/high", "", 50, true, true, true},
                                               {"silent", "/silent", "", 50, true, true, true}};
  EXPECT_EQ(read_file(file, {"--max-delete=50", "--fsync", "--take-over", "--accept-root"})->mirrors,
            expected);
  const Result<Options> off = read_file(file, {"--fsync=false", "--take-over=false"});
  EXPECT_TRUE(off->mirrors[0].fsync);
  EXPECT_FALSE(off->mirrors[1].take_over);
  around_.set("SERVER_SYNC_MAX_DELETE", "7");
  EXPECT_EQ(read_file(file)->mirrors[1].max_delete, 7U);
}

TEST_F(ServerOptionsTest, TomlInAnyFormIsRead) {
  for (const std::string_view text : {
           "\xef\xbb\xbf[mirror.a]\npath = \"/a\"\n",      // a byte order mark
           "[mirror.a]\r\npath = '/a'\r\n",                // CRLF
           "\t[mirror.a]\t# here\n\t\tpath\t=\t'/a'",      // tabs, no end of line
           "mirror = { a = { path = \"/a\" } }",           // inline
           "mirror.a.path = '/a'",                         // dotted
           "[mirror]\n[mirror.a]\n\"path\" = '''/a'''\n",  // quoted
           "[mirror.a]\npath = \"/\\u0061\"\n",            // escaped
       }) {
    const Result<Options> options = read_file(text);
    ASSERT_TRUE(options) << text << ": " << options.error().text();
    EXPECT_EQ(options->mirrors, std::vector{mirror("a", "/a")}) << text;
  }
}

struct Wrong {
  std::string file;
  std::string error;
};

TEST_F(ServerOptionsTest, SaysWhatIsWrongInTheFileAndWhere) {
  const std::vector<Wrong> cases = {
      {"\nmax_delete = 3", "FILE:2: unknown key 'max_delete'; did you mean 'max-delete'?"},
      {"Adress = 'x'", "FILE:1: unknown key 'Adress'; did you mean 'address'?"},
      {"port = 1", "FILE:1: unknown key 'port'; did you mean 'control-port'?"},
      {"zzzzzzzzz = 1",
       "FILE:1: unknown key 'zzzzzzzzz'; known are mirror, max-syncs, address, control-port, data-port, "
       "monitor, no-monitor, require-keys, insecure, keys-dir, key, max-delete, take-over, accept-root, "
       "fsync, state-dir, log-file, json"},
      {"'' = 1",
       "FILE:1: unknown key ''; known are mirror, max-syncs, address, control-port, data-port, monitor, "
       "no-monitor, require-keys, insecure, keys-dir, key, max-delete, take-over, accept-root, fsync, "
       "state-dir, log-file, json"},
      {"[mirrors.a]\npath = '/a'", "FILE:1: unknown key 'mirrors'; did you mean 'mirror'?"},
      {"[home]\npath = '/a'", "FILE:1: unknown key 'home': if this is a mirror, write [mirror.home]"},
      {"config = 'x'", "FILE:1: 'config' cannot be said in a file"},
      {"help = true", "FILE:1: 'help' cannot be said in a file"},
      {"max-delete = '3'", "FILE:1: 'max-delete' must be a whole number, not text \"3\""},
      {"max-delete = 3.5", "FILE:1: 'max-delete' must be a whole number, not 3.5"},
      {"max-delete = -3", "FILE:1: 'max-delete' must be a number between 0 and 18446744073709551615, not -3"},
      {"control-port = 70000", "FILE:1: 'control-port' must be a number between 0 and 65535, not 70000"},
      {"max-syncs = 0", "FILE:1: 'max-syncs' must be a number between 1 and 1024, not 0"},
      {"json = 1", "FILE:1: 'json' must be true or false, not 1"},
      {"json = 2026-01-01", "FILE:1: 'json' must be true or false, not a date or time"},
      {"address = ['a']", "FILE:1: 'address' must be text in quotes, not an array"},
      {"address = { a = 1 }", "FILE:1: 'address' must be text in quotes, not a table"},
      {"address = \"a\\u0000b\"", "FILE:1: 'address' must be text without NUL, not text \"a\\#000b\""},
      {"state-dir = 'x'", "FILE:1: 'state-dir' must be a path from / on, not text \"x\""},
      {"log-file = ''", "FILE:1: 'log-file' must be a path from / on, not text \"\""},
      {"[mirror.a]\npath = '~/a'",
       "FILE:2: 'path' must be a path from / on (nothing replaces the ~), not text \"~/a\""},
      {"[mirror.a]\npath = 'a'", "FILE:2: 'path' must be a path from / on, not text \"a\""},
      {"[mirror.a]\nmax-delete = true", "FILE:2: 'max-delete' must be a whole number, not true"},
      {"[mirror.a]\npath = '/a'\ncoment = 'x'", "FILE:3: unknown key 'coment'; did you mean 'comment'?"},
      {"[mirror.a]\npath = '/a'\naddress = 'x'",
       "FILE:3: unknown key 'address': this is for the whole server: write it above the first [mirror.NAME]"},
      {"[mirror.a]\ncomment = \"a\\nb\"",
       "FILE:2: 'comment' must be one line of characters that can be shown"},
      {"[mirror.a]\ncomment = '" + std::string(1025, 'x') + "'",
       "FILE:2: 'comment' must be at most 1024 bytes, not 1025"},
      {"[mirror.a]\n", "FILE:1: mirror 'a' has no path"},
      {"[mirror]\na = 1", "FILE:2: a mirror is a table: [mirror.NAME], and below it path = \"/...\""},
      {"[[mirror]]\npath = '/a'",
       "FILE:1: 'mirror' must be a table for each mirror: [mirror.NAME], not an array"},
      {"[mirror.a.b]\npath = '/a'",
       "FILE:1: unknown key 'b': a name with a dot needs quotes: [mirror.\"a.b\"]"},
      {"[mirror.'a/b']",
       "FILE:1: 'a/b' cannot be the name of a mirror: a client names a mirror, not a path in it, so '/' is "
       "not allowed"},
      {"[mirror.'a:b']",
       "FILE:1: 'a:b' cannot be the name of a mirror: clients write HOST:PORT::NAME, so ':' is not allowed"},
      {"[mirror.\"a\\nb\"]",
       "FILE:1: 'a\\#012b' cannot be the name of a mirror: it has characters that cannot be shown, or is not "
       "UTF-8"},
      {"[mirror.\"..\"]", "FILE:1: '..' cannot be the name of a mirror: it would be taken for a directory"},
      {"[mirror.'a ']", "FILE:1: 'a ' cannot be the name of a mirror: a space at its end would not be seen"},
      {"[mirror." + std::string(256, 'x') + "]",
       "FILE:1: '" + std::string(256, 'x') +
           "' cannot be the name of a mirror: it is longer than 255 "
           "bytes"},
      {"[mirror.a]\npath = '/a'\n[mirror.a]\npath = '/b'",
       "FILE:3:1: Error while parsing table header: cannot redefine existing table 'mirror.a'"},
      {"json = true\njson = true",
       "FILE:2:8: Error while parsing key-value pair: cannot redefine existing boolean 'json'"},
      {"json = yes", "FILE:1:8: Error while parsing value: could not determine value type"},
      {"path = /srv/a", "FILE:1:8: Error while parsing value: could not determine value type"},
      {"\xff = 1", "FILE:1:1: Encountered invalid utf-8 sequence"},
      {"", "there is no mirror: FILE has no table [mirror.NAME] with a path, and no DIR is given"},
      {"[mirror.a]\npath = '/a'\n[mirror.b]\npath = '/a/b'",
       "mirror 'b' (/a/b) is inside mirror 'a' (/a), whose syncs would delete it"},
  };
  for (const Wrong& wrong : cases) {
    const std::string said = error(read_file(wrong.file));
    EXPECT_EQ(said, wrong.error) << wrong.file;
  }
}

TEST_F(ServerOptionsTest, SaysWhichVariableIsWrong) {
  const auto said_of = [&](const std::string& name, const std::string& value) {
    around_.set(name, value);
    std::string said = error(read({"/a"}));
    around_.set(name, "");
    return said;
  };
  EXPECT_EQ(said_of("SERVER_SYNC_MAX_DELETE", "-1"),
            "SERVER_SYNC_MAX_DELETE: must be a number between 0 and 18446744073709551615, not -1");
  EXPECT_EQ(said_of("SERVER_SYNC_CONTROL_PORT", "0x10"),
            "SERVER_SYNC_CONTROL_PORT: must be a number between 0 and 65535, not 0x10");
  EXPECT_EQ(said_of("SERVER_SYNC_FSYNC", "maybe"), "SERVER_SYNC_FSYNC: must be true or false, not 'maybe'");
}

TEST_F(ServerOptionsTest, AMistakeOnTheCommandLineNamesTheOption) {
  EXPECT_EQ(error(read({"/a", "--max-delete=-1"})),
            "--max-delete: must be a number between 0 and 18446744073709551615, not -1\n"
            "Run with --help for more information.");
  EXPECT_EQ(read({"/a", "--control-port=010"})->control_port, 10);
}

TEST_F(ServerOptionsTest, WithoutAMirrorItSaysWhatToDo) {
  EXPECT_EQ(error(read({})),
            "there is no mirror: say server-sync DIR, or --config FILE with a table [mirror.NAME]");
}

// server-sync "$MIRROR" --config FILE, with a variable that is not set.
TEST_F(ServerOptionsTest, AnEmptyDirectoryIsNotNone) {
  EXPECT_EQ(error(read_file("[mirror.a]\npath = '/a'", {""})),
            "DIR: must not be empty\nRun with --help for more information.");
}

TEST_F(ServerOptionsTest, DirAndATableWithoutANameAreTwoOfOne) {
  EXPECT_EQ(read_file("[mirror.\"\"]\npath = '/a'")->mirrors, std::vector{mirror("", "/a")});
  EXPECT_EQ(error(read_file("[mirror.\"\"]\npath = '/a'", {"/b"})),
            "the mirror without a name is there twice: /b and /a");
}

TEST_F(ServerOptionsTest, AFileThatCannotBeReadIsNamed) {
  EXPECT_EQ(error(read({"--config", "/does/not/exist"})), "/does/not/exist: No such file or directory");
  const std::string directory = around_.make_directory("d");
  EXPECT_EQ(error(read({"--config", directory})), directory + ": Is a directory");
  EXPECT_EQ(error(read_file("\n" + std::string(8193, '#'))),
            "FILE:2: longer than 8.0 KiB: this is no configuration");
  EXPECT_EQ(error(read_file(std::string(1100000, '\n'))),
            "FILE: more than 1.0 MiB: this is no configuration");
  EXPECT_EQ(error(read({"--config", ""})), "the configuration file has no name");
}

// Clients could say there what the server does next.
TEST_F(ServerOptionsTest, AFileInAMirrorIsRefused) {
  const std::string directory = around_.make_directory("m");
  const std::string file = around_.write("m/c.toml", "[mirror.m]\npath = \"" + directory + "\"\n");
  EXPECT_EQ(error(read({"--config", file})), "the configuration " + file + " is inside mirror 'm' (" +
                                                 directory + "), whose clients could overwrite it");
}

TEST_F(ServerOptionsTest, CanBeReadAgain) {
  ASSERT_TRUE(read_file("[mirror.a]\npath = '/a'"));
  EXPECT_FALSE(read_file("[mirror.a]\npath = "));
  EXPECT_EQ(read_file("[mirror.b]\npath = '/b'")->mirrors, std::vector{mirror("b", "/b")});
}

}  // namespace
}  // namespace ssync::server_program
