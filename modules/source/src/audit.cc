#include "audit.h"

#include <algorithm>
#include <array>

namespace ssync::source {
namespace {

/// Seconds since the ctime. As each age is twice the one before, a store is found once the file has rested
/// for about as long as it was written to. By the last age, a disk has written back what a mapping stored
/// before.
constexpr std::array<std::int64_t, 7> kAges = {1, 2, 4, 8, 16, 32, 64};
constexpr std::uint64_t kPageBytes = 4096;

/// How many of kAges have passed.
std::size_t passed(const FileTime& ctime, const FileTime& at) {
  if (ctime > at) return 0;
  return static_cast<std::size_t>(std::ranges::count_if(kAges, [&](std::int64_t age) {
    return FileTime{ctime.s + age, ctime.ns} <= at;
  }));
}

}  // namespace

bool Audit::is_due(const ScannedEntry& entry) const {
  if (!before_ || entry.doubt || !entry.checksum || entry.seen.values.size == 0) return false;
  const FileTime& ctime = entry.seen.ctime;
  if (ctime.s < before_->s && before_->s - kFreshS > ctime.s) return false;
  return passed(ctime, now_) > passed(ctime, *before_);
}

bool Audit::differs(const std::string& location, const ScannedEntry& entry,
                    const std::function<bool(std::uint64_t)>& progress) {
  const std::uint64_t size = entry.seen.values.size;
  Budget& budget = size % kPageBytes == 0 ? paged_ : other_;
  if (budget.files == 0 || budget.bytes == 0) return false;
  // The last one may be larger than what is left: no file is too large for ever.
  --budget.files;
  budget.bytes -= std::min(budget.bytes, size);
  if (!directory_ || location_ != location) {
    directory_.reset();
    Result<std::unique_ptr<fs::Directory>> opened = tree_.open(location);
    if (!opened) return false;
    directory_ = *std::move(opened);
    location_ = location;
  }
  ++files_read_;
  const Result<content::Content> content =
      reader_.read(*directory_, entry.name, entry.seen, std::nullopt, progress);
  return content && content->seen == entry.seen && content->checksum != *entry.checksum;
}

}  // namespace ssync::source
