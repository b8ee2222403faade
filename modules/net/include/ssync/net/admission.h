// Who is let in. libzmq asks during each handshake (ZAP, https://rfc.zeromq.org/spec/27), before a byte of
// ours is read, and the answer stands with each message of the connection afterwards.
//
// ZAP fails open: with nobody to ask, libzmq lets every key in. Therefore sockets of a server are bound only
// with an Admission at hand, the process ends if its thread does, and the transport looks for the answer's
// mark, which no peer can know, in every message.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ssync/base/result.h"
#include "ssync/base/secret.h"
#include "ssync/net/keys.h"

namespace ssync::net {

class Context;

/// Whose a connection is, as its handshake proved.
struct Identity {
  enum class Kind : std::uint8_t {
    anybody,  ///< nothing was asked for: an insecure server
    local,    ///< the user of the server, or root: it could read what the server left for them
    key,
  };
  Kind kind = Kind::anybody;
  PublicKey key;  ///< Kind::key
  friend bool operator==(const Identity&, const Identity&) = default;
};

struct KnownKey {
  PublicKey key;
  bool may_monitor = false;  ///< is let in at the tap too
  std::optional<std::chrono::system_clock::time_point> expires;
};

/// One for each Context, made before any socket is bound and destroyed after the last of them, before the
/// Context. Thread safety: any thread. Starts a thread.
class Admission {
 public:
  /// Failures of one address in a minute after which it gets no answer any more but for a key that is known.
  static constexpr unsigned kFailuresPerMinute = 10;

  /// Errors: Errc::busy, the context has one.
  [[nodiscard]] static Result<std::unique_ptr<Admission>> start(Context& context);
  ~Admission();
  Admission(const Admission&) = delete;
  Admission& operator=(const Admission&) = delete;

  /// The keys that are let in from now on, instead of those before. Connections that are open stay: their
  /// owner ends them.
  void set_keys(const std::vector<KnownKey>& keys);

  /// What a connection is for.
  enum class Door : std::uint8_t { sync, tap };
  // By ServerTransport::bind() and TapSocket::bind().
  void let_in_anybody();  ///< at Door::sync
  /// Instead of the one before.
  void let_in_secret(Door door, Secret secret);
  /// A key like the others, but whoever has it is Identity::Kind::local. nullopt: there is none.
  void let_in_keys(Door door, const std::optional<PublicKey>& local);
  /// Since the last call somebody who was let in at the tap has lost the right to it, or its time is over.
  [[nodiscard]] bool has_lost_monitors();

  /// What an answer of this Admission stands for; nullopt: it is none, whatever a peer wrote there.
  [[nodiscard]] std::optional<Identity> identity_of(std::string_view user_id) const;

  /// Sentences for the log since the last call: who was refused, and why. At most 64 are kept.
  [[nodiscard]] std::vector<std::string> take_notices();

 private:
  struct Impl;
  explicit Admission(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace ssync::net
