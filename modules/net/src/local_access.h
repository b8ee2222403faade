// How programs on one machine know each other without being set up: a server writes down what opens it, where
// only its own user (and root) can read. One file for each address that it listens on.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "ssync/base/result.h"
#include "ssync/base/secret.h"
#include "ssync/net/keys.h"

#include "address.h"

namespace ssync::net {

/// What opens a server to those on its own machine.
struct LocalAccess {
  enum class Kind : std::uint8_t {
    open,    ///< anybody may come (--insecure)
    secret,  ///< whoever knows the secret; nothing is encrypted
    key,     ///< keys only: the server's, and one to come with
  };
  Kind kind = Kind::open;
  Secret secret;
  PublicKey server;
  std::optional<KeyPair> client;  ///< nullopt: one that the server knows already
};

/// The file, for as long as the server listens. Move-only; removes the file when it goes, if it is still this
/// one.
class AccessFile {
 public:
  /// `server`: the address and control port that it listens on. Errors: none of runtime_dirs() can be
  /// written to.
  [[nodiscard]] static Result<AccessFile> write(const SocketAddress& server, const LocalAccess& access);
  AccessFile(AccessFile&& other) noexcept;
  AccessFile& operator=(AccessFile&& other) noexcept;
  AccessFile(const AccessFile&) = delete;
  AccessFile& operator=(const AccessFile&) = delete;
  ~AccessFile();

 private:
  AccessFile(std::string path, dev_t device, ino_t inode)
      : path_(std::move(path)), device_(device), inode_(inode) {}
  std::string path_;  ///< empty: nothing to remove
  dev_t device_;
  ino_t inode_;
};

/// What opens the server at this address and control port, left there by a program of this user. nullopt:
/// nothing is. Errors: a file is there and cannot be trusted (read_private_file()), or is damaged.
[[nodiscard]] Result<std::optional<LocalAccess>> find_local_access(const SocketAddress& server);

}  // namespace ssync::net
