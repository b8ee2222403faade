#include "ssync/store/publish.h"

#include <algorithm>
#include <utility>

#include "ssync/fs/same.h"

namespace ssync::store {
namespace {

/// One file, staged on its own.
Result<void> publish_file(Placing& placing, const ReadyFile& file) {
  Result<void> placed = placing.publish(file.staged, file.file->path(), file.file->at_path());
  if (!placed) placing.drop(file.staged, file.file->location->path);
  return placed;
}

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

void report(Outcomes& outcomes, Ready& ready, const std::vector<Result<void>>& placed) {
  std::vector<ReadyFile> published;
  published.reserve(ready.files.size());
  for (std::size_t i = 0; i < ready.files.size(); ++i) {
    if (placed[i]) {
      published.push_back(std::move(ready.files[i]));
    } else {
      outcomes.failed(*ready.files[i].file, placed[i].error());
    }
  }
  outcomes.published(std::move(published));
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

}  // namespace ssync::store
