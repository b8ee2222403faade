// What client-sync is asked to do: by its command line, the environment and a configuration file.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "ssync/base/result.h"
#include "ssync/model/entry.h"
#include "ssync/net/keys.h"
#include "ssync/wire/limits.h"

#include "own_keys.h"

namespace ssync::client_program {

struct Options {
  std::string directory;              ///< the source; empty only with `list`, `join` or keys.show
  std::optional<std::string> config;  ///< the file that was read
  bool list = false;                  ///< only show the server's mirrors
  std::optional<std::string> join;    ///< the line of an invitation, "-": on standard input; then no DIR
  std::string server = "localhost";   ///< IPv6 without brackets
  std::string mirror;                 ///< see mirror_name.h; empty: the server's mirror without a name
  std::uint16_t control_port = wire::kControlPort;
  std::optional<std::uint16_t> data_port;  ///< absent: the one that is known of the server, or 7100
  std::optional<net::PublicKey> server_key;
  bool insecure = false;
  programs::KeyOptions keys;
  bool once = false;
  double interval_s = 60;
  bool dry_run = false;
  bool verify = false;
  int verbosity = 0;  ///< -q is -1
  bool stats = false;
  bool json = false;
  std::optional<bool> progress;  ///< absent: when stderr is a terminal
  bool checksum = false;
  DigestKind digest = DigestKind::sha256;
  bool eager_digest = false;
  bool delete_extra = true;
  std::optional<std::uint64_t> max_delete;
  bool accept_root = false;
  bool fsync = true;
  double contimeout_s = 30;
  std::optional<std::string> source_id;
  std::string state_dir;  ///< filled with the default
  std::optional<std::string> log_file;
};

/// Options, or the exit code when there is nothing more to do (--help, a mistake: already said).
[[nodiscard]] std::variant<Options, int> parse_options(int argc, const char* const* argv);

/// The same without printing. Can be called as often as wanted. Errors: what parse_options() would have said.
[[nodiscard]] Result<Options> read_options(int argc, const char* const* argv);

}  // namespace ssync::client_program
