#pragma once

#include <array>
#include <cstddef>
#include <string>

namespace ssync {

/// /etc/machine-id (or D-Bus's), else the host name. Never empty.
[[nodiscard]] std::string machine_name();
/// 16 bytes that two processes share exactly when they run on the same boot of the same machine: a hash of
/// machine id and boot id, which do not leave the machine. All zero when there is no boot id to read. Source:
/// machine-id(5), random(4).
[[nodiscard]] std::array<std::byte, 16> boot_fingerprint();

}  // namespace ssync
