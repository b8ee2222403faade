#pragma once

#include <array>
#include <cstddef>
#include <string>

namespace ssync {

/// /etc/machine-id (or D-Bus's), else the host name. Never empty.
[[nodiscard]] std::string machine_name();
/// The same where there is a machine id. Else a random id that is kept in `state_dir` (file
/// `server-sync.machine-id`, mode 0600) and made the first time: the host name of a container is another one
/// after each start. The host name where no file can be kept. Never empty.
[[nodiscard]] std::string lasting_machine_name(const std::string& state_dir);
/// 16 bytes that two processes share exactly when they run on the same boot of the same machine: a hash of
/// machine id and boot id, which do not leave the machine. All zero when there is no boot id to read. Source:
/// machine-id(5), random(4).
[[nodiscard]] std::array<std::byte, 16> boot_fingerprint();

}  // namespace ssync
