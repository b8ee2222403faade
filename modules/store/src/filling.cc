#include "ssync/store/filling.h"

#include <algorithm>
#include <utility>

namespace ssync::store {

std::vector<Filling::Open>::iterator Filling::at(const Location& location) {
  return std::ranges::find_if(open_, [&](const Open& open) { return open.ready.directory == &location; });
}

fs::Directory* Filling::find(const Location& location) {
  const auto open = at(location);
  return open == open_.end() ? nullptr : open->directory.get();
}

fs::Directory* Filling::open(Location& location) {
  if (location.filled) return nullptr;
  if (fs::Directory* const known = find(location)) return known;
  if (open_.size() < open_max_) {
    if (Result<Placing::NewDirectory> made = placing_.create_directory(); made) {
      Open& open = open_.emplace_back();
      open.directory = std::move(made->directory);
      open.ready.directory = &location;
      open.ready.slot = std::move(made->slot);
      return open.directory.get();
    }
  }
  location.filled = true;
  return nullptr;
}

void Filling::add(ReadyFile file) {
  const auto open = at(*file.file->location);
  SSYNC_ASSERT(open != open_.end());
  open->ready.add(std::move(file));
  if (open->ready.bytes >= kBytesMax || open->ready.files.size() >= kFilesMax) close(open);
}

void Filling::close(Location& location) {
  if (const auto open = at(location); open != open_.end()) close(open);
}

void Filling::close(std::vector<Open>::iterator open) {
  open->ready.directory->filled = true;
  settling_.push_back({std::move(open->ready), Clock::now() + settle_});
  open_.erase(open);
}

std::vector<Ready> Filling::take_settled() {
  std::vector<Ready> settled;
  const auto now = Clock::now();
  for (; !settling_.empty() && settling_.front().until <= now; settling_.pop_front())
    settled.push_back(std::move(settling_.front().ready));
  return settled;
}

std::optional<Filling::Clock::time_point> Filling::next_settled() const {
  return settling_.empty() ? std::nullopt : std::optional(settling_.front().until);
}

void Filling::abandon() noexcept {
  open_.clear();
  settling_.clear();
}

}  // namespace ssync::store
