// The mirrors that there are, by name, by directory, and by the session that runs in one.
#pragma once

#include <cstddef>
#include <list>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "ssync/session/server.h"

#include "room.h"

namespace ssync::serve {

/// Owns the rooms. One thread.
class Rooms {
 public:
  Room& add(MirrorOptions options, std::unique_ptr<mirror::Mirror> mirror) {
    return rooms_.emplace_back(std::move(options), std::move(mirror));
  }
  /// Null: there is none that clients can ask for.
  [[nodiscard]] Room* named(std::string_view name);
  [[nodiscard]] Room* at(std::string_view directory);
  /// Null: it runs no more.
  [[nodiscard]] Room* of(session::SessionKey session);
  void begin(Room& room, session::SessionKey session);
  void end(Room& room);
  void erase(const Room& room);
  /// The mirrors that clients can ask for.
  [[nodiscard]] std::vector<session::server::MirrorListing> listings() const;

  /// How many sessions have one: the syncs that run at the same time.
  [[nodiscard]] std::size_t sessions() const noexcept { return by_session_.size(); }
  [[nodiscard]] std::list<Room>& all() noexcept { return rooms_; }
  /// Those with a session, or with work that is being done. A copy, as what the caller does with them may
  /// change which ones they are.
  [[nodiscard]] std::vector<Room*> busy();

 private:
  std::list<Room> rooms_;
  std::unordered_map<session::SessionKey, Room*> by_session_;
};

}  // namespace ssync::serve
