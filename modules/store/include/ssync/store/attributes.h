#pragma once

// What both receiving and applying know about attributes: how a file that nobody sees yet gets its owner,
// mode and time.

#include <optional>
#include <string_view>

#include "ssync/base/result.h"
#include "ssync/fs/same.h"
#include "ssync/fs/tree.h"
#include "ssync/model/change.h"
#include "ssync/model/entry.h"
#include "ssync/model/problem.h"

namespace ssync::store {

/// The entry is not the one that the plan was made for.
[[nodiscard]] tl::unexpected<Error> changed_meanwhile();
/// A name that was to be made is taken.
[[nodiscard]] tl::unexpected<Error> taken_on_mirror();
/// What holds for every write to one mirror.
struct MirrorRules {
  Attributes attributes;
  fs::StableInodes stable_inodes = fs::StableInodes::yes;
};
[[nodiscard]] MirrorRules rules_of(fs::Tree& tree, const Attributes& attributes);

/// The owner that `wanted` asks for and `current` has not; nullopt: nothing to do.
[[nodiscard]] std::optional<Owner> owner_to_set(const Values& wanted, Owner current,
                                                const Attributes& attributes) noexcept;

/// The mode to pass to create_file(). `is_final`: it is the wanted one and needs no set_mode() later, as it
/// has no bit that writing or chown would take away.
struct CreateMode {
  std::uint16_t mode = 0600;
  bool is_final = false;
};
[[nodiscard]] CreateMode create_mode(const Values& wanted, bool owner_changes,
                                     const Attributes& attributes) noexcept;

/// Owner, mode (chown clears setuid), time last. Requires: content and size are final.
[[nodiscard]] Result<void> set_final_attributes(fs::File& file, const Values& wanted,
                                                const std::optional<Owner>& owner, bool mode_is_set,
                                                const Attributes& attributes);

/// Sets owner, mode and time of an entry by its name (empty: the directory itself), each only where `now`
/// differs. Never follows a link.
[[nodiscard]] Result<void> adjust_attributes(fs::Directory& directory, std::string_view name,
                                             const Values& wanted, const fs::Stat& now,
                                             const Attributes& attributes);
/// Whether adjust_attributes() would do anything.
[[nodiscard]] bool attributes_differ(const Values& wanted, const fs::Stat& now,
                                     const Attributes& attributes) noexcept;

/// Adds u+rwx to the directory's mode. False: it has that already, or may not be changed.
[[nodiscard]] bool make_writable(fs::Directory& directory);
/// Runs `change` and, when this directory's mode kept us from it, once more after make_writable(); the final
/// pass over directories gives the mode back.
template <typename Change>
[[nodiscard]] auto with_writable(fs::Directory& directory, Change change) -> decltype(change()) {
  auto result = change();
  if (result || result.error().code != Errc::permission || !make_writable(directory)) return result;
  return change();
}

}  // namespace ssync::store
