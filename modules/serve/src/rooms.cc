#include "rooms.h"

#include <algorithm>

#include "ssync/base/assert.h"

namespace ssync::serve {

Room* Rooms::named(std::string_view name) {
  const auto found = std::ranges::find_if(
      rooms_, [&](const Room& room) { return !room.is_leaving && room.options.name == name; });
  return found == rooms_.end() ? nullptr : &*found;
}

Room* Rooms::at(std::string_view directory) {
  const auto found = std::ranges::find_if(rooms_, [&](const Room& room) {
    return !room.is_leaving && room.options.mirror.directory == directory;
  });
  return found == rooms_.end() ? nullptr : &*found;
}

Room* Rooms::of(session::SessionKey session) {
  const auto found = by_session_.find(session);
  return found == by_session_.end() ? nullptr : found->second;
}

void Rooms::begin(Room& room, session::SessionKey session) {
  SSYNC_ASSERT(room.session == 0);
  room.session = session;
  by_session_.emplace(session, &room);
}

void Rooms::end(Room& room) {
  by_session_.erase(room.session);
  room.session = 0;
}

void Rooms::erase(const Room& room) {
  rooms_.remove_if([&](const Room& other) { return &other == &room; });
}

std::vector<session::server::MirrorListing> Rooms::listings() const {
  std::vector<session::server::MirrorListing> listings;
  for (const Room& room : rooms_) {
    if (!room.is_leaving) listings.push_back({room.options.name, room.options.comment});
  }
  return listings;
}

std::vector<Room*> Rooms::busy() {
  std::vector<Room*> busy;
  for (Room& room : rooms_) {
    if (room.is_busy()) busy.push_back(&room);
  }
  return busy;
}

}  // namespace ssync::serve
