// The clients that a server knows, as files that people can read and write: clients.d/NAME.toml for each, and
// invitations.d/NAME.toml for those that were invited.
//
//   key = "64 hexadecimal digits"
//   mirrors = "home, work-*"                  # patterns; absent: all
//   rights = "push, no-delete, max-delete=100, max-bytes=20G"  # or "look"; absent: push
//   expires = "2027-01-31T12:00:00Z"          # absent: never
//
// An invitation has `valid-until` beside that. Both directories lie in the keys directory.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ssync/base/result.h"
#include "ssync/net/keys.h"
#include "ssync/serve/clients.h"

namespace ssync::server_program {

/// Thread safety: any thread; all that is kept is on disk. Blocks for that disk.
class ClientFiles {
 public:
  explicit ClientFiles(std::string keys_directory) : directory_(std::move(keys_directory)) {}

  /// Makes the directories that are missing, for this user alone.
  [[nodiscard]] Result<void> make_directories() const;
  [[nodiscard]] std::string clients_directory() const { return directory_ + "/clients.d"; }
  [[nodiscard]] std::string invitations_directory() const { return directory_ + "/invitations.d"; }

  struct Loaded {
    serve::Clients clients;
    std::vector<std::string> problems;  ///< files that are of no use, and why; the others hold
  };
  /// Errors: a directory cannot be read.
  [[nodiscard]] Result<Loaded> load() const;

  struct NewInvitation {
    std::string name;
    net::PublicKey key;  ///< made of the token
    std::string mirrors, rights;
    std::chrono::system_clock::time_point valid_until;
  };
  /// Errors: Errc::already_exists for a client's name; an invitation with the name is replaced.
  [[nodiscard]] Result<void> invite(const NewInvitation& invitation) const;
  /// The invitation becomes a client with this key. Errors: Errc::not_found, it was used or revoked
  /// meanwhile; Errc::already_exists, the name or the key is another client's by now.
  [[nodiscard]] Result<serve::Client> enter(const serve::Invitation& invitation,
                                            const net::PublicKey& key) const;
  /// Client and invitation. Errors: Errc::not_found.
  [[nodiscard]] Result<void> revoke(const std::string& name) const;

  void note_seen(const std::string& name) const noexcept;
  [[nodiscard]] std::optional<std::chrono::system_clock::time_point> last_seen(const std::string& name) const;

 private:
  std::string directory_;
};

/// "push, no-delete": in the order in which they are written. Errors: Errc::invalid_argument.
[[nodiscard]] Result<serve::Rights> parse_rights(std::string_view text);
[[nodiscard]] std::string text_of(const serve::Rights& rights);

}  // namespace ssync::server_program
