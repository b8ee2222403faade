// Asks a server which mirrors it has (proto-spec/03 §1.20), on a fresh control connection. No sockets,
// threads, files or clock; used up after Listed or Failed.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "ssync/session/client.h"
#include "ssync/wire/messages.h"

namespace ssync::session::client {

/// The end, well: all mirrors, in the order of their names. Bye was said; close the socket.
struct Listed {
  std::vector<wire::MirrorRow> mirrors;
};
using ListEffect = std::variant<Send, Listed, Failed>;
using ListEffects = std::vector<ListEffect>;

class Lister {
 public:
  /// `connect`: until the first reply; each further one must come within wire::kIdle.
  explicit Lister(std::chrono::milliseconds connect) : connect_(connect) {}

  void start(Time now);  ///< the socket is connecting
  [[nodiscard]] ListEffects on_connected(Time now);
  [[nodiscard]] ListEffects on_reply(wire::Reply reply, Time now);
  [[nodiscard]] ListEffects on_malformed(const Error& error);
  [[nodiscard]] ListEffects on_disconnected(const std::string& reason);
  [[nodiscard]] ListEffects on_tick(Time now);
  [[nodiscard]] Time next_deadline() const { return over_ ? Time::max() : answer_by_; }

 private:
  void ask(const std::string& after, ListEffects& out);
  void take(wire::Mirrors& page, ListEffects& out, Time now);
  void fail(Failed failed, ListEffects& out);
  void protocol(const std::string& text, ListEffects& out);

  std::chrono::milliseconds connect_;
  Time answer_by_ = Time::max();
  std::uint32_t seq_ = 0;
  std::vector<wire::MirrorRow> mirrors_;
  bool over_ = false;
};

}  // namespace ssync::session::client
