#include "unflushed.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <optional>
#include <vector>

#include "ssync/base/unique_fd.h"

#include "c_name.h"

namespace ssync::fs {
namespace {

std::string path_of(std::string_view location, std::string_view name) {
  return join({location, name});
}

/// What may not be opened is none of ours to flush, and what is gone needs it no more. A link has no content.
bool is_passed_over(int err) {
  return err == ENOENT || err == ENOTDIR || err == ELOOP || err == EACCES || err == EPERM || err == ENXIO ||
         err == ENODEV;
}

Result<void> flush_fd(int fd, std::string_view path) {
  if (::fsync(fd) == 0 || errno == EINVAL || errno == EROFS) return {};
  return failed("flushing", path, errno);
}

Result<void> flush_entry(int directory, std::string_view location, std::string_view name) {
  CName entry;
  SSYNC_TRY_VOID(entry.set(name));
  const UniqueFd fd(
      ::openat(directory, entry.get(), O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC));
  if (!fd) return is_passed_over(errno) ? Result<void>() : failed("flushing", path_of(location, name), errno);
  return flush_fd(fd.get(), path_of(location, name));
}

Result<UniqueFd> open_location(int root, const Resolver& resolver, std::string_view location) {
  if (!location.empty()) return resolver.open(root, location);
  UniqueFd fd(::openat(root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd) return failed("opening", ".", errno);
  return fd;
}

}  // namespace

void Unflushed::want(bool wanted) {
  wanted_.store(wanted, std::memory_order_relaxed);
  const MutexLock lock(mutex_);
  if (!wanted) entries_.clear();
  failed_ = {};
}

void Unflushed::add(std::string_view location, std::string_view name) {
  const MutexLock lock(mutex_);
  entries_.emplace(location, name);
}

void Unflushed::moved(std::pair<std::string_view, std::string_view> from,
                      std::pair<std::string_view, std::string_view> to) {
  const std::string old_path = path_of(from.first, from.second);
  const std::string new_path = path_of(to.first, to.second);
  const MutexLock lock(mutex_);
  std::vector<std::pair<std::string, std::string>> renamed;
  const auto file = entries_.find({std::string(from.first), std::string(from.second)});
  if (file != entries_.end()) {
    entries_.erase(file);
    renamed.emplace_back(to.first, to.second);
  }
  // Those of one directory stand together, and what is below it close by.
  for (auto at = entries_.lower_bound({old_path, ""});
       at != entries_.end() && at->first.compare(0, old_path.size(), old_path) == 0;) {
    if (!is_at_or_below(at->first, old_path)) {
      ++at;
      continue;
    }
    renamed.emplace_back(new_path + at->first.substr(old_path.size()), at->second);
    at = entries_.erase(at);
  }
  for (auto& entry : renamed)
    entries_.insert(std::move(entry));
}

void Unflushed::failed(Error error) {
  const MutexLock lock(mutex_);
  if (failed_) failed_ = fail(std::move(error));
}

bool Unflushed::is_full() const {
  const MutexLock lock(mutex_);
  return entries_.size() >= kEntriesMax;
}

Result<void> Unflushed::flush(int root, const Resolver& resolver) {
  Entries entries;
  Result<void> first;
  {
    const MutexLock lock(mutex_);
    entries.swap(entries_);
    std::swap(first, failed_);
  }
  std::optional<std::string_view> location;
  UniqueFd directory;
  for (const auto& [at, name] : entries) {
    if (location != at) {
      location = at;
      directory.reset();
      Result<UniqueFd> opened = open_location(root, resolver, at);
      if (opened) {
        directory = *std::move(opened);
      } else if (!is_passed_over(opened.error().sys_errno) && first) {
        first = fail(opened.error());
      }
    }
    if (!directory) continue;
    Result<void> done = name.empty() ? flush_fd(directory.get(), at) : flush_entry(directory.get(), at, name);
    if (!done && first) first = std::move(done);
  }
  return first;
}

}  // namespace ssync::fs
