#include "slots.h"

#include <algorithm>

#include "ssync/base/assert.h"

namespace ssync::serve {

Slot* Slots::named(std::string_view name) {
  const auto found = std::ranges::find_if(
      slots_, [&](const Slot& slot) { return !slot.is_leaving && slot.options.name == name; });
  return found == slots_.end() ? nullptr : &*found;
}

Slot* Slots::at(std::string_view directory) {
  const auto found = std::ranges::find_if(slots_, [&](const Slot& slot) {
    return !slot.is_leaving && slot.options.mirror.directory == directory;
  });
  return found == slots_.end() ? nullptr : &*found;
}

Slot* Slots::of(session::SessionKey session) {
  const auto found = by_session_.find(session);
  return found == by_session_.end() ? nullptr : found->second;
}

void Slots::begin(Slot& slot, session::SessionKey session) {
  SSYNC_ASSERT(slot.session == 0);
  slot.session = session;
  by_session_.emplace(session, &slot);
}

void Slots::end(Slot& slot) {
  by_session_.erase(slot.session);
  slot.session = 0;
}

void Slots::erase(const Slot& slot) {
  slots_.remove_if([&](const Slot& other) { return &other == &slot; });
}

std::vector<session::server::OfferedMirror> Slots::offered() const {
  std::vector<session::server::OfferedMirror> offered;
  for (const Slot& slot : slots_) {
    if (!slot.is_leaving) offered.push_back({slot.options.name, slot.options.comment});
  }
  return offered;
}

std::vector<Slot*> Slots::busy() {
  std::vector<Slot*> busy;
  for (Slot& slot : slots_) {
    if (slot.is_busy()) busy.push_back(&slot);
  }
  return busy;
}

}  // namespace ssync::serve
