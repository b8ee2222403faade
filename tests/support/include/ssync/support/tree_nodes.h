// Trees as values: what a test starts from and what it compares with.
//
//   FakeTree tree({file("a", "text"), dir("d", file("b"), link("l", "../a"))});
//   build(root.tree(), {dir("d", file("b").with_mode(0600))});
//   EXPECT_EQ(dump(mirror), dump(source));
#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ssync/base/result.h"
#include "ssync/fs/tree.h"
#include "ssync/model/entry.h"

namespace ssync::support {

/// mtime of everything that is built without another one.
inline constexpr FileTime kBuiltMtime{1'600'000'000, 500'000'000};

/// One entry and what is below it. Made by the functions below.
struct Node {
  enum class Type : std::uint8_t { file, directory, symlink, special, hard_link };
  Type type = Type::file;
  std::string name;
  std::string text;  ///< content of a file, target of a link, path from the root of what a hard link leads to
  std::uint16_t mode = 0644;
  FileTime mtime = kBuiltMtime;
  std::optional<Owner> owner;  ///< without: the process's own
  std::uint64_t size = 0;      ///< of a file: a hole follows `text` up to here
  std::vector<Node> children;

  [[nodiscard]] Node with_mode(std::uint16_t value) && {
    mode = value;
    return std::move(*this);
  }
  [[nodiscard]] Node with_mtime(FileTime value) && {
    mtime = value;
    return std::move(*this);
  }
  [[nodiscard]] Node with_owner(Owner value) && {
    owner = value;
    return std::move(*this);
  }
  [[nodiscard]] Node with_size(std::uint64_t value) && {
    size = value;
    return std::move(*this);
  }
};

[[nodiscard]] Node file(std::string name, std::string content = {});
[[nodiscard]] Node link(std::string name, std::string target);
/// A fifo, as an example of what is not mirrored. FakeTree only.
[[nodiscard]] Node special(std::string name);
/// Another name of the file at `path`, which is built before. FakeTree only.
[[nodiscard]] Node hard_link(std::string name, std::string path);
template <std::same_as<Node>... Children>
[[nodiscard]] Node dir(std::string name, Children... children) {
  Node node;
  node.type = Node::Type::directory;
  node.name = std::move(name);
  node.mode = 0755;
  (node.children.push_back(std::move(children)), ...);
  return node;
}

/// Builds below `location` through the interface, so in any tree. Directories get their mode and mtime last.
[[nodiscard]] Result<void> build(fs::Tree& tree, const std::vector<Node>& nodes,
                                 std::string_view location = {});

struct DumpOptions {
  bool mtime = true;
  bool mode = true;
  bool owner = false;
  bool root = true;     ///< the root directory's own line
  bool staging = true;  ///< staging directories, shown as .server-sync.*
};

/// One line an entry, in row order: escaped path, kind, mode, size, mtime, content hash or link target. Two
/// trees are equal where their dumps are. What cannot be read has the error text in its line.
///
///   . dir 0755 - 1600000000.500000000
///   a file 0644 4 1600000000.500000000 "text"
///   b file 0644 99 1600000000.500000000 fnv:0123456789abcdef
///   d/l link - - 1600000000.500000000 -> ../a
///
/// Content is shown as text if it is at most 40 printable bytes, else as a hash.
[[nodiscard]] std::string dump(fs::Tree& tree, const DumpOptions& options = {});

/// The whole content of a file, or the Error. `path` as in join().
[[nodiscard]] Result<std::string> read_file(fs::Tree& tree, std::string_view path);

}  // namespace ssync::support
