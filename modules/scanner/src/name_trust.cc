#include "name_trust.h"

#include <limits>

namespace ssync::scanner {

// Whether any later name will show in the directory's ctime: where names move it, and unless it is so young
// that a later change could leave it as it is. What the file system above says holds for no mount point.
bool NameTrust::names_show(const FoundDirectory& found) const {
  const fs::StableFields& stable = found.stable;
  return believe_ == Believe::yes && stable.names && stable.inodes && stable.ctime &&
         !found.stat.mount_point && !fs::is_racy(found.stat.seen.ctime, found.clock);
}

std::optional<std::uint32_t> NameTrust::believed(const FoundDirectory& found,
                                                 const RememberedDirectory& remembered) const {
  const index::Record& record = remembered.record;
  const Seen& now = found.stat.seen;
  if (!record.names || !remembered.of_base || !names_show(found)) return std::nullopt;
  if (record.held.device != now.device || !same_stat(record.held, now, found.stable)) return std::nullopt;
  const bool all_there = index_.rows_in_base(join(remembered.path)) == *record.names;
  return all_there ? record.names : std::nullopt;
}

std::optional<std::uint32_t> NameTrust::to_remember(const FoundDirectory& found, fs::Directory& opened,
                                                    std::size_t count) const {
  if (!names_show(found) || count >= std::numeric_limits<std::uint32_t>::max()) return std::nullopt;
  const Seen& before = found.stat.seen;
  const Result<fs::Stat> now = opened.stat_self();
  if (!now || !fs::same_inode(now->seen, before) || now->seen.ctime != before.ctime) return std::nullopt;
  return static_cast<std::uint32_t>(count);
}

}  // namespace ssync::scanner
