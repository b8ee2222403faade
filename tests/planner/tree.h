// Small trees in memory, for both sides of a plan.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ssync/model/entry.h"

namespace ssync::planner::test {

/// The content's real XXH3-128.
Checksum checksum_of(std::string_view content);
/// 32 bytes that are equal for equal content only; no SHA-256.
Digest digest_of(std::string_view content);

/// One entry, and what its side's index says of it.
struct Node {
  Values values;
  std::string content;  ///< of a file
  std::string target;   ///< of a link
  std::uint64_t inode = 0;
  std::uint32_t links = 1;

  // Either side.
  bool doubt = false;
  bool knows_checksum = false;
  bool knows_digest = false;
  // Mirror.
  bool retry = false;
  std::optional<Values> wanted;
  // Source.
  struct From {
    std::string path;
    Checksum checksum{};
    bool proven = false;
  };
  std::optional<From> origin;
};

/// Paths are joined; "" is the root, always a directory. A value.
class Tree {
 public:
  Tree();
  /// Each makes missing parents. mtime in seconds.
  Node& dir(const std::string& path, std::uint16_t mode = 0755);
  Node& file(const std::string& path, std::string content, std::int64_t mtime = 1000);
  Node& link(const std::string& path, std::string target, std::int64_t mtime = 1000);
  /// `which`: Values::size of a special entry; 1 is a fifo.
  Node& special(const std::string& path, std::uint64_t which = 1);
  Node& unreadable(const std::string& path);

  [[nodiscard]] Node* find(const std::string& path);
  [[nodiscard]] const Node* find(const std::string& path) const;
  [[nodiscard]] bool has(const std::string& path) const { return find(path) != nullptr; }
  [[nodiscard]] bool has_children(const std::string& path) const;
  void erase_all(const std::string& path);
  /// Everything at or below `from` gets a new place, inodes unchanged. Requires: `to` is free and not inside
  /// `from`.
  void move(const std::string& from, const std::string& to);
  Node& put(const std::string& path, Node node);
  [[nodiscard]] Node take(const std::string& path);
  [[nodiscard]] std::uint64_t new_inode() { return next_inode_++; }

  /// In row order, the root first.
  [[nodiscard]] std::vector<std::string> paths() const;
  [[nodiscard]] std::size_t size() const { return nodes_.size() - 1; }

  /// As the index of a mirror has it after a sync: every entry's wanted values are its own.
  void settle_mirror();
  /// One line an entry: path, kind, mode, mtime and content.
  [[nodiscard]] std::string text() const;

 private:
  std::map<std::string, Node> nodes_;
  std::uint64_t next_inode_ = 100;
};

/// A row as a peer may send it: nothing but these values.
Row row(RowId id, std::string_view location, std::string_view name, Kind kind = Kind::file);
/// Rows of `tree`, cut into batches of `batch_rows`.
std::vector<RowBatch> list(const Tree& tree, std::size_t batch_rows);
/// Blocks of `tree`. Unreadable entries come with their Problem.
std::vector<ScanBlock> scan(const Tree& tree);
/// As a planner sees it in a snapshot: without ctime.
Seen seen_of(const Node& node);

}  // namespace ssync::planner::test
