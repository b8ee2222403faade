// Who may use a server with keys, and what for.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "ssync/base/result.h"
#include "ssync/mirror/options.h"
#include "ssync/net/keys.h"

namespace ssync::serve {

/// What a key is good for. The client that has it cannot lift any of it.
struct Rights {
  std::vector<std::string> mirrors;  ///< patterns (fnmatch(3)) of names, one of which must fit; empty: all
  bool look_only = false;            ///< dry run, verify and --list only
  bool monitor = false;              ///< may watch the tap, which shows the traffic of all mirrors
  bool no_delete = false;            ///< what the source does not have is kept
  mirror::Limits limits;             ///< of each mirror
  std::optional<std::chrono::system_clock::time_point> expires;
  friend bool operator==(const Rights&, const Rights&) = default;
};

struct Client {
  std::string name;  ///< for people
  net::PublicKey key;
  Rights rights;
  friend bool operator==(const Client&, const Client&) = default;
};

/// A key that two people share for some minutes, to enter another one (proto-spec/09 §5). It gives no rights
/// itself.
struct Invitation {
  std::string name;  ///< of the client to be
  net::PublicKey key;
  std::chrono::system_clock::time_point expires;
  friend bool operator==(const Invitation&, const Invitation&) = default;
};

struct Clients {
  std::vector<Client> clients;          ///< no two with one key
  std::vector<Invitation> invitations;  ///< nor here
};

/// What is kept of clients, for good, is the program's.
struct ClientKeeper {
  /// Enters the key in place of the invitation, and says what it may do. Blocks for a disk; called in a
  /// thread of its own, one at a time. Empty: nobody can join.
  std::function<Result<Client>(const Invitation&, const net::PublicKey&)> enter;
  /// A client with this name had its turn. Called by the thread that opens the mirror; may be empty.
  std::function<void(const std::string& name)> seen;
};

}  // namespace ssync::serve
