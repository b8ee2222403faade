#pragma once

// Exit codes of the programs: rsync's numbers, so that wrappers keep working. Source: rsync(1), EXIT VALUES.

namespace ssync {

enum class ExitCode : int {
  ok = 0,
  usage = 1,         ///< the command line
  incompatible = 2,  ///< protocol version
  selection = 3,     ///< DIR is missing, no directory or not readable
  unsupported = 4,   ///< asked for what this machine cannot do
  start = 5,         ///< the other end refuses this client
  socket = 10,       ///< connecting, binding, a lost connection
  file = 11,         ///< the program's own files: index, log
  stream = 12,       ///< the peer broke the protocol
  diagnostics = 13,
  interrupted = 20,  ///< SIGINT, SIGTERM
  memory = 22,
  partial = 23,     ///< some paths could not be mirrored, or the mirror is not equal
  vanished = 24,    ///< only because source files vanished
  max_delete = 25,  ///< deletes were withheld, or a guard stopped the sync
  timeout = 30,     ///< the peer went silent
};

[[nodiscard]] constexpr int to_int(ExitCode code) noexcept {
  return static_cast<int>(code);
}

}  // namespace ssync
