// Base and log of an index with bytes changed, cut and added: every answer of the base is the record that was
// written, or "unreadable".
#include <stdlib.h>

#include <cstddef>
#include <filesystem>
#include <string>

#include "ssync/support/fuzz_input.h"

#include "../support.h"

namespace {

using namespace ssync;
using namespace ssync::index;
using namespace ssync::index::test;
using support::FuzzInput;
using support::require;
using Found = Index::Cursor::Found;

/// A state directory with an index, written once.
class Written {
 public:
  Written() {
    const bool has_memory = ::access("/dev/shm", W_OK) == 0;
    std::string pattern = std::string(has_memory ? "/dev/shm" : "/tmp") + "/ssync-index-fuzz-XXXXXX";
    require(::mkdtemp(pattern.data()) != nullptr, "a directory for the index");
    directory_ = pattern;
    contents_[""][""] = record_of(1, Kind::directory);
    contents_[""]["a"] = record_of(2, Kind::directory);
    contents_[""]["link"] = record_of(3, Kind::symlink);
    for (std::uint64_t i = 0; i < 12; ++i)
      contents_["a"]["f" + std::to_string(10 + i)] = record_of(100 + i);
    Result<Index> index = open();
    require(index.has_value(), "an index can be made");
    Result<Index::Writer> writer = index->rewrite();
    require(writer.has_value(), "an index can be written");
    for (const auto& [location, rows] : contents_) {
      require(writer->begin_directory(location).has_value(), "a directory");
      for (const auto& [name, record] : rows)
        require(writer->add(name, record).has_value(), "a record");
    }
    require(index->commit(*std::move(writer), {}).has_value(), "commit");
    base_ = read_file(path(".index"));
    for (std::uint64_t i = 0; i < 5; ++i)
      require(index->append({"a", "new" + std::to_string(i)}, record_of(500 + i)).has_value(), "append");
    require(index->append_removed({"a", "f10"}).has_value(), "append_removed");
    require(index->flush_log(Index::Durable::no).has_value(), "flush_log");
    log_ = read_file(path(".log"));
  }
  ~Written() { std::filesystem::remove_all(directory_); }
  Written(const Written&) = delete;
  Written& operator=(const Written&) = delete;

  [[nodiscard]] Result<Index> open() const { return Index::open(directory_, Role::mirror, "/data"); }
  [[nodiscard]] std::filesystem::path path(const std::string& ending) const {
    for (const auto& entry : std::filesystem::directory_iterator(directory_))
      if (entry.path().string().ends_with(ending)) return entry.path();
    require(false, ending.c_str());
    return {};
  }
  [[nodiscard]] const Contents& contents() const { return contents_; }
  [[nodiscard]] const std::string& base() const { return base_; }
  [[nodiscard]] const std::string& log() const { return log_; }

 private:
  std::string directory_;
  Contents contents_;
  std::string base_, log_;
};

/// Some stretches changed, and perhaps cut or longer.
std::string changed(FuzzInput& input, std::string bytes) {
  for (std::size_t left = input.pick(4); left > 0 && !bytes.empty(); --left) {
    const std::size_t at = (std::size_t{input.byte()} << 8U | input.byte()) % bytes.size();
    const std::string with = input.text(40);
    bytes.replace(at, std::min(with.size(), bytes.size() - at), with);
  }
  if (input.chance(30)) bytes.resize((std::size_t{input.byte()} << 8U | input.byte()) % (bytes.size() + 1));
  if (input.chance(30)) bytes += input.text(200);
  return bytes;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* first, std::size_t size) {
  static const Written written;
  static const std::filesystem::path base_path = written.path(".index");
  static const std::filesystem::path log_path = written.path(".log");
  FuzzInput input(first, size);
  const bool log_is_whole = input.chance(128);
  write_file(base_path, changed(input, written.base()));
  write_file(log_path, log_is_whole ? std::string() : changed(input, written.log()));
  const Result<Index> index = written.open();
  if (!index) return 0;
  for (const auto& [location, rows] : written.contents()) {
    Index::Cursor cursor = index->directory(location);
    (void)cursor.is_whole();
    (void)cursor.rows_in_base();
    for (const auto& [name, expected] : rows) {
      Record record;
      const Found found = cursor.find(name, record);
      if (log_is_whole && found == Found::yes)
        require(record == expected, "a record is the one that was written");
      if (log_is_whole) require(found != Found::no, "what was written is found or unreadable");
    }
    Index::Cursor names = index->directory(location);
    while (names.next_name()) {
    }
  }
  (void)index->damage();
  (void)index->find({"a", "new1"});
  (void)index->find({"a", "f11"});
  (void)index->find_inode(record_of(101).held.device, record_of(101).held.inode);
  return 0;
}
