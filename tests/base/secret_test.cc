#include "ssync/base/secret.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <fstream>
#include <sstream>
#include <string>
#include <utility>

#include <gtest/gtest.h>

namespace ssync {
namespace {

/// The flags that the kernel has for the page (proc(5), smaps): "rd wr mr mw me dd ac".
std::string flags_of(const void* address) {
  std::ifstream maps("/proc/self/smaps");
  const auto wanted = reinterpret_cast<std::uintptr_t>(address);
  bool here = false;
  for (std::string line; std::getline(maps, line);) {
    std::uintptr_t begin = 0;
    std::uintptr_t end = 0;
    char dash = 0;
    std::istringstream range(line);
    if (range >> std::hex >> begin >> dash >> end && dash == '-') here = begin <= wanted && wanted < end;
    if (here && line.starts_with("VmFlags:")) return line;
  }
  return {};
}

TEST(SecretTest, IsLeftOutOfCoreDumps) {
  const Secret secret = Secret::random();
  EXPECT_NE(flags_of(secret.bytes().data()).find(" dd"), std::string::npos)
      << flags_of(secret.bytes().data());
}

TEST(SecretTest, AStartIsAllZeroAndARandomOneIsNot) {
  const std::array<std::byte, Secret::kBytes> zeros{};
  EXPECT_TRUE(std::ranges::equal(Secret().bytes(), zeros));
  EXPECT_FALSE(std::ranges::equal(Secret::random().bytes(), zeros));
  EXPECT_FALSE(std::ranges::equal(Secret::random().bytes(), Secret::random().bytes()));
}

TEST(SecretTest, MovesAndIsCopiedOnRequestOnly) {
  Secret first = Secret::random();
  const Secret copy = first.clone();
  const std::byte* const place = first.bytes().data();
  Secret second = std::move(first);
  EXPECT_EQ(second.bytes().data(), place);
  EXPECT_TRUE(std::ranges::equal(second.bytes(), copy.bytes()));
  static_assert(!std::is_copy_constructible_v<Secret>);
}

TEST(SecretTest, WhatItWasCopiedToIsWiped) {
  std::array<std::byte, 4> bytes{std::byte{1}, std::byte{2}, std::byte{3}, std::byte{4}};
  { const Wiper wiper(bytes); }
  EXPECT_EQ(bytes, (std::array<std::byte, 4>{}));
}

}  // namespace
}  // namespace ssync
