// What the mirror's file system can hold, found out by trying: documentation and mount options say less.
#include "ssync/store/probe.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <limits>
#include <numeric>

#include <fmt/format.h>

#include "ssync/model/path.h"
#include "ssync/store/attributes.h"

namespace ssync::store {
namespace {

constexpr std::uint16_t kAllModeBits = 07777;
// Odd seconds, and digits in every place, so that each coarser granularity shows.
constexpr FileTime kProbeTime{1'000'000'001, 123'456'789};
// ext4 and the like; CIFS and NTFS; HFS+, UDF, some FUSE; ms; exFAT; ext3; vfat.
constexpr std::array<std::uint32_t, 7> kGranularities{1,          100,           1'000,        1'000'000,
                                                      10'000'000, 1'000'000'000, 2'000'000'000};

FileTime rounded(FileTime time, std::uint32_t granularity_ns) {
  Values values;
  values.mtime = time;
  Attributes attributes;
  attributes.mtime_granularity_ns = granularity_ns;
  return project(values, attributes).mtime;
}

class Probe {
 public:
  Probe(fs::Directory& directory, std::string slot, std::vector<std::string>& notes)
      : directory_(directory), slot_(std::move(slot)), notes_(notes) {}

  Result<Attributes> run() {
    SSYNC_TRY_VOID(named("create", directory_.create_file(file(), 0600)).map([](auto&&) {}));
    const Result<void> tried = try_file();
    const Result<void> removed = directory_.remove(file());
    SSYNC_TRY_VOID(tried);
    SSYNC_TRY_VOID(named("remove", removed));
    SSYNC_TRY_VOID(try_links());
    return found_;
  }

 private:
  [[nodiscard]] std::string file() const { return slot_ + "a"; }

  Result<void> try_file() {
    SSYNC_TRY_VOID(try_case());
    SSYNC_TRY_VOID(try_mode());
    SSYNC_TRY_VOID(try_owner());
    return try_times();
  }

  Result<void> try_case() {
    found_.case_sensitive = !directory_.stat(slot_ + "A").has_value();
    if (!found_.case_sensitive)
      notes_.emplace_back("the mirror does not tell upper from lower case in names");
    return {};
  }

  /// Bits that can be both set and cleared.
  Result<void> try_mode() {
    SSYNC_TRY(const std::uint16_t all, mode_after(kAllModeBits));
    SSYNC_TRY(const std::uint16_t none, mode_after(0600));
    found_.mode_mask =
        static_cast<std::uint16_t>(all & static_cast<std::uint16_t>(~none | 0600U) & kAllModeBits);
    if (found_.mode_mask == kAllModeBits) return {};
    const unsigned lost = kAllModeBits & ~unsigned{found_.mode_mask};
    notes_.push_back(fmt::format("the mirror does not keep the mode bits {:04o}", lost));
    return {};
  }

  Result<std::uint16_t> mode_after(std::uint16_t mode) {
    // Refused is as good as ignored: what counts is what is there then.
    static_cast<void>(directory_.set_mode(file(), mode));
    SSYNC_TRY(const fs::Stat stat, named("stat", directory_.stat(file())));
    return stat.seen.values.mode;
  }

  Result<void> try_owner() {
    if (::geteuid() != 0) return {};
    SSYNC_TRY(const fs::Stat before, named("stat", directory_.stat(file())));
    const Owner other{before.seen.values.owner.uid + 1, before.seen.values.owner.gid + 1};
    const Result<void> set = directory_.set_owner(file(), other);
    SSYNC_TRY(const fs::Stat after, named("stat", directory_.stat(file())));
    found_.owner = set.has_value() && after.seen.values.owner == other;
    if (!found_.owner)
      notes_.emplace_back("the mirror does not keep owner and group, though the server runs as root");
    static_cast<void>(directory_.set_owner(file(), before.seen.values.owner));
    return {};
  }

  Result<void> try_times() {
    SSYNC_TRY_VOID(named("set time", directory_.set_mtime(file(), kProbeTime)));
    SSYNC_TRY(const fs::Stat stat, named("stat", directory_.stat(file())));
    for (const std::uint32_t granularity : kGranularities) {
      if (rounded(kProbeTime, granularity) != stat.seen.values.mtime) continue;
      found_.mtime_granularity_ns = granularity;
      if (granularity > 1)
        notes_.push_back(fmt::format("the mirror keeps times in steps of {} ns", granularity));
      return try_range();
    }
    // It rounds in a way of its own: whole steps of two seconds are the most that can be asked of it.
    found_.mtime_granularity_ns = kGranularities.back();
    notes_.emplace_back("the mirror keeps times only roughly; they are compared to two seconds");
    return {};
  }

  Result<void> try_range() {
    SSYNC_TRY(found_.mtime_least_s, last_kept(std::numeric_limits<std::int64_t>::min()));
    SSYNC_TRY(found_.mtime_greatest_s, last_kept(std::numeric_limits<std::int64_t>::max()));
    return {};
  }

  /// The last second on the way to `end` that is kept.
  Result<std::int64_t> last_kept(std::int64_t end) {
    SSYNC_TRY(const FileTime nearest, time_after({end, 0}));
    if (nearest == rounded({end, 0}, found_.mtime_granularity_ns)) return end;
    SSYNC_TRY(const bool clamps, is_last(nearest, end));
    return clamps ? Result<std::int64_t>(nearest.s) : search_last(end);
  }

  /// Linux makes of what lies beyond the range the nearest time in it, on most file systems.
  Result<bool> is_last(FileTime nearest, std::int64_t end) {
    const bool later = end > kProbeTime.s;
    if (later != (nearest.s > kProbeTime.s)) return false;
    SSYNC_TRY(const FileTime itself, time_after(nearest));
    constexpr std::int64_t kBeyond = 4;  // further than it rounds
    const std::int64_t next =
        later ? std::min(nearest.s, end - kBeyond) + kBeyond : std::max(nearest.s, end + kBeyond) - kBeyond;
    SSYNC_TRY(const FileTime beyond, time_after({next, 0}));
    return itself == nearest && beyond == nearest;
  }

  /// It refuses what lies beyond, or makes something else of it.
  Result<std::int64_t> search_last(std::int64_t end) {
    std::int64_t kept = kProbeTime.s;
    std::int64_t lost = end;
    for (;;) {
      const std::int64_t middle = std::midpoint(kept, lost);  // rounds towards `kept`
      if (middle == kept) return kept;
      SSYNC_TRY(const FileTime after, time_after({middle, 0}));
      (after == rounded({middle, 0}, found_.mtime_granularity_ns) ? kept : lost) = middle;
    }
  }

  Result<FileTime> time_after(FileTime time) {
    static_cast<void>(directory_.set_mtime(file(), time));
    SSYNC_TRY(const fs::Stat stat, named("stat", directory_.stat(file())));
    return stat.seen.values.mtime;
  }

  Result<void> try_links() {
    const std::string link = slot_ + "l";
    const Result<void> made = directory_.make_link(link, "nowhere");
    if (!made) {
      // A full disk says nothing about links.
      const Errc code = made.error().code;
      if (code == Errc::no_space || code == Errc::io) return named("make link", made);
      found_.symlinks = found_.symlink_mtime = false;
      notes_.emplace_back("the mirror cannot hold symbolic links");
      return {};
    }
    const Result<void> set = directory_.set_mtime(link, kProbeTime);
    const Result<fs::Stat> stat = directory_.stat(link);
    const Result<void> removed = directory_.remove(link);
    SSYNC_TRY_VOID(named("stat", stat).map([](auto&&) {}));
    SSYNC_TRY_VOID(named("remove", removed));
    found_.symlink_mtime = set && stat->seen.values.mtime == rounded(kProbeTime, found_.mtime_granularity_ns);
    if (!found_.symlink_mtime) notes_.emplace_back("the mirror does not keep the times of symbolic links");
    return {};
  }

  fs::Directory& directory_;
  const std::string slot_;
  std::vector<std::string>& notes_;
  Attributes found_;
};

}  // namespace

Result<Attributes> probe_attributes(fs::Staging& staging, std::vector<std::string>& notes) {
  SSYNC_TRY(const auto directory, named("open the staging directory", staging.open()));
  return Probe(*directory, staging.next_slot(), notes).run();
}

bool size_fits(fs::Tree& tree, fs::Staging& staging, std::string_view location, std::uint64_t size) {
  Result<std::unique_ptr<fs::Directory>> directory = tree.open(location);
  while (!directory && directory.error().code == Errc::not_found && !location.empty()) {
    location = split(location).location;
    directory = tree.open(location);
  }
  if (!directory) return true;
  const std::string name = staging.next_name_beside();
  Result<std::unique_ptr<fs::File>> file = (*directory)->create_file(name, 0600);
  if (!file) return true;
  const Result<void> made = (*file)->truncate(size);
  file->reset();
  static_cast<void>((*directory)->remove(name));  // else it is a leftover, which the next scan removes
  return made || made.error().sys_errno != EFBIG;
}

}  // namespace ssync::store
