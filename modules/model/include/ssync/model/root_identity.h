// What a root directory is, to notice that another one appeared in its place (an unmounted disk, say). Kept
// in the index of either end from one run to the next.
#pragma once

#include <cstdint>
#include <optional>

#include "ssync/model/entry.h"

namespace ssync {

/// Made by fs::Root::identity().
struct RootIdentity {
  std::uint64_t type = 0;       ///< of the file system, as fs::Volume; 0: nothing is known
  std::uint64_t volume_id = 0;  ///< the same; 0: it has no lasting name
  std::uint64_t inode = 0;
  std::optional<FileTime> birth;
  std::uint64_t links = 0;   ///< hash of the symbolic links on the way to it, and of what each says; 0: none
  std::uint32_t levels = 0;  ///< 1 + the number of directories between its mount point and it; 0: not known
  friend bool operator==(const RootIdentity&, const RootIdentity&) = default;
};

/// Whether what is there now is on the file system that was there before, as far as can be known: the same
/// volume; or, of a kind that has no lasting name (tmpfs, network ones), as deep below a mount point.
[[nodiscard]] bool on_same_file_system(const RootIdentity& before, const RootIdentity& now) noexcept;
/// Whether somebody led the path elsewhere: a link on the way to it is another one, or there was none. False
/// when that is not known.
[[nodiscard]] bool is_led_elsewhere(const RootIdentity& before, const RootIdentity& now) noexcept;

}  // namespace ssync
