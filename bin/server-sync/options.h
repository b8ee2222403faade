// What server-sync is asked to do: by its command line, the environment and a configuration file.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "ssync/base/result.h"
#include "ssync/wire/limits.h"

#include "mirrors.h"
#include "own_keys.h"

namespace ssync::server_program {

/// How many syncs run at the same time when nothing is said. Each has its threads, buffers and open files,
/// and more than a few make a disk slower for all.
inline constexpr std::uint32_t kMaxSyncs = 8;
inline constexpr std::uint32_t kMaxSyncsMost = 1024;

/// What is to be done with the clients that are known, instead of serving.
struct ClientCommand {
  enum class Kind : std::uint8_t { none, invite, list, revoke };
  Kind kind = Kind::none;
  std::string name;     ///< invite, revoke
  std::string mirrors;  ///< patterns, with ',' between them; empty: all
  std::string rights;   ///< parse_rights()
  std::chrono::seconds valid{std::chrono::minutes(15)};
  std::string host;  ///< what the other machine calls this one; empty: look for a name
  bool qr = false;
  friend bool operator==(const ClientCommand&, const ClientCommand&) = default;
};

struct Options {
  std::string directory;              ///< DIR; empty: none was given
  std::optional<std::string> config;  ///< the file that was read
  std::string address = "localhost";  ///< one or more, with ',' between them
  std::uint16_t control_port = wire::kControlPort;
  std::uint16_t data_port = wire::kDataPort;
  std::optional<std::string> monitor;  ///< endpoint of the tap; absent: the default one of the control port
  bool no_monitor = false;
  std::uint32_t max_syncs = kMaxSyncs;  ///< at the same time, over all mirrors; 1 to kMaxSyncsMost
  bool require_keys = false;
  bool insecure = false;
  programs::KeyOptions keys;
  ClientCommand command;
  std::string state_dir;  ///< filled with the default
  std::optional<std::string> log_file;
  bool json = false;

  // What was said for all mirrors. What holds for one is in `mirrors`.
  std::optional<std::uint64_t> max_delete;
  bool take_over = false;
  bool accept_root = false;
  bool fsync = false;

  /// At least one, but with keys.show or a command; DIR first, then in the order of the file. check_mirrors()
  /// found nothing wrong.
  std::vector<MirrorOptions> mirrors;

  friend bool operator==(const Options&, const Options&) = default;
};

/// Options, or the exit code when there is nothing more to do (--help, a mistake: already said).
[[nodiscard]] std::variant<Options, int> parse_options(int argc, const char* const* argv);

/// The same for a program that runs already and is told to read its configuration again: prints nothing.
/// Can be called as often as wanted. Reads a file, and looks at the mirrors' directories: may wait for a
/// disk. Errors: what parse_options() would have said.
[[nodiscard]] Result<Options> read_options(int argc, const char* const* argv);

}  // namespace ssync::server_program
