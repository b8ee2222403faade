#include "ssync/model/root_identity.h"

namespace ssync {

bool on_same_file_system(const RootIdentity& before, const RootIdentity& now) noexcept {
  if (before.type != now.type || before.volume_id != now.volume_id) return false;
  if (now.volume_id != 0) return true;
  if (before.levels != 0 && now.levels != 0) return before.levels == now.levels;
  return before.inode == now.inode && before.birth == now.birth;
}

bool is_led_elsewhere(const RootIdentity& before, const RootIdentity& now) noexcept {
  return before.levels != 0 && now.levels != 0 && before.links != now.links;
}

}  // namespace ssync
