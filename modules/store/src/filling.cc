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
  aging_.push_back({std::move(open->ready), Clock::now() + age_});
  open_.erase(open);
}

std::vector<Ready> Filling::take_aged() {
  std::vector<Ready> aged;
  const auto now = Clock::now();
  for (; !aging_.empty() && aging_.front().until <= now; aging_.pop_front())
    aged.push_back(std::move(aging_.front().ready));
  return aged;
}

std::optional<Filling::Clock::time_point> Filling::next_aged() const {
  return aging_.empty() ? std::nullopt : std::optional(aging_.front().until);
}

void Filling::abandon() noexcept {
  open_.clear();
  aging_.clear();
}

}  // namespace ssync::store
