// Records, a state directory of its own, and small trees for the index's tests.
#pragma once

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "ssync/index/index.h"

namespace ssync::index {

inline void PrintTo(const Record& record, std::ostream* out) {
  *out << "Record{inode " << record.held.inode << ", size " << record.held.values.size << ", ctime "
       << record.held.ctime.s << "." << record.held.ctime.ns << (record.wanted ? ", wanted" : "")
       << (record.checksum ? ", checksum" : "") << (record.digest ? ", digest" : "")
       << (record.racy ? ", racy" : "") << (record.retry ? ", retry" : "") << ", unmirrored "
       << unsigned{record.unmirrored} << (record.boundary ? ", boundary" : "");
  if (record.names) *out << ", " << *record.names << " names";
  *out << "}";
}

namespace test {

/// Values of all kinds, each a function of `number`.
inline Record record_of(std::uint64_t number, Kind kind = Kind::file) {
  Record record;
  const auto small = static_cast<std::uint32_t>(number % 1000);
  record.held.values = {.kind = kind,
                        .mode = static_cast<std::uint16_t>(number % 3 == 0 ? 0644 : 04755),
                        .size = kind == Kind::file ? number * 37 : 0,
                        .mtime = {1'700'000'000 - static_cast<std::int64_t>(number), small * 1000},
                        .owner = {small % 5, small % 7}};
  record.held.ctime = {1'700'000'100 + static_cast<std::int64_t>(number), 999'999'999 - small};
  record.held.device = 42 + number % 2;
  record.held.inode = 1000 + number;
  record.held.links = number % 10 == 0 ? 3 : 1;
  if (number % 4 == 1) record.wanted = record.held.values;
  if (number % 4 == 2)
    record.wanted = Values{.kind = kind, .mode = 0600, .size = number, .mtime = {-5, 7}, .owner = {9, 8}};
  if (number % 3 != 0) record.checksum.emplace().fill(static_cast<std::byte>(number));
  if (number % 5 == 1) {
    record.digest.emplace();
    record.digest->kind = number % 2 == 0 ? DigestKind::md5 : DigestKind::sha256;
    for (std::size_t i = 0; i < record.digest->size(); ++i)
      record.digest->bytes[i] = static_cast<std::byte>(number + i);
  }
  record.racy = number % 7 == 3;
  record.retry = number % 11 == 4;
  if (number % 9 == 5) record.unmirrored = static_cast<std::uint8_t>(1 + number % 7);
  if (kind == Kind::directory && number % 2 == 0) record.names = small - 2;
  record.boundary = kind == Kind::directory && number % 3 == 1;
  return record;
}

struct RowOrder {
  bool operator()(const std::string& a, const std::string& b) const noexcept {
    return compare_locations(a, b) < 0;
  }
};
/// location -> name -> record, as the index wants it sorted.
using Contents = std::map<std::string, std::map<std::string, Record>, RowOrder>;

class IndexTest : public ::testing::Test {
 protected:
  IndexTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "ssync-index-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) std::abort();
    directory_ = pattern;
  }
  ~IndexTest() override { std::filesystem::remove_all(directory_); }

  [[nodiscard]] std::string state_dir() const { return directory_ / "state"; }
  [[nodiscard]] Index open(const std::string& root = "/data", Role role = Role::mirror) const {
    Result<Index> index = Index::open(state_dir(), role, root);
    if (!index) throw std::runtime_error(index.error().text());
    return *std::move(index);
  }
  /// The one file with this ending; empty when there is none.
  [[nodiscard]] std::filesystem::path file(const std::string& ending) const {
    for (const auto& entry : std::filesystem::directory_iterator(state_dir()))
      if (entry.path().string().ends_with(ending)) return entry.path();
    return {};
  }

  static void add_all(Index::Writer& writer, const Contents& contents) {
    for (const auto& [location, rows] : contents) {
      ASSERT_TRUE(writer.begin_directory(location));
      for (const auto& [name, record] : rows)
        ASSERT_TRUE(writer.add(name, record));
    }
  }
  static void write(Index& index, const Contents& contents, const Header& header = {}) {
    Result<Index::Writer> writer = index.rewrite();
    ASSERT_TRUE(writer);
    add_all(*writer, contents);
    const Result<void> done = index.commit(*std::move(writer), header);
    ASSERT_TRUE(done) << done.error().text();
  }
  /// What is found at the paths of `contents`, by cursors in row order.
  static Contents read(const Index& index, const Contents& contents) {
    Contents found;
    for (const auto& [location, rows] : contents) {
      Index::Cursor cursor = index.directory(location);
      found[location];
      Record record;
      for (const auto& [name, unused] : rows)
        if (cursor.find(name, record) == Index::Cursor::Found::yes) found[location][name] = record;
    }
    return found;
  }

  std::filesystem::path directory_;
};

/// Three levels, one directory of more than two blocks, an empty one, odd names.
inline Contents sample_tree() {
  Contents tree;
  tree[""][""] = record_of(1, Kind::directory);
  tree[""]["a"] = record_of(2, Kind::directory);
  tree[""]["link"] = record_of(3, Kind::symlink);
  tree[""]["empty"] = record_of(4, Kind::directory);
  tree["empty"];
  tree["a"]["\xff\x01 odd"] = record_of(5);
  tree["a"]["big"] = record_of(6, Kind::directory);
  for (std::uint64_t i = 0; i < 700; ++i)
    tree["a/big"]["file_" + std::to_string(i)] = record_of(100 + i);
  tree["a-b"]["x"] = record_of(900);
  return tree;
}

inline std::string read_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}
inline void write_file(const std::filesystem::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

}  // namespace test
}  // namespace ssync::index
