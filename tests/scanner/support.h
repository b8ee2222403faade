// A fake tree, an index in a directory of its own, and scans of the one with the other.
#pragma once

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "ssync/index/index.h"
#include "ssync/scanner/scanner.h"
#include "ssync/support/fake_tree.h"

namespace ssync::scanner::test {

using support::dir;
using support::FakeOp;
using support::FakeTree;
using support::file;
using support::link;
using support::special;

/// A ScannedEntry that owns its strings.
struct Row {
  Kind kind = Kind::file;
  std::string target;
  bool doubt = false;
  bool has_checksum = false;
  std::optional<Values> wanted;
  std::string origin;  ///< "location/name", and " proven"
};

struct Scanned {
  std::vector<std::string> locations;    ///< of the blocks, in the order they came
  std::vector<std::string> paths;        ///< of the entries, likewise
  std::vector<std::string> holding_own;  ///< locations of the blocks that say so
  std::map<std::string, Row> rows;
  std::vector<std::string> problems;  ///< "path: text", and " (subtree)", " (warning)"
  std::optional<Seen> self;
  std::optional<Error> error;
  Counts counts;
};

inline Row row_of(const ScannedEntry& entry) {
  Row row{.kind = entry.seen.values.kind,
          .target = std::string(entry.target),
          .doubt = entry.doubt,
          .has_checksum = entry.checksum.has_value(),
          .wanted = entry.wanted};
  if (entry.origin)
    row.origin = join({entry.origin->location, entry.origin->name}) + (entry.origin->proven ? " proven" : "");
  return row;
}

inline void collect(const ScanBlock& block, Scanned& scanned) {
  scanned.locations.push_back(block.location);
  if (block.holds_own) scanned.holding_own.push_back(block.location);
  if (block.self) scanned.self = block.self;
  for (const ScannedEntry& entry : block.entries) {
    const std::string path = join({block.location, entry.name});
    scanned.paths.push_back(path);
    scanned.rows[path] = row_of(entry);
  }
  for (const Problem& problem : block.problems)
    scanned.problems.push_back(join(problem.path()) + ": " + problem.text +
                               (problem.subtree ? " (subtree)" : "") + (problem.warning ? " (warning)" : ""));
}

class ScannerTest : public ::testing::Test {
 protected:
  ScannerTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "ssync-scanner-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) std::abort();
    directory_ = pattern;
  }
  ~ScannerTest() override { std::filesystem::remove_all(directory_); }

  [[nodiscard]] index::Index open_index(index::Role role = index::Role::source) const {
    Result<index::Index> opened = index::Index::open(directory_ / "state", role, "/data");
    if (!opened) throw std::runtime_error(opened.error().text());
    return *std::move(opened);
  }

  enum class Commit : bool { no, yes };
  static Scanned scan(fs::Tree& tree, index::Index& idx, Options options = {}, Commit commit = Commit::yes) {
    Scanner scanner(tree, idx, std::move(options));
    Scanned scanned;
    while (true) {
      Result<std::optional<ScanBlock>> block = scanner.next();
      if (!block) {
        scanned.error = std::move(block).error();
        return scanned;
      }
      if (!*block) break;
      collect(**block, scanned);
    }
    scanned.counts = scanner.counts();
    if (commit == Commit::yes) {
      const Result<void> done = scanner.commit_index(idx.header());
      EXPECT_TRUE(done) << done.error().text();
    }
    return scanned;
  }
  static Scanned scan_mirror(fs::Tree& tree, index::Index& idx) {
    return scan(tree, idx, {.role = index::Role::mirror});
  }

  /// As if the file's content had been read: a checksum that its record's stat goes with.
  static void learn(fs::Tree& tree, index::Index& idx, PathView path, std::byte checksum) {
    const auto opened = tree.open(path.location);
    index::Record record = idx.find(path).value_or(index::Record{});
    record.held = (*opened)->stat(path.name)->seen;
    record.checksum.emplace().fill(checksum);
    record.racy = false;
    ASSERT_TRUE(idx.append(path, record));
    ASSERT_TRUE(idx.flush_log(index::Index::Durable::no));
  }

  std::filesystem::path directory_;
};

}  // namespace ssync::scanner::test
