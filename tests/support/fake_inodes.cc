#include "fake_inodes.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <unordered_map>
#include <utility>
#include <vector>

namespace ssync::support {
namespace {

using Type = fs::Stat::Type;

bool is_directory(const Inode& inode) noexcept {
  return inode.type == Type::directory;
}

bool is_at_or_above(const Inode& ancestor, const InodePtr& directory) {
  for (InodePtr at = directory; at; at = at->parent.lock()) {
    if (at.get() == &ancestor) return true;
  }
  return false;
}

using Clones = std::unordered_map<const Inode*, InodePtr>;

InodePtr clone(const InodePtr& from, Clones& done) {
  InodePtr& to = done[from.get()];
  if (to) return to;
  to = std::make_shared<Inode>(*from);
  to->pages_used.reset();
  InodePtr made = to;  // `to` does not survive the next insertion
  for (auto& [key, child] : made->children) {
    child.inode = clone(child.inode, done);
    if (is_directory(*child.inode)) child.inode->parent = made;
  }
  return made;
}

/// Calls visit(inode) for each file at or below `inode`, for one with several names several times.
template <typename Visit>
void for_each_file(Inode& inode, const Visit& visit) {
  if (inode.type == Type::file) visit(inode);
  for (auto& [key, child] : inode.children)
    for_each_file(*child.inode, visit);
}

void count_pages(const InodePtr& inode, const PageCount& pages_used) {
  if (inode->type == Type::file && !inode->pages_used) {
    inode->pages_used = pages_used;
    *pages_used += inode->pages.size();
  }
  for (auto& [key, child] : inode->children)
    count_pages(child.inode, pages_used);
}

}  // namespace

Inodes::Inodes(const FakeLimits& in)
    : limits(in), pages_used_(std::make_shared<std::atomic<std::uint64_t>>(0)) {
  root_ = std::make_shared<Inode>();
  root_->type = Type::directory;
  root_->mode = 0755;
  root_->owner = {::geteuid(), ::getegid()};
  root_->number = next_number_++;
  root_->birth = root_->ctime = now();
  root_->mtime = rounded(kBuiltMtime);
}

FileTime Inodes::rounded(FileTime time) const noexcept {
  const std::uint32_t step = std::max(limits.mtime_granularity_ns, 1U);
  if (step < 1'000'000'000) {
    time.ns -= time.ns % step;
  } else {
    const std::int64_t seconds = step / 1'000'000'000;
    time.ns = 0;
    time.s -= ((time.s % seconds) + seconds) % seconds;
  }
  return time;
}

FileTime Inodes::now() const noexcept {
  return rounded(clock);
}

void Inodes::touch(Inode& inode) const {
  inode.mtime = inode.ctime = now();
}

std::string Inodes::key(std::string_view name) const {
  std::string folded(name);
  if (!limits.case_sensitive) {
    for (char& c : folded) {
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
  }
  return folded;
}

InodePtr Inodes::find(const Inode& directory, std::string_view name) const {
  const auto found = directory.children.find(key(name));
  return found == directory.children.end() ? nullptr : found->second.inode;
}

InodePtr Inodes::walk(std::string_view path) const {
  InodePtr at = root_;
  while (!path.empty() && at) {
    const std::size_t slash = std::min(path.find('/'), path.size());
    at = is_directory(*at) ? find(*at, path.substr(0, slash)) : nullptr;
    path.remove_prefix(std::min(slash + 1, path.size()));
  }
  return at;
}

std::string Inodes::path_of(const Inode& directory) {
  std::vector<InodePtr> above;  // and those whose names the path has, from below
  for (InodePtr parent = directory.parent.lock(); parent; parent = parent->parent.lock())
    above.push_back(parent);
  if (above.empty()) return {};
  std::string path;
  for (std::size_t i = above.size() - 1; i-- > 0;)
    path.append(above[i]->name).append(1, '/');
  return path.append(directory.name);
}

void Inodes::attach(const InodePtr& directory, std::string_view name, const InodePtr& inode) {
  directory->children[key(name)] = {std::string(name), inode};
  if (!is_directory(*inode)) return;
  inode->parent = directory;
  inode->name = name;
}

int Inodes::create(const InodePtr& directory, std::string_view name, Type type, std::uint16_t mode,
                   InodePtr& made) {
  if (find(*directory, name)) return EEXIST;
  if (directory->removed) return ENOENT;
  made = std::make_shared<Inode>();
  made->type = type;
  made->mode = static_cast<std::uint16_t>(mode & limits.mode_mask);
  made->owner = {::geteuid(), ::getegid()};
  if ((directory->mode & 02000U) != 0) {
    made->owner.gid = directory->owner.gid;
    if (type == Type::directory) made->mode |= 02000U;
  }
  made->device = directory->device;
  made->number = next_number_++;
  made->birth = made->mtime = made->ctime = now();
  if (type == Type::file) made->pages_used = pages_used_;
  attach(directory, name, made);
  touch(*directory);
  return 0;
}

int Inodes::link(const InodePtr& directory, std::string_view name, const InodePtr& file) {
  if (find(*directory, name)) return EEXIST;
  if (directory->removed) return ENOENT;
  if (is_directory(*file)) return EPERM;
  attach(directory, name, file);
  ++file->links;
  file->ctime = now();
  touch(*directory);
  return 0;
}

int Inodes::remove(Inode& directory, std::string_view name) {
  const InodePtr there = find(directory, name);
  if (!there) return ENOENT;
  if (is_directory(*there)) return EISDIR;
  directory.children.erase(key(name));
  --there->links;
  there->ctime = now();
  touch(directory);
  return 0;
}

int Inodes::remove_directory(Inode& directory, std::string_view name) {
  const InodePtr there = find(directory, name);
  if (!there) return ENOENT;
  if (!is_directory(*there)) return ENOTDIR;
  if (there->mounted) return EBUSY;
  if (!there->children.empty()) return ENOTEMPTY;
  directory.children.erase(key(name));
  there->removed = true;
  touch(directory);
  return 0;
}

void Inodes::erase(Inode& directory, std::string_view name) {
  const InodePtr there = find(directory, name);
  if (!there) return;
  while (!there->children.empty()) {
    const std::string child = there->children.begin()->second.name;
    erase(*there, child);
  }
  there->mounted.reset();
  static_cast<void>(is_directory(*there) ? remove_directory(directory, name) : remove(directory, name));
}

int Inodes::may_replace(const Inode& moved, const Inode& there) {
  if (is_directory(moved) != is_directory(there)) return is_directory(there) ? EISDIR : ENOTDIR;
  if (there.mounted) return EBUSY;
  return there.children.empty() ? 0 : ENOTEMPTY;
}

int Inodes::rename(const InodePtr& from, std::string_view name, const InodePtr& to, std::string_view new_name,
                   fs::Replace replace) {
  const InodePtr moved = find(*from, name);
  if (!moved) return ENOENT;
  if (to->removed) return ENOENT;
  if (from->device != to->device) return EXDEV;
  if (moved->mounted) return EBUSY;
  if (replace == fs::Replace::exchange) return exchange(from, name, to, new_name);
  const InodePtr there = find(*to, new_name);
  if (there && replace == fs::Replace::no) return EEXIST;
  // Two names of one file: both stay, says POSIX. So Linux does with a name in other letters.
  if (there == moved) return 0;
  if (is_directory(*moved) && is_at_or_above(*moved, to)) return EINVAL;
  // What is replaced keeps its letters.
  const std::string spelling = there ? to->children.at(key(new_name)).name : std::string(new_name);
  if (there) {
    if (is_directory(*there) && is_at_or_above(*there, from)) return ENOTEMPTY;
    if (const int err = may_replace(*moved, *there); err != 0) return err;
    if (is_directory(*there)) there->removed = true;
    --there->links;
    there->ctime = now();
  }
  from->children.erase(key(name));
  attach(to, spelling, moved);
  moved->ctime = now();
  touch(*from);
  touch(*to);
  return 0;
}

int Inodes::exchange(const InodePtr& from, std::string_view name, const InodePtr& to,
                     std::string_view new_name) {
  const InodePtr a = find(*from, name);
  const InodePtr b = find(*to, new_name);
  if (!b) return ENOENT;
  if (a == b) return 0;
  if ((is_directory(*a) && is_at_or_above(*a, to)) || (is_directory(*b) && is_at_or_above(*b, from)))
    return EINVAL;
  attach(from, name, b);
  attach(to, new_name, a);
  a->ctime = b->ctime = now();
  touch(*from);
  touch(*to);
  return 0;
}

std::size_t Inodes::read(const Inode& file, std::uint64_t offset, std::span<std::byte> into) const {
  if (offset >= file.size) return 0;
  into = into.first(std::min<std::uint64_t>(into.size(), file.size - offset));
  std::ranges::fill(into, std::byte{0});
  const std::uint64_t end = offset + into.size();
  for (auto at = file.pages.lower_bound(offset / kPageBytes); at != file.pages.end(); ++at) {
    const std::uint64_t begin = at->first * kPageBytes;
    if (begin >= end) break;
    const std::uint64_t low = std::max(begin, offset);
    const std::uint64_t high = std::min(begin + at->second.size(), end);
    if (low < high) std::memcpy(into.data() + (low - offset), at->second.data() + (low - begin), high - low);
  }
  return into.size();
}

int Inodes::write(Inode& file, std::uint64_t offset, std::span<const std::byte> from) {
  if (from.empty()) return 0;
  const std::uint64_t end = offset + from.size();
  const std::uint64_t first = offset / kPageBytes;
  const std::uint64_t last = (end - 1) / kPageBytes;
  std::uint64_t missing = last - first + 1;
  for (auto at = file.pages.lower_bound(first); at != file.pages.end() && at->first <= last; ++at)
    --missing;
  if ((*pages_used_ + missing) * kPageBytes > limits.capacity_bytes) return ENOSPC;
  for (std::uint64_t page = first; page <= last; ++page) {
    std::string& bytes = file.pages[page];
    const std::uint64_t begin = page * kPageBytes;
    const std::uint64_t low = std::max(begin, offset);
    const std::uint64_t high = std::min(begin + kPageBytes, end);
    if (bytes.size() < high - begin) bytes.resize(high - begin, '\0');
    std::memcpy(bytes.data() + (low - begin), from.data() + (low - offset), high - low);
  }
  *pages_used_ += missing;
  file.size = std::max(file.size, end);
  touch(file);
  return 0;
}

void Inodes::truncate(Inode& file, std::uint64_t size) {
  const auto cut = file.pages.lower_bound((size + kPageBytes - 1) / kPageBytes);
  *pages_used_ -= static_cast<std::uint64_t>(std::distance(cut, file.pages.end()));
  file.pages.erase(cut, file.pages.end());
  if (const auto last = file.pages.find(size / kPageBytes); last != file.pages.end()) {
    last->second.resize(std::min<std::uint64_t>(last->second.size(), size % kPageBytes));
  }
  file.size = size;
  touch(file);
}

int Inodes::copy(const Inode& from, Inode& to) {
  truncate(to, 0);
  if ((*pages_used_ + from.pages.size()) * kPageBytes > limits.capacity_bytes) return ENOSPC;
  to.pages = from.pages;
  to.size = from.size;
  *pages_used_ += to.pages.size();
  return 0;
}

std::optional<fs::File::Range> Inodes::next_data(const Inode& file, std::uint64_t offset,
                                                 std::uint64_t size) {
  const std::uint64_t limit = std::min(size, file.size);
  auto at = file.pages.lower_bound(offset / kPageBytes);
  if (at == file.pages.end()) return std::nullopt;
  const std::uint64_t begin = std::max(at->first * kPageBytes, offset);
  if (begin >= limit) return std::nullopt;
  std::uint64_t page = at->first;
  while (at != file.pages.end() && at->first == page) {
    ++at;
    ++page;
  }
  return fs::File::Range{begin, std::min(page * kPageBytes, limit)};
}

fs::Stat Inodes::stat(const Inode& inode, bool with_birth) {
  fs::Stat stat;
  stat.type = inode.type;
  Values& values = stat.seen.values;
  if (inode.type == Type::directory) values.kind = Kind::directory;
  if (inode.type == Type::symlink) values.kind = Kind::symlink;
  if (inode.type == Type::other) {
    values.kind = Kind::special;
    values.size = 1;  // a fifo
  }
  if (inode.type != Type::symlink) values.mode = inode.mode;
  if (inode.type == Type::file) values.size = inode.size;
  values.mtime = inode.mtime;
  values.owner = inode.owner;
  stat.seen.ctime = inode.ctime;
  stat.seen.device = inode.device;
  stat.seen.inode = inode.number;
  stat.seen.links = inode.links;
  if (is_directory(inode)) {
    const auto below = std::ranges::count_if(
        inode.children, [](const auto& child) { return is_directory(*child.second.inode); });
    stat.seen.links = inode.removed ? 0 : 2 + static_cast<std::uint32_t>(below);
  }
  stat.blocks_512 = inode.pages.size() * (kPageBytes / 512);
  if (with_birth) stat.birth = inode.birth;
  stat.mount_point = inode.mounted.has_value();
  return stat;
}

void Inodes::set_mode(Inode& inode, std::uint16_t mode) const {
  if (inode.type == Type::symlink) return;
  inode.mode = static_cast<std::uint16_t>(mode & limits.mode_mask & 07777U);
  inode.ctime = now();
}

int Inodes::set_owner(Inode& inode, Owner owner) const {
  if (!limits.owner && owner != inode.owner) return EPERM;
  inode.owner = owner;
  // chown(2): setuid goes, and setgid where it is not the mark of mandatory locks.
  if (inode.type == Type::file) {
    const unsigned lost = 04000U | ((inode.mode & 0010U) != 0 ? 02000U : 0U);
    inode.mode = static_cast<std::uint16_t>(inode.mode & ~lost);
  }
  inode.ctime = now();
  return 0;
}

int Inodes::set_mtime(Inode& inode, FileTime mtime) const {
  if (inode.type == Type::symlink && !limits.symlink_mtime) return 0;
  const FileTime kept =
      std::clamp(mtime, FileTime{limits.mtime_least_s, 0}, FileTime{limits.mtime_greatest_s, 0});
  if (kept.s != mtime.s && !limits.clamps_mtimes) return ERANGE;
  // Linux keeps no nanoseconds at the ends of the range.
  const bool is_end = kept.s == limits.mtime_least_s || kept.s == limits.mtime_greatest_s;
  inode.mtime = rounded(is_end ? FileTime{kept.s, 0} : kept);
  inode.ctime = now();
  return 0;
}

InodePtr Inodes::clone_root() const {
  Clones done;
  return clone(root_, done);
}

void Inodes::restore_root(const InodePtr& saved) {
  // Saved stays as it is, for another power cut.
  Clones done;
  root_ = clone(saved, done);
  count_pages(root_, pages_used_);
}

void Inodes::restore_content(const InodePtr& saved) const {
  std::unordered_map<std::uint64_t, const Inode*> by_number;
  for_each_file(*saved, [&](const Inode& file) { by_number.emplace(file.number, &file); });
  for_each_file(*root_, [&](Inode& file) {
    const auto before = by_number.find(file.number);
    *file.pages_used -= file.pages.size();
    file.pages.clear();
    file.size = 0;
    if (before != by_number.end()) {
      file.pages = before->second->pages;
      file.size = before->second->size;
    }
    *file.pages_used += file.pages.size();
  });
}

}  // namespace ssync::support
