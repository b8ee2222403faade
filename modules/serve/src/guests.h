// Who is connected, by key: what each may do, and who is not welcome any more.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "ssync/net/admission.h"
#include "ssync/serve/clients.h"
#include "ssync/wire/messages.h"

namespace ssync::serve {

/// One thread.
class Guests {
 public:
  using Time = std::chrono::system_clock::time_point;

  void set(const Clients& clients);

  /// All keys that may connect.
  [[nodiscard]] std::vector<net::KnownKey> known_keys() const;
  /// The client with this key; null: there is none, or its time is over.
  [[nodiscard]] const Client* client(const net::PublicKey& key, Time now) const;
  [[nodiscard]] const Invitation* invitation(const net::PublicKey& key, Time now) const;
  /// May a connection with this identity stay?
  [[nodiscard]] bool is_welcome(const std::optional<net::Identity>& who, Time now) const;
  /// May it know of this mirror, and use it? Those without keys may use all; one that is gone may nothing.
  [[nodiscard]] bool may_use(const std::optional<net::Identity>& who, const std::string& mirror,
                             Time now) const;
  /// Its joining has begun: nobody else can use it.
  void use_up(const net::PublicKey& invitation) { invitations_.erase(invitation); }
  void add(const Client& client) { clients_.insert_or_assign(client.key, client); }

 private:
  std::unordered_map<net::PublicKey, Client, net::HashOfKey> clients_;
  std::unordered_map<net::PublicKey, Invitation, net::HashOfKey> invitations_;
};

/// Makes `hello` ask for no more than the rights allow. The reply when that is not what the client could
/// want: nullopt when it is fine. `notes` gets what the client is told of it.
[[nodiscard]] std::optional<wire::ErrorReply> apply_rights(const Client& client, wire::Hello& hello,
                                                           std::vector<std::string>& notes);

}  // namespace ssync::serve
