// A program's own key pair on disk: one line, "ssync-key-1 " and the secret part in hexadecimal digits.
// Readable by its owner alone, as ssh wants it.
#pragma once

#include <string>

#include "ssync/base/result.h"
#include "ssync/net/keys.h"

namespace ssync::net {

/// Errors: Errc::not_found; Errc::permission when others could read or replace it (owner, mode, link), with
/// what to do; Errc::corrupt; else as open(2). May wait for a disk.
[[nodiscard]] Result<KeyPair> read_key(const std::string& path);

/// read_key(), or a new pair when there is no file; makes the directories above it too, for this user alone.
/// Two programs that begin at the same time get the same pair. Errors: also as mkdir(2), write(2), link(2).
[[nodiscard]] Result<KeyPair> read_or_make_key(const std::string& path);

/// $XDG_CONFIG_HOME/server-sync, else /etc/server-sync for root and ~/.config/server-sync for others.
/// Errc::not_found without either variable.
[[nodiscard]] Result<std::string> default_config_dir();

}  // namespace ssync::net
