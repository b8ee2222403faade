#include "guests.h"

#include <fnmatch.h>

#include <algorithm>

#include <fmt/format.h>

#include "ssync/base/text.h"

namespace ssync::serve {

void Guests::set(const Clients& clients) {
  clients_.clear();
  invitations_.clear();
  for (const Client& client : clients.clients)
    clients_.emplace(client.key, client);
  for (const Invitation& invitation : clients.invitations)
    invitations_.emplace(invitation.key, invitation);
}

std::vector<net::KnownKey> Guests::known_keys() const {
  std::vector<net::KnownKey> out;
  out.reserve(clients_.size() + invitations_.size());
  for (const auto& [key, client] : clients_)
    out.push_back({key, client.rights.monitor, client.rights.expires});
  for (const auto& [key, invitation] : invitations_)
    out.push_back({key, false, invitation.expires});
  return out;
}

const Client* Guests::client(const net::PublicKey& key, Time now) const {
  const auto found = clients_.find(key);
  if (found == clients_.end()) return nullptr;
  const std::optional<Time> expires = found->second.rights.expires;
  return expires && *expires <= now ? nullptr : &found->second;
}

const Invitation* Guests::invitation(const net::PublicKey& key, Time now) const {
  const auto found = invitations_.find(key);
  return found == invitations_.end() || found->second.expires <= now ? nullptr : &found->second;
}

bool Guests::is_welcome(const std::optional<net::Identity>& who, Time now) const {
  if (!who) return false;
  if (who->kind != net::Identity::Kind::key) return true;
  return client(who->key, now) != nullptr || invitation(who->key, now) != nullptr;
}

bool Guests::may_use(const std::optional<net::Identity>& who, const std::string& mirror, Time now) const {
  if (!who) return false;
  if (who->kind != net::Identity::Kind::key) return true;
  const Client* const found = client(who->key, now);
  if (found == nullptr) return false;
  const std::vector<std::string>& patterns = found->rights.mirrors;
  return patterns.empty() || std::ranges::any_of(patterns, [&](const std::string& pattern) {
           return ::fnmatch(pattern.c_str(), mirror.c_str(), 0) == 0;
         });
}

std::optional<wire::ErrorReply> apply_rights(const Client& client, wire::Hello& hello,
                                             std::vector<std::string>& notes) {
  // Whose mirror it is, is a matter of the key: the same client may have another name or path by now.
  hello.source_id = "key:" + net::text_of(client.key);
  if (client.rights.look_only && !hello.options.only_shows()) {
    return wire::ErrorReply{
        wire::ErrorCode::rights, false,
        fmt::format("the key of '{}' may look only: --dry-run, --verify, --list", escape(client.name))};
  }
  if (client.rights.no_delete && hello.options.delete_extra) {
    hello.options.delete_extra = false;
    notes.emplace_back("The server lets this client delete nothing: what the source does not have is kept");
  }
  return std::nullopt;
}

}  // namespace ssync::serve
