// The directories that a server keeps as mirrors, and what is asked of each.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ssync/base/result.h"

namespace ssync::server_program {

struct MirrorOptions {
  std::string name;     ///< see mirror_name.h; empty: for clients that name none
  std::string path;     ///< as it was given; absolute if it is from a file
  std::string comment;  ///< one line of UTF-8, for who asks what there is; may be empty
  std::optional<std::uint64_t> max_delete;
  bool fsync = false;
  bool take_over = false;
  bool accept_root = false;

  friend bool operator==(const MirrorOptions&, const MirrorOptions&) = default;
};

/// Errc::invalid_argument, with both names and paths, when two mirrors have one name or one directory, or
/// when one is inside the other, or the configuration file in one; links are followed, and what is mounted in
/// two places is found too. What does not exist is no error here. Looks at the disk: may wait for one.
[[nodiscard]] Result<void> check_mirrors(const std::vector<MirrorOptions>& mirrors,
                                         const std::optional<std::string>& config = std::nullopt);

/// "mirror 'home'", "the mirror without a name".
[[nodiscard]] std::string describe(const MirrorOptions& mirror);

}  // namespace ssync::server_program
