// Whatever comes, decoding ends with a message or an Error: no crash, no hang, no allocation that the input
// does not pay for. What it accepts it can encode, and reads again as the same.
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "ssync/wire/codec.h"
#include "ssync/wire/data.h"
#include "ssync/wire/describe.h"
#include "ssync/wire/tap.h"

#include "hex.h"
#include "samples.h"

namespace ssync::wire {
namespace {

using test::same;

/// The seed is printed by a failing test, and taken from SSYNC_SEED when it is set.
std::uint64_t seed() {
  const char* given = std::getenv("SSYNC_SEED");
  return given != nullptr ? std::strtoull(given, nullptr, 10) : 20240607;
}

class WireFault : public testing::Test {
 protected:
  std::size_t below(std::size_t bound) {
    return std::uniform_int_distribution<std::size_t>(0, bound - 1)(random_);
  }
  std::byte any_byte() { return static_cast<std::byte>(below(256)); }

  Buffer any_bytes(std::size_t max) {
    Buffer out = Buffer::allocate(below(max));
    for (std::byte& byte : out.writable())
      byte = any_byte();
    return out;
  }

  /// One to four changes: a byte replaced, inserted, left out, or the end cut off.
  Buffer mutated(const Buffer& from) {
    std::vector<std::byte> bytes(from.bytes().begin(), from.bytes().end());
    for (std::size_t n = 1 + below(4); n > 0 && !bytes.empty(); --n) {
      const auto at = static_cast<std::ptrdiff_t>(below(bytes.size()));
      switch (below(4)) {
        case 0:
          bytes[static_cast<std::size_t>(at)] = any_byte();
          break;
        case 1:
          bytes.insert(bytes.begin() + at, any_byte());
          break;
        case 2:
          bytes.erase(bytes.begin() + at);
          break;
        default:
          bytes.resize(below(8) == 0 ? static_cast<std::size_t>(at) : bytes.size());
      }
    }
    return Buffer::copy_of(bytes);
  }

  static void receive_request(Frames frames) {
    (void)seq_of(frames.head.bytes());
    const auto request = decode_request(std::move(frames));
    if (!request) return;
    (void)summary_of(*request);
    (void)details_of(*request);
    const auto again = decode_request(encode(*request));
    ASSERT_TRUE(again) << again.error().text();
    EXPECT_TRUE(same(*again, *request));
  }
  static void receive_reply(Frames frames) {
    const auto reply = decode_reply(std::move(frames));
    if (!reply) return;
    (void)summary_of(*reply);
    (void)details_of(*reply);
    const auto again = decode_reply(encode(*reply));
    ASSERT_TRUE(again) << again.error().text();
    EXPECT_TRUE(same(*again, *reply));
  }

  std::mt19937_64 random_{seed()};
  testing::ScopedTrace trace_{__FILE__, __LINE__, "SSYNC_SEED=" + std::to_string(seed())};
};

TEST_F(WireFault, RandomBytesAreRefusedOrUnderstood) {
  for (int i = 0; i < 3000; ++i) {
    receive_request({.head = any_bytes(200), .body = any_bytes(200)});
    receive_reply({.head = any_bytes(200), .body = any_bytes(200)});
    (void)decode_data(any_bytes(200).bytes(), below(1000));
    (void)decode_tap(any_bytes(200).bytes());
  }
}

TEST_F(WireFault, ChangedRequestsAreRefusedOrUnderstood) {
  for (const auto& sample : test::sample_requests()) {
    const Frames frames = encode(sample.message);
    for (int i = 0; i < 400; ++i) {
      receive_request({.head = mutated(frames.head), .body = frames.body.share()});
      receive_request({.head = frames.head.share(), .body = mutated(frames.body)});
    }
  }
}

TEST_F(WireFault, ChangedRepliesAreRefusedOrUnderstood) {
  for (const auto& sample : test::sample_replies()) {
    const Frames frames = encode(sample.message);
    for (int i = 0; i < 400; ++i) {
      receive_reply({.head = mutated(frames.head), .body = frames.body.share()});
      receive_reply({.head = frames.head.share(), .body = mutated(frames.body)});
    }
  }
}

TEST_F(WireFault, ChangedDataHeadsAreRefusedOrUnderstood) {
  for (const auto& sample : test::sample_data()) {
    const Buffer head = encode(sample.message);
    for (int i = 0; i < 2000; ++i) {
      const auto decoded = decode_data(mutated(head).bytes(), sample.payload_bytes);
      if (!decoded) continue;
      const auto again = decode_data(encode(*decoded).bytes(), sample.payload_bytes);
      ASSERT_TRUE(again);
      EXPECT_EQ(*again, *decoded);
    }
  }
}

TEST_F(WireFault, ChangedTapRecordsAreRefusedOrUnderstood) {
  for (const TapRecord& record : test::sample_records()) {
    const Buffer bytes = encode(record);
    for (int i = 0; i < 2000; ++i) {
      const auto decoded = decode_tap(mutated(bytes).bytes());
      if (!decoded) continue;
      EXPECT_EQ(decode_tap(encode(*decoded).bytes()).value(), *decoded);
    }
  }
}

Buffer prefix_of(const Buffer& whole, std::size_t bytes) {
  Buffer part = whole.share();
  part.shorten(bytes);
  return part;
}

TEST_F(WireFault, EveryPrefixOfAMessageIsRefused) {
  for (const auto& sample : test::sample_requests()) {
    const Frames frames = encode(sample.message);
    for (std::size_t size = 0; size < frames.head.size(); ++size) {
      EXPECT_FALSE(decode_request({.head = prefix_of(frames.head, size), .body = frames.body.share()}))
          << sample.name << " head " << size;
    }
    for (std::size_t size = 0; size < frames.body.size(); ++size) {
      EXPECT_FALSE(decode_request({.head = frames.head.share(), .body = prefix_of(frames.body, size)}))
          << sample.name << " body " << size;
    }
  }
}

TEST_F(WireFault, DeepNestingIsRefusedBeforeItCosts) {
  Buffer deep = Buffer::allocate(kHeadBytesMax);
  for (std::byte& byte : deep.writable())
    byte = std::byte{0x91};
  EXPECT_EQ(decode_request({.head = deep.share(), .body = {}}).error().code, Errc::limit);
  const Frames list = encode(test::sample_requests()[2].message);
  EXPECT_EQ(decode_request({.head = list.head.share(), .body = deep.share()}).error().code, Errc::limit);
}

}  // namespace
}  // namespace ssync::wire
