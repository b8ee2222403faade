// The mirrors that there are, by name, by directory, and by the session that runs in one.
#pragma once

#include <cstddef>
#include <list>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "ssync/session/server.h"

#include "slot.h"

namespace ssync::serve {

/// Owns the slots. One thread.
class Slots {
 public:
  Slot& add(MirrorOptions options, std::unique_ptr<mirror::Mirror> mirror) {
    return slots_.emplace_back(std::move(options), std::move(mirror));
  }
  /// Null: there is none that clients can ask for.
  [[nodiscard]] Slot* named(std::string_view name);
  [[nodiscard]] Slot* at(std::string_view directory);
  /// Null: it runs no more.
  [[nodiscard]] Slot* of(session::SessionKey session);
  void begin(Slot& slot, session::SessionKey session);
  void end(Slot& slot);
  void erase(const Slot& slot);
  /// The mirrors that clients can ask for.
  [[nodiscard]] std::vector<session::server::OfferedMirror> offered() const;

  /// How many sessions have one: the syncs that run at the same time.
  [[nodiscard]] std::size_t sessions() const noexcept { return by_session_.size(); }
  [[nodiscard]] std::list<Slot>& all() noexcept { return slots_; }
  /// Those with a session, or with work that is being done. A copy, as what the caller does with them may
  /// change which ones they are.
  [[nodiscard]] std::vector<Slot*> busy();

 private:
  std::list<Slot> slots_;
  std::unordered_map<session::SessionKey, Slot*> by_session_;
};

}  // namespace ssync::serve
