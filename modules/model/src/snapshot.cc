#include "ssync/model/snapshot.h"

#include <cstring>
#include <limits>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "ssync/base/assert.h"
#include "ssync/base/text.h"
#include "ssync/model/entry_rules.h"

#include "chunks.h"
#include "packed_entry.h"

namespace ssync {
namespace {

using model::Arena;
using model::ChunkedArray;
using model::PackedEntry;
using model::Wide;

constexpr std::uint32_t kIndexMax = std::numeric_limits<std::uint32_t>::max();

struct Directory {
  std::uint32_t text = 0;  // position in the arena: u32 length, location
  EntryIndex first = 0;
};

// What many entries share.
struct OwnerClass {
  Owner owner;
  std::uint64_t device = 0;
  friend bool operator==(const OwnerClass&, const OwnerClass&) = default;
};

struct OwnerClassHash {
  std::size_t operator()(const OwnerClass& of) const noexcept {
    // Mixing as in SplitMix64: numbers that count up must not share buckets.
    std::uint64_t x =
        (std::uint64_t{of.owner.uid} << 32U | of.owner.gid) + 0x9e3779b97f4a7c15U * (of.device + 1);
    x = (x ^ (x >> 30U)) * 0xbf58476d1ce4e5b9U;
    x = (x ^ (x >> 27U)) * 0x94d049bb133111ebU;
    return static_cast<std::size_t>(x ^ (x >> 31U));
  }
};

std::uint32_t read_length(const char* at) noexcept {
  std::uint32_t length = 0;
  std::memcpy(&length, at, sizeof length);
  return length;
}

// `length` in four bytes and then `text`.
void write_text(char* at, std::string_view text) noexcept {
  const auto length = static_cast<std::uint32_t>(text.size());
  std::memcpy(at, &length, sizeof length);
  if (!text.empty()) std::memcpy(at + sizeof length, text.data(), text.size());
}

// After `at`, as write_text() left it.
std::string_view read_text(const char* at) noexcept {
  return {at + sizeof(std::uint32_t), read_length(at)};
}

// No more than what a record needs: the other rules of an entry are for who made it.
Result<void> check_values(const Values& values, std::string_view target) {
  const auto kind = static_cast<unsigned>(values.kind);
  if (!is_kind(values.kind)) return fail(Errc::invalid_argument, "unknown kind " + std::to_string(kind));
  if (values.mtime.ns > kTimeNsMax) return fail(Errc::invalid_argument, "nanoseconds of a second or more");
  if (values.kind != Kind::symlink && !target.empty()) {
    return fail(Errc::invalid_argument, "a target, but no symlink");
  }
  if (target.size() > kTargetBytesMax) return fail(Errc::invalid_argument, "target longer than 65536 bytes");
  return {};
}

}  // namespace

struct Snapshot::Impl {
  ChunkedArray<PackedEntry, 13> records;
  ChunkedArray<Directory, 9> directories;
  ChunkedArray<Wide, 9> wide;  // sorted by entry, as they were added
  Arena texts;
  std::vector<OwnerClass> classes;
  std::unordered_map<OwnerClass, std::uint32_t, OwnerClassHash> class_numbers;
  std::uint32_t last_class = 0;

  [[nodiscard]] std::string_view location(const Directory& directory) const noexcept {
    return read_text(texts.at(directory.text));
  }
  [[nodiscard]] std::string_view name(const PackedEntry& record) const noexcept {
    return {texts.at(record.text), record.name_bytes};
  }
  [[nodiscard]] std::string_view target(const PackedEntry& record) const noexcept {
    if (record.kind() != Kind::symlink) return {};
    return read_text(texts.at(record.text) + record.name_bytes);
  }
  [[nodiscard]] const Wide& wide_of(EntryIndex entry) const {
    const std::size_t at =
        wide.partition_point(0, wide.size(), [entry](const Wide& other) { return other.entry < entry; });
    SSYNC_ASSERT(at < wide.size() && wide[at].entry == entry);
    return wide[at];
  }
  [[nodiscard]] Snapshot::Range rows(DirectoryIndex directory) const {
    SSYNC_ASSERT(directory < directories.size());
    const std::size_t next = std::size_t{directory} + 1;
    const std::size_t end = next < directories.size() ? directories[next].first : records.size();
    return {directories[directory].first, static_cast<EntryIndex>(end)};
  }
  [[nodiscard]] const PackedEntry& record(EntryIndex entry) const {
    SSYNC_ASSERT(entry < records.size());
    return records[entry];
  }

  [[nodiscard]] Result<void> check_next(std::string_view name) const;
  [[nodiscard]] Result<std::uint32_t> store_text(std::string_view name, const Values& values,
                                                 std::string_view target);
  std::uint32_t number_of(const OwnerClass& owner_class);
};

// That `name` may follow what was added last.
Result<void> Snapshot::Impl::check_next(std::string_view name) const {
  if (directories.size() == 0) return fail(Errc::invalid_argument, "an entry before any directory");
  if (records.size() >= kIndexMax) return fail(Errc::limit, "more than 2^32 - 1 entries");
  if (name.size() > kNameBytesMax) {
    return fail(Errc::invalid_argument,
                "name '" + escape(name.substr(0, kNameBytesMax)) + "...' is longer than 255 bytes");
  }
  const Directory& directory = directories[directories.size() - 1];
  if (directory.first == records.size()) return {};
  const std::string_view last = this->name(records[records.size() - 1]);
  if (last < name) return {};
  return fail(Errc::invalid_argument, "row '" + printable({location(directory), name}) +
                                          "' does not sort after '" + escape(last) + "', the one before it");
}

Result<std::uint32_t> Snapshot::Impl::store_text(std::string_view name, const Values& values,
                                                 std::string_view target) {
  const bool link = values.kind == Kind::symlink;
  const auto room = texts.allocate(name.size() + (link ? sizeof(std::uint32_t) + target.size() : 0));
  if (!room) return fail(Errc::limit, "more than 4 GiB of names");
  if (!name.empty()) std::memcpy(room->at, name.data(), name.size());
  if (link) write_text(room->at + name.size(), target);
  return room->position;
}

std::uint32_t Snapshot::Impl::number_of(const OwnerClass& owner_class) {
  // Neighbours mostly agree.
  if (last_class < classes.size() && classes[last_class] == owner_class) return last_class;
  const auto [at, is_new] =
      class_numbers.try_emplace(owner_class, static_cast<std::uint32_t>(classes.size()));
  if (is_new) classes.push_back(owner_class);
  last_class = at->second;
  return last_class;
}

Snapshot::Snapshot() : impl_(std::make_unique<Impl>()) {}
Snapshot::~Snapshot() = default;
Snapshot::Snapshot(Snapshot&&) noexcept = default;
Snapshot& Snapshot::operator=(Snapshot&&) noexcept = default;

Result<DirectoryIndex> Snapshot::begin_directory(std::string_view location) {
  Impl& self = *impl_;
  if (location.size() > kPathBytesMax)
    return fail(Errc::invalid_argument, "location longer than 65536 bytes");
  const std::size_t count = self.directories.size();
  if (count > 0) {
    const std::string_view last = self.location(self.directories[count - 1]);
    const std::strong_ordering order = compare_locations(last, location);
    if (order == std::strong_ordering::equal) return static_cast<DirectoryIndex>(count - 1);
    if (order == std::strong_ordering::greater) {
      return fail(Errc::invalid_argument, "directory '" + escape(location) + "' does not sort after '" +
                                              escape(last) + "', the one before it");
    }
  }
  if (count >= kIndexMax) return fail(Errc::limit, "more than 2^32 - 1 directories");
  const auto room = self.texts.allocate(sizeof(std::uint32_t) + location.size());
  if (!room) return fail(Errc::limit, "more than 4 GiB of names");
  write_text(room->at, location);
  self.directories.push_back({room->position, static_cast<EntryIndex>(self.records.size())});
  return static_cast<DirectoryIndex>(count);
}

Result<EntryIndex> Snapshot::add(std::string_view name, const Values& values, std::string_view target,
                                 std::uint64_t device, std::uint64_t inode, EntryFlags flags,
                                 std::uint32_t tag) {
  Impl& self = *impl_;
  SSYNC_TRY_VOID(self.check_next(name));
  SSYNC_TRY_VOID(check_values(values, target));
  SSYNC_TRY(const std::uint32_t text, self.store_text(name, values, target));
  const auto entry = static_cast<EntryIndex>(self.records.size());
  const std::uint32_t owner_class = self.number_of({values.owner, device});
  PackedEntry record = PackedEntry::pack(values, owner_class);
  record.text = text;
  record.name_bytes = static_cast<std::uint8_t>(name.size());
  record.inode = inode;
  record.set_flags(flags);
  record.tag = tag;
  if (record.wide()) self.wide.push_back({entry, owner_class, values.size, values.mtime.s});
  self.records.push_back(record);
  return entry;
}

std::size_t Snapshot::size() const noexcept {
  return impl_->records.size();
}
std::size_t Snapshot::directories() const noexcept {
  return impl_->directories.size();
}

Snapshot::View Snapshot::view(EntryIndex entry) const {
  return view(entry, directory_of(entry));
}

Snapshot::View Snapshot::view(EntryIndex entry, DirectoryIndex directory) const {
  const PackedEntry& record = impl_->record(entry);
  View view;
  view.location = location(directory);
  view.name = impl_->name(record);
  view.target = impl_->target(record);
  view.inode = record.inode;
  view.tag = record.tag;
  view.flags = record.flags();
  Wide values{entry, record.owner_class, record.size(), record.mtime_s()};
  if (record.wide()) values = impl_->wide_of(entry);
  const OwnerClass& owner_class = impl_->classes[values.owner_class];
  view.device = owner_class.device;
  view.values = {
      record.kind(), record.mode(), values.size, {values.mtime_s, record.mtime_ns()}, owner_class.owner};
  return view;
}

std::string_view Snapshot::name(EntryIndex entry) const {
  return impl_->name(impl_->record(entry));
}

std::uint64_t Snapshot::file_size(EntryIndex entry) const {
  const PackedEntry& record = impl_->record(entry);
  return record.wide() ? impl_->wide_of(entry).size : record.size();
}

Kind Snapshot::kind(EntryIndex entry) const {
  return impl_->record(entry).kind();
}
EntryFlags Snapshot::flags(EntryIndex entry) const {
  return impl_->record(entry).flags();
}
std::uint32_t Snapshot::tag(EntryIndex entry) const {
  return impl_->record(entry).tag;
}

void Snapshot::set_flags(EntryIndex entry, EntryFlags flags) {
  SSYNC_ASSERT(entry < size());
  impl_->records[entry].set_flags(flags);
}

void Snapshot::set_tag(EntryIndex entry, std::uint32_t tag) {
  SSYNC_ASSERT(entry < size());
  impl_->records[entry].tag = tag;
}

std::string_view Snapshot::location(DirectoryIndex directory) const {
  SSYNC_ASSERT(directory < directories());
  return impl_->location(impl_->directories[directory]);
}

Snapshot::Range Snapshot::rows(DirectoryIndex directory) const {
  return impl_->rows(directory);
}

DirectoryIndex Snapshot::directory_of(EntryIndex entry) const {
  SSYNC_ASSERT(entry < size());
  // The last one that begins at or before the entry; empty ones before it begin there as well.
  const std::size_t after = impl_->directories.partition_point(
      0, directories(), [entry](const Directory& directory) { return directory.first <= entry; });
  return static_cast<DirectoryIndex>(after - 1);
}

std::optional<DirectoryIndex> Snapshot::find_directory(std::string_view location) const {
  const std::size_t at =
      impl_->directories.partition_point(0, directories(), [&](const Directory& directory) {
        return compare_locations(impl_->location(directory), location) < 0;
      });
  if (at == directories() || impl_->location(impl_->directories[at]) != location) return std::nullopt;
  return static_cast<DirectoryIndex>(at);
}

std::optional<EntryIndex> Snapshot::find(PathView path) const {
  const auto directory = find_directory(path.location);
  return directory ? find(rows(*directory), path.name) : std::nullopt;
}

std::optional<EntryIndex> Snapshot::find(Range rows, std::string_view name) const {
  const std::size_t at = impl_->records.partition_point(
      rows.first, rows.last, [&](const PackedEntry& record) { return impl_->name(record) < name; });
  if (at == rows.last || impl_->name(impl_->records[at]) != name) return std::nullopt;
  return static_cast<EntryIndex>(at);
}

std::size_t Snapshot::memory_bytes() const noexcept {
  const Impl& self = *impl_;
  // A node of the hash table: the value, a link and the cached hash.
  constexpr std::size_t kNodeBytes = sizeof(std::pair<OwnerClass, std::uint32_t>) + 2 * sizeof(void*);
  return sizeof(Impl) + self.records.memory_bytes() + self.directories.memory_bytes() +
         self.wide.memory_bytes() + self.texts.memory_bytes() + self.classes.capacity() * sizeof(OwnerClass) +
         self.class_numbers.size() * kNodeBytes + self.class_numbers.bucket_count() * sizeof(void*);
}

}  // namespace ssync
