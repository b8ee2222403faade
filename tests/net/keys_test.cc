#include "ssync/net/keys.h"

#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>
#include <thread>

#include <gtest/gtest.h>

#include "ssync/base/text.h"
#include "ssync/net/key_file.h"

namespace ssync::net {
namespace {

namespace stdfs = std::filesystem;

constexpr std::string_view kSecret = "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a";

// RFC 7748 §6.1: Alice's pair.
TEST(KeysTest, ThePublicPartIsThatOfX25519) {
  const auto bytes = from_hex(kSecret).value();
  const KeyPair pair = KeyPair::of(Secret(std::span<const std::byte, Secret::kBytes>(bytes)));
  EXPECT_EQ(text_of(pair.public_key), "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a");
}

TEST(KeysTest, AKeyAsTextComesBack) {
  const PublicKey key = KeyPair::random().public_key;
  EXPECT_EQ(parse_public_key(text_of(key)).value(), key);
  for (const std::string& wrong : {std::string(), text_of(key).substr(1), text_of(key) + "0",
                                   std::string(64, 'g'), std::string(64, '0')})
    EXPECT_EQ(parse_public_key(wrong).error().code, Errc::invalid_argument) << wrong;
}

TEST(KeysTest, AFingerprintIsShortAndOfTheKey) {
  const PublicKey one = KeyPair::random().public_key;
  const PublicKey two = KeyPair::random().public_key;
  EXPECT_EQ(fingerprint(one).size(), 24U);
  EXPECT_EQ(fingerprint(one), fingerprint(one));
  EXPECT_NE(fingerprint(one), fingerprint(two));
}

TEST(KeysTest, BothEndsMakeTheSamePairOfAToken) {
  const std::array<std::byte, 16> token{std::byte{1}};
  const std::array<std::byte, 16> other{std::byte{2}};
  EXPECT_EQ(KeyPair::from_token(token).public_key, KeyPair::from_token(token).public_key);
  EXPECT_NE(KeyPair::from_token(token).public_key, KeyPair::from_token(other).public_key);
}

class KeyFileTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (stdfs::temp_directory_path() / "ssync-keys-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    directory_ = name;
    path_ = directory_ + "/deep/er/client.key";
  }
  void TearDown() override { stdfs::remove_all(directory_); }
  void write(const std::string& text, mode_t mode = 0600) {
    stdfs::create_directories(stdfs::path(path_).parent_path());
    std::ofstream(path_) << text;
    ::chmod((directory_ + "/deep/er").c_str(), 0700);
    ::chmod(path_.c_str(), mode);
  }
  void write_good(mode_t mode = 0600) { write("ssync-key-1 " + std::string(kSecret) + "\n", mode); }
  std::string directory_, path_;
};

TEST_F(KeyFileTest, IsMadeOnceAndForItsOwnerAlone) {
  const mode_t before = ::umask(0);
  const PublicKey made = read_or_make_key(path_).value().public_key;
  ::umask(before);
  EXPECT_EQ(read_or_make_key(path_).value().public_key, made);
  EXPECT_EQ(read_key(path_).value().public_key, made);
  struct stat status {};
  ASSERT_EQ(::stat(path_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777U, 0600U);
  ASSERT_EQ(::stat((directory_ + "/deep").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777U, 0700U);
  EXPECT_EQ(std::distance(stdfs::directory_iterator(directory_ + "/deep/er"), {}), 1) << "nothing is left";
}

TEST_F(KeyFileTest, IsNotThereUntilItIsMade) {
  EXPECT_EQ(read_key(path_).error().code, Errc::not_found);
}

TEST_F(KeyFileTest, TwoWhoBeginTogetherGetTheSame) {
  for (int round = 0; round < 20; ++round) {
    stdfs::remove_all(directory_ + "/deep");
    PublicKey one;
    PublicKey two;
    {
      const std::jthread other([&] { one = read_or_make_key(path_).value().public_key; });
      two = read_or_make_key(path_).value().public_key;
    }
    EXPECT_EQ(one, two);
  }
}

TEST_F(KeyFileTest, IsRefusedWhenOthersCanReadIt) {
  write_good(0640);
  const auto refused = read_key(path_);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::permission);
  EXPECT_NE(refused.error().text().find("0640"), std::string::npos);
  EXPECT_NE(refused.error().text().find("chmod 600 " + path_), std::string::npos);
  EXPECT_EQ(read_or_make_key(path_).error().code, Errc::permission) << "and it is not made anew";
}

TEST_F(KeyFileTest, IsRefusedWhenOthersCanReplaceIt) {
  write_good();
  ::chmod((directory_ + "/deep/er").c_str(), 0777);
  EXPECT_NE(read_key(path_).error().text().find("chmod go-w"), std::string::npos);
  ::chmod((directory_ + "/deep/er").c_str(), 01777);
  EXPECT_TRUE(read_key(path_)) << "sticky, as /tmp";
}

TEST_F(KeyFileTest, IsRefusedWhenItIsALink) {
  write_good();
  const std::string link = directory_ + "/link";
  stdfs::create_symlink(path_, link);
  EXPECT_NE(read_key(link).error().text().find("symbolic link"), std::string::npos);
}

TEST_F(KeyFileTest, IsRefusedWhenItIsAnotherUsers) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give a file away";
  write_good();
  ASSERT_EQ(::chown(path_.c_str(), 12345, 12345), 0);
  EXPECT_NE(read_key(path_).error().text().find("belongs to user 12345"), std::string::npos);
}

TEST_F(KeyFileTest, IsRefusedWhenItIsDamaged) {
  for (const std::string& text :
       {std::string(), std::string("hello\n"), "ssync-key-1 " + std::string(kSecret.substr(2)),
        "ssync-key-2 " + std::string(kSecret), std::string(100'000, 'x')}) {
    write(text);
    const auto refused = read_key(path_);
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().text().find(path_), std::string::npos);
    EXPECT_EQ(refused.error().text().find("6d0a7318"), std::string::npos) << "no secret in a message";
  }
}

TEST_F(KeyFileTest, AFifoDoesNotHoldItUp) {
  const std::string fifo = directory_ + "/fifo";
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  EXPECT_NE(read_key(fifo).error().text().find("no regular file"), std::string::npos);
}

}  // namespace
}  // namespace ssync::net
