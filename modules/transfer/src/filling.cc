#include "filling.h"

#include <algorithm>
#include <utility>

#include "attributes.h"

namespace ssync::transfer {

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

Result<void> publish_file(Placing& placing, const ReadyFile& file) {
  Result<void> placed = placing.publish(file.staged, file.file->path(), file.file->at_path());
  if (!placed) placing.drop(file.staged, file.file->location->path);
  return placed;
}

namespace {

/// Out of a directory in staging, one by one.
std::vector<Result<void>> publish_out_of(Placing& placing, Ready& ready) {
  std::vector<Result<void>> results(ready.files.size());
  const auto from = named("open directory", placing.open_staged(ready.slot));
  for (std::size_t i = 0; i < ready.files.size(); ++i) {
    ReadyFile& file = ready.files[i];
    file.seen.reset();  // renaming touches it
    results[i] = [&]() -> Result<void> {
      if (!from) return fail(from.error());
      SSYNC_TRY(file.staged, placing.take(**from, file.staged.slot));
      return publish_file(placing, file);
    }();
  }
  placing.drop_directory(ready.slot);
  return results;
}

}  // namespace

std::vector<Result<void>> publish(Placing& placing, Ready& ready, const FileTime& clock) {
  std::vector<Result<void>> results(ready.files.size());
  if (ready.directory == nullptr) {
    std::ranges::transform(ready.files, results.begin(),
                           [&](const ReadyFile& file) { return publish_file(placing, file); });
    return results;
  }
  if (ready.files.empty()) {
    placing.drop_directory(ready.slot);
    return results;
  }
  if (!placing.place_directory(ready.slot, ready.directory->path)) return publish_out_of(placing, ready);
  for (ReadyFile& file : ready.files) {
    if (file.seen && fs::is_racy(file.seen->ctime, clock)) file.seen.reset();
  }
  return results;
}

void drop(Placing& placing, const Ready& ready) noexcept {
  if (ready.directory == nullptr) {
    for (const ReadyFile& file : ready.files)
      placing.drop(file.staged, file.file->location->path);
    return;
  }
  if (const auto directory = placing.open_staged(ready.slot); directory) {
    for (const ReadyFile& file : ready.files) {
      const Result<void> removed = (*directory)->remove(file.staged.slot);
      static_cast<void>(removed);  // best effort: what stays goes with the staging directory
    }
  }
  placing.drop_directory(ready.slot);
}

}  // namespace ssync::transfer
