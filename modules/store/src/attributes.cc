#include "ssync/store/attributes.h"

namespace ssync::store {
namespace {

constexpr std::uint16_t kPrivilegeBits = 07000;  // writing and chown take setuid and setgid away

}  // namespace

tl::unexpected<Error> changed_meanwhile() {
  return fail(Errc::changed, "it changed on the mirror meanwhile; the next sync looks again");
}

tl::unexpected<Error> taken_on_mirror() {
  return fail(
      Errc::already_exists,
      "something is in its place on the mirror that came meanwhile or could not be removed; the next sync "
      "looks again");
}

MirrorRules rules_of(fs::Tree& tree, const Attributes& attributes) {
  MirrorRules rules{attributes, fs::StableInodes::yes};
  // Without an answer the stricter rule holds: what cannot be recognized is left alone.
  if (const Result<fs::Volume> volume = tree.volume(); volume && !volume->stable_inodes)
    rules.stable_inodes = fs::StableInodes::no;
  return rules;
}

std::optional<Owner> owner_to_set(const Values& wanted, Owner current,
                                  const Attributes& attributes) noexcept {
  if (!attributes.owner || wanted.owner == current) return std::nullopt;
  return wanted.owner;
}

CreateMode create_mode(const Values& wanted, bool owner_changes, const Attributes& attributes) noexcept {
  const auto mode = static_cast<std::uint16_t>(wanted.mode & attributes.mode_mask);
  if (owner_changes || (mode & kPrivilegeBits) != 0) return {0600, false};
  return {mode, true};
}

Result<void> set_final_attributes(fs::File& file, const Values& wanted, const std::optional<Owner>& owner,
                                  bool mode_is_set, const Attributes& attributes) {
  if (owner) SSYNC_TRY_VOID(named("set owner", file.set_owner(*owner)));
  if (!mode_is_set) {
    SSYNC_TRY_VOID(
        named("set mode", file.set_mode(static_cast<std::uint16_t>(wanted.mode & attributes.mode_mask))));
  }
  return named("set time", file.set_mtime(clamp(wanted.mtime, attributes)));
}

bool attributes_differ(const Values& wanted, const fs::Stat& now, const Attributes& attributes) noexcept {
  Values want = project(wanted, attributes);
  Values have = project(now.seen.values, attributes);
  want.kind = have.kind;
  want.size = have.size = 0;
  return want != have;
}

Result<void> adjust_attributes(fs::Directory& directory, std::string_view name, const Values& wanted,
                               const fs::Stat& now, const Attributes& attributes) {
  const Values want = project(wanted, attributes);
  const Values have = project(now.seen.values, attributes);
  const bool is_link = now.type == fs::Stat::Type::symlink;
  const bool owner_differs = want.owner != have.owner;
  if (owner_differs) SSYNC_TRY_VOID(named("set owner", directory.set_owner(name, want.owner)));
  const bool mode_lost = owner_differs && (want.mode & kPrivilegeBits) != 0;
  if (!is_link && (want.mode != have.mode || mode_lost)) {
    SSYNC_TRY_VOID(named("set mode", directory.set_mode(name, want.mode)));
  }
  if (want.mtime != have.mtime)
    SSYNC_TRY_VOID(named("set time", directory.set_mtime(name, clamp(wanted.mtime, attributes))));
  return {};
}

bool make_writable(fs::Directory& directory) {
  const Result<fs::Stat> self = directory.stat_self();
  if (!self || (self->seen.values.mode & 0700U) == 0700U) return false;
  return directory.set_mode("", static_cast<std::uint16_t>(self->seen.values.mode | 0700U)).has_value();
}

}  // namespace ssync::store
