// What every tree promises, run against the real file system (on disk and in memory) and the fake.
#pragma once

#include <unistd.h>

#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "ssync/fs/tree.h"
#include "ssync/support/fake_tree.h"
#include "ssync/support/tree_nodes.h"

#include "temporary_root.h"

namespace ssync::fs {

enum class On : std::uint8_t { disk, memory, fake };

class TreeSuite : public testing::TestWithParam<On> {
 protected:
  void SetUp() override {
    if (GetParam() == On::fake) {
      fake_ = std::make_unique<support::FakeTree>();
      return;
    }
    const std::string parent = GetParam() == On::memory ? memory_parent() : disk_parent();
    if (parent.empty()) GTEST_SKIP() << "no tmpfs at /dev/shm";
    directory_.emplace(parent);
    auto opened = Root::open(directory_->path(), Root::Lock::no);
    ASSERT_TRUE(opened) << opened.error().text();
    root_.emplace(*std::move(opened));
  }

  Tree& tree() { return fake_ ? static_cast<Tree&>(*fake_) : root_->tree(); }
  std::unique_ptr<Directory> open(std::string_view location) { return tree().open(location).value(); }
  std::unique_ptr<Directory> top() { return open(""); }
  void build(const std::vector<support::Node>& nodes) { ASSERT_TRUE(support::build(tree(), nodes)); }
  std::string dump() { return support::dump(tree(), {.mtime = false, .root = false}); }
  std::string read(std::string_view path) { return support::read_file(tree(), path).value(); }

  /// Until a change gets a ctime later than any before. The real clock has a coarse tick, the fake one stands
  /// still.
  void tick() {
    if (fake_) return fake_->tick();
    const FileTime before = tree().clock();
    while (is_racy(before, tree().clock()))
      std::this_thread::yield();
  }

  std::vector<std::string> names(std::string_view location);

 private:
  std::optional<TemporaryDirectory> directory_;
  std::optional<Root> root_;
  std::unique_ptr<support::FakeTree> fake_;
};

inline std::span<const std::byte> bytes(std::string_view text) {
  return std::as_bytes(std::span(text));
}

/// For Result: the code of the error, or an empty optional.
template <typename T>
std::optional<Errc> code(const Result<T>& result) {
  if (result) return std::nullopt;
  return result.error().code;
}

std::string param_name(const testing::TestParamInfo<On>& info);

}  // namespace ssync::fs
