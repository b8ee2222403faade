// The command line of server-sync.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "ssync/wire/limits.h"

namespace ssync::server_program {

struct Options {
  std::string directory;
  std::string address = "localhost";
  std::uint16_t control_port = wire::kControlPort;
  std::uint16_t data_port = wire::kDataPort;
  std::optional<std::string> monitor;  ///< endpoint of the tap; absent: the default one of the control port
  bool no_monitor = false;
  std::optional<std::uint64_t> max_delete;
  bool take_over = false;
  bool accept_root = false;
  bool fsync = false;
  bool insecure = false;
  std::string state_dir;  ///< filled with the default
  std::optional<std::string> log_file;
  bool json = false;
};

/// Options, or the exit code when there is nothing more to do (--help, a usage error: already said).
[[nodiscard]] std::variant<Options, int> parse_options(int argc, char** argv);

}  // namespace ssync::server_program
