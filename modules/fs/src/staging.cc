#include "ssync/fs/staging.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "ssync/base/mutex.h"
#include "ssync/base/random.h"
#include "ssync/base/text.h"
#include "ssync/fs/same.h"

namespace ssync::fs {
namespace {

constexpr std::size_t kRandomBytes = 16;
/// Of those, what all names of one Staging begin with.
constexpr std::size_t kTagBytes = 8;

/// Removes everything below one directory, and it, deepest first. Holds two handles whatever the depth. Goes
/// on after a failure and keeps the first.
class Removal {
 public:
  explicit Removal(Tree& tree) : tree_(tree) {}

  Result<void> run(std::string_view name) {
    pending_.push_back({std::string(name)});
    while (!pending_.empty()) {
      Result<void> done = step();
      if (!done && result_) result_ = std::move(done);
    }
    return std::move(result_);
  }

 private:
  struct Pending {
    std::string location;
    bool emptied = false;  // its subdirectories lie above it on the stack, or are gone by now
  };

  Result<void> step() {
    if (pending_.back().emptied) {
      const std::string location = std::move(pending_.back().location);
      pending_.pop_back();
      return remove_directory(location);
    }
    pending_.back().emptied = true;
    return empty(std::string(pending_.back().location));
  }

  Result<void> remove_directory(const std::string& location) {
    const PathView path = split(location);
    SSYNC_TRY(const auto parent, tree_.open(path.location));
    if (path.location.empty()) SSYNC_TRY_VOID(remove_marker(location));
    return parent->remove_directory(path.name);
  }

  // The marker goes last, when it is alone: what an interrupted or failed removal leaves must be known as
  // ours at the next start.
  Result<void> remove_marker(const std::string& top) {
    SSYNC_TRY(const auto directory, tree_.open(top));
    NameList names;
    SSYNC_TRY_VOID(directory->list(names));
    if (names.size() == 0) return {};
    if (names.size() > 1 || names[0] != kStagingMarker)
      return fail(Errc::not_empty, "removing " + escape(top) + ": something is left");
    return directory->remove(kStagingMarker);
  }

  Result<void> empty(const std::string& location) {
    SSYNC_TRY(const auto directory, open_writable(location));
    NameList names;
    SSYNC_TRY_VOID(directory->list(names));
    const bool top = location.find('/') == std::string::npos;
    Result<void> first;
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (top && names[i] == kStagingMarker) continue;
      Result<void> done = remove_entry(*directory, location, names[i]);
      if (!done && first) first = std::move(done);
    }
    return first;
  }

  Result<void> remove_entry(Directory& directory, const std::string& location, std::string_view name) {
    SSYNC_TRY(const Stat stat, directory.stat(name));
    if (stat.type != Stat::Type::directory) return directory.remove(name);
    // What somebody mounted there is not ours.
    if (stat.mount_point)
      return fail(Errc::busy, "removing " + printable({location, name}) + ": something is mounted there");
    pending_.push_back({join({location, name})});
    return {};
  }

  // A directory that got its final mode before it was published may deny its owner to list and unlink.
  Result<std::unique_ptr<Directory>> open_writable(const std::string& location) {
    const PathView path = split(location);
    SSYNC_TRY(const auto parent, tree_.open(path.location));
    SSYNC_TRY(const Stat stat, parent->stat(path.name));
    if ((stat.seen.values.mode & 0700U) != 0700U) SSYNC_TRY_VOID(parent->set_mode(path.name, 0700));
    return parent->open_child(path.name);
  }

  Tree& tree_;
  std::vector<Pending> pending_;
  Result<void> result_;
};

// The name of the marker alone decides nothing: somebody with write permission in the root could put a
// directory of his own there.
Result<bool> is_ours(Directory& root, std::string_view name) {
  SSYNC_TRY(const Stat named, root.stat(name));
  if (named.type != Stat::Type::directory || named.mount_point || named.seen.values.owner.uid != ::geteuid())
    return false;
  SSYNC_TRY(const auto directory, root.open_child(name));
  SSYNC_TRY(const Stat opened, directory->stat_self());
  if (!same_inode(opened.seen, named.seen)) return false;
  const Result<Stat> marker = directory->stat(kStagingMarker);
  if (marker) return marker->type == Stat::Type::file && marker->seen.values.owner.uid == ::geteuid();
  if (marker.error().code != Errc::not_found) return fail(marker.error());
  NameList names;
  SSYNC_TRY_VOID(directory->list(names));
  return names.size() == 0;
}

Result<bool> remove_if_ours(Tree& tree, Directory& root, std::string_view name) {
  SSYNC_TRY(const bool ours, is_ours(root, name));
  if (ours) SSYNC_TRY_VOID(Removal(tree).run(name));
  return ours;
}

Result<std::string> make_staging(Tree& tree, const std::string& tag, const std::string& epoch) {
  SSYNC_TRY(const auto root, tree.open(""));
  std::string name = std::string(kStagingPrefix) + tag + random_hex(kRandomBytes - kTagBytes);
  SSYNC_TRY_VOID(root->make_directory(name, 0700));
  const auto prepare = [&]() -> Result<void> {
    SSYNC_TRY(const auto directory, root->open_child(name));
    // The root may hand down ACLs and its group (setgid). Files staged here must have what their mode says
    // and nothing else, and nobody else may look in.
    SSYNC_TRY_VOID(directory->strip_acl());
    SSYNC_TRY_VOID(directory->set_mode("", 0700));
    SSYNC_TRY(const auto marker, directory->create_file(kStagingMarker, 0600));
    if (epoch.empty()) return {};
    return marker->write_at(0, std::as_bytes(std::span(epoch)));
  };
  if (Result<void> prepared = prepare(); !prepared) {
    // Best effort: an empty one without marker is removed at the next start.
    const Result<void> removed = root->remove_directory(name);
    static_cast<void>(removed);
    return fail(std::move(prepared).error());
  }
  return name;
}

}  // namespace

bool is_staging_name(std::string_view name) noexcept {
  if (!name.starts_with(kStagingPrefix)) return false;
  name.remove_prefix(kStagingPrefix.size());
  return name.size() == 2 * kRandomBytes &&
         std::ranges::all_of(name, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool is_reserved(std::string_view name, InRoot in_root, IsDirectory is_directory) noexcept {
  if (in_root == InRoot::yes) return name == kStateDirectory || is_staging_name(name);
  return is_directory == IsDirectory::no && is_staging_name(name);
}

Result<std::uint32_t> remove_abandoned_staging(Tree& tree) {
  SSYNC_TRY(const auto root, tree.open(""));
  NameList names;
  SSYNC_TRY_VOID(root->list(names));
  std::uint32_t removed = 0;
  std::optional<Error> first_error;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (!is_staging_name(names[i])) continue;
    Result<bool> done = remove_if_ours(tree, *root, names[i]);
    if (done && *done) ++removed;
    if (!done && !first_error) first_error = std::move(done).error();
  }
  if (first_error) return fail(*std::move(first_error));
  return removed;
}

namespace {

/// Taking a name away moves the directory's time, which the scan has seen and the plan is made with.
template <typename Change>
auto keeping_time(Directory& directory, Change change) -> decltype(change()) {
  SSYNC_TRY(const Stat before, directory.stat_self());
  auto result = change();
  SSYNC_TRY_VOID(directory.set_mtime("", before.seen.values.mtime));
  return result;
}

Result<bool> remove_beside(Directory& directory, std::string_view name) {
  SSYNC_TRY(const Stat stat, directory.stat(name));
  const bool ours = (stat.type == Stat::Type::file || stat.type == Stat::Type::symlink) &&
                    stat.seen.values.owner.uid == ::geteuid();
  if (ours) SSYNC_TRY_VOID(directory.remove(name));
  return ours;
}

}  // namespace

Result<bool> remove_abandoned(Tree& tree, PathView path) {
  if (!is_staging_name(path.name)) return false;
  SSYNC_TRY(const auto directory, tree.open(path.location));
  return keeping_time(*directory, [&] {
    return path.location.empty() ? remove_if_ours(tree, *directory, path.name)
                                 : remove_beside(*directory, path.name);
  });
}

struct Staging::Impl {
  Impl(Tree& in, std::string of) : tree(in), epoch(std::move(of)), tag(random_hex(kTagBytes)) {}

  Tree& tree;
  const std::string epoch;
  const std::string tag;
  std::atomic<std::uint64_t> slots{0};
  Mutex mutex;
  std::string name SSYNC_GUARDED_BY(mutex);  // empty while there is none
};

Staging::Staging(Tree& tree, std::string epoch) : impl_(std::make_unique<Impl>(tree, std::move(epoch))) {}

Staging::~Staging() {
  const Result<void> removed = remove();
  static_cast<void>(removed);
}

Result<std::unique_ptr<Directory>> Staging::open() {
  const MutexLock lock(impl_->mutex);
  if (!impl_->name.empty()) {
    Result<std::unique_ptr<Directory>> there = impl_->tree.open(impl_->name);
    if (there || there.error().code != Errc::not_found) return there;
    impl_->name.clear();
  }
  Result<std::string> made = make_staging(impl_->tree, impl_->tag, impl_->epoch);
  if (!made) return fail(context(std::move(made).error(), "staging"));
  impl_->name = *std::move(made);
  return impl_->tree.open(impl_->name);
}

std::string Staging::next_slot() {
  return std::to_string(impl_->slots.fetch_add(1, std::memory_order_relaxed));
}

std::string Staging::next_name_beside() {
  return std::string(kStagingPrefix) + impl_->tag + random_hex(kRandomBytes - kTagBytes);
}

bool Staging::owns(std::string_view name) const {
  return is_staging_name(name) && name.substr(kStagingPrefix.size()).starts_with(impl_->tag);
}

Result<void> Staging::remove() {
  const MutexLock lock(impl_->mutex);
  if (impl_->name.empty()) return {};
  Result<void> removed = Removal(impl_->tree).run(impl_->name);
  if (!removed && removed.error().code != Errc::not_found)
    return fail(context(std::move(removed).error(), "staging"));
  impl_->name.clear();
  return {};
}

std::string Staging::name() const {
  const MutexLock lock(impl_->mutex);
  return impl_->name;
}

bool Staging::exists() const {
  const MutexLock lock(impl_->mutex);
  return !impl_->name.empty();
}

}  // namespace ssync::fs
