#include "client_files.h"

#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <string>

#include <gtest/gtest.h>

#include "ssync/support/surroundings.h"

namespace ssync::server_program {
namespace {

using std::chrono::system_clock;

net::PublicKey key_of(unsigned char byte) {
  net::PublicKey key;
  key.bytes.fill(std::byte{byte});
  return key;
}

class ClientFilesTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(files_.make_directories()); }
  void write(const std::string& name, const std::string& text) {
    const std::string path = files_.clients_directory() + "/" + name;
    std::ofstream(path) << text;
    ::chmod(path.c_str(), 0600);
  }
  ClientFiles::Loaded load() { return files_.load().value(); }
  void invite(const std::string& name, unsigned char key = 1, const std::string& rights = "") {
    const auto kept = files_.invite(
        {name, key_of(key), "home,work-*", rights, system_clock::now() + std::chrono::hours(1)});
    ASSERT_TRUE(kept) << kept.error().text();
  }
  serve::Invitation invitation(const std::string& name) {
    for (const serve::Invitation& one : load().clients.invitations)
      if (one.name == name) return one;
    ADD_FAILURE() << name;
    return {};
  }

  support::Surroundings around_;
  const ClientFiles files_{around_.path("keys")};
};

TEST_F(ClientFilesTest, NothingIsNobody) {
  EXPECT_TRUE(load().clients.clients.empty());
  EXPECT_TRUE(ClientFiles(around_.path("not-there")).load().value().clients.clients.empty());
}

TEST_F(ClientFilesTest, AClientIsWhatItsFileSays) {
  write("laptop.toml", "key = \"" + net::text_of(key_of(7)) +
                           "\"\nmirrors = \"home, photos-*\"\nrights = \"push, no-delete, max-delete=5\"\n"
                           "expires = \"2027-01-31\"\n");
  const auto loaded = load();
  EXPECT_TRUE(loaded.problems.empty()) << loaded.problems.front();
  ASSERT_EQ(loaded.clients.clients.size(), 1U);
  const serve::Client& client = loaded.clients.clients.front();
  EXPECT_EQ(client.name, "laptop");
  EXPECT_EQ(client.key, key_of(7));
  EXPECT_EQ(client.rights.mirrors, (std::vector<std::string>{"home", "photos-*"}));
  EXPECT_TRUE(client.rights.no_delete);
  EXPECT_FALSE(client.rights.look_only);
  EXPECT_EQ(client.rights.limits.max_delete, 5U);
  EXPECT_TRUE(client.rights.expires.has_value());
}

TEST_F(ClientFilesTest, ABadFileIsToldAndHarmsNoOther) {
  write("good.toml", "key = \"" + net::text_of(key_of(7)) + "\"\n");
  write("a.toml", "");
  write("b.toml", "key = \"1234\"\n");
  write("c.toml", "key = \"" + net::text_of(key_of(8)) + "\"\nrights = \"everything\"\n");
  write("d.toml", "key = \"" + net::text_of(key_of(9)) + "\"\nmirror = \"x\"\n");
  write("e.toml", "this is no toml");
  write("twin.toml", "key = \"" + net::text_of(key_of(7)) + "\"\n");
  write("ignored.toml~", "x");
  const auto loaded = load();
  ASSERT_EQ(loaded.clients.clients.size(), 1U);
  EXPECT_EQ(loaded.clients.clients.front().name, "good");
  ASSERT_EQ(loaded.problems.size(), 6U);
  EXPECT_NE(loaded.problems.at(3).find("did you mean 'mirrors'"), std::string::npos) << loaded.problems.at(3);
  EXPECT_NE(loaded.problems.at(5).find("good.toml"), std::string::npos) << loaded.problems.at(5);
}

TEST_F(ClientFilesTest, AnInvitationBecomesAClientOnce) {
  invite("laptop", 1, "look");
  const serve::Invitation invited = invitation("laptop");
  const auto entered = files_.enter(invited, key_of(2));
  ASSERT_TRUE(entered) << entered.error().text();
  EXPECT_TRUE(entered->rights.look_only);
  const auto loaded = load();
  EXPECT_TRUE(loaded.clients.invitations.empty());
  ASSERT_EQ(loaded.clients.clients.size(), 1U);
  EXPECT_EQ(loaded.clients.clients.front(), *entered);
  EXPECT_FALSE(files_.enter(invited, key_of(3)));
  EXPECT_EQ(load().clients.clients.size(), 1U);
}

TEST_F(ClientFilesTest, AKeyOfAnotherClientIsNotEnteredTwice) {
  write("other.toml", "key = \"" + net::text_of(key_of(2)) + "\"\n");
  invite("laptop");
  const auto refused = files_.enter(invitation("laptop"), key_of(2));
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().text().find("'other'"), std::string::npos);
  EXPECT_EQ(load().clients.invitations.size(), 1U) << "it is still good";
}

TEST_F(ClientFilesTest, AClientsNameIsNotInvitedAgain) {
  write("laptop.toml", "key = \"" + net::text_of(key_of(2)) + "\"\n");
  EXPECT_EQ(files_.invite({"laptop", key_of(1), "", "", system_clock::now()}).error().code,
            Errc::already_exists);
}

TEST_F(ClientFilesTest, AnInvitationIsReplacedByTheNextOne) {
  invite("laptop", 1);
  const serve::Invitation first = invitation("laptop");
  invite("laptop", 2);
  EXPECT_FALSE(files_.enter(first, key_of(9)));
  EXPECT_TRUE(files_.enter(invitation("laptop"), key_of(9)));
}

TEST_F(ClientFilesTest, RevokingRemovesClientAndInvitation) {
  write("a.toml", "key = \"" + net::text_of(key_of(2)) + "\"\n");
  invite("b");
  EXPECT_TRUE(files_.revoke("a"));
  EXPECT_TRUE(files_.revoke("b"));
  EXPECT_EQ(files_.revoke("a").error().code, Errc::not_found);
  EXPECT_TRUE(load().clients.clients.empty());
  EXPECT_TRUE(load().clients.invitations.empty());
}

TEST_F(ClientFilesTest, WhoWasHereIsRemembered) {
  EXPECT_EQ(files_.last_seen("laptop"), std::nullopt);
  files_.note_seen("laptop");
  const auto seen = files_.last_seen("laptop");
  ASSERT_TRUE(seen.has_value());
  EXPECT_LT(system_clock::now() - *seen, std::chrono::minutes(1));
}

TEST(RightsTest, AsTextComeBack) {
  for (const char* text : {"push", "look", "push,no-delete", "push,no-delete,max-delete=7", "look,monitor",
                           "push,max-entries=1000,max-bytes=20G"})
    EXPECT_EQ(text_of(parse_rights(text).value()), text);
  EXPECT_EQ(text_of(parse_rights("").value()), "push");
  for (const char* wrong : {"pull", "push,look", "max-delete", "max-delete=", "max-delete=-1",
                            "max-delete=1x", "max-bytes=", "max-entries=1K", "max-byte=1"})
    EXPECT_FALSE(parse_rights(wrong)) << wrong;
}

}  // namespace
}  // namespace ssync::server_program
