// Clients that were invited and say which key they have: entered one after the other, aside.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "ssync/base/event_fd.h"
#include "ssync/base/result.h"
#include "ssync/serve/clients.h"
#include "ssync/session/server.h"

#include "aside.h"

namespace ssync::serve {

/// One thread. Destroying it waits for the disk.
class Joining {
 public:
  struct Who {
    session::Peer peer = 0;
    std::uint32_t seq = 0;
    Invitation invitation;
    net::PublicKey key;
  };
  struct Outcome {
    Who who;
    Result<Client> entered;
  };
  using Enter = std::function<Result<Client>(const Invitation&, const net::PublicKey&)>;

  Joining(EventFd& wake, Enter enter) : wake_(wake), enter_(std::move(enter)) {}

  [[nodiscard]] bool is_possible() const noexcept { return enter_ != nullptr; }
  void add(Who who);
  /// Its reply is still to come.
  [[nodiscard]] bool has(session::Peer peer) const;
  /// What became of one of them; the next one is begun.
  [[nodiscard]] std::optional<Outcome> take();

 private:
  void begin();

  EventFd& wake_;
  const Enter enter_;
  std::deque<Who> waiting_;
  Result<Client> entered_;
  std::optional<Who> who_;
  std::unique_ptr<Aside> aside_;  ///< last: it uses the rest
};

}  // namespace ssync::serve
