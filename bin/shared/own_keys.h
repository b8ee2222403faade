// Where a program keeps its keys, and what it knows of those of others.
#pragma once

#include <string>
#include <string_view>

#include "ssync/base/result.h"
#include "ssync/net/own_key.h"

namespace CLI {
class App;
}

namespace ssync::programs {

struct KeyOptions {
  std::string directory;  ///< --keys-dir; empty: the default one
  std::string file;       ///< --key; empty: the default name in the directory
  bool show = false;      ///< --show-key
  friend bool operator==(const KeyOptions&, const KeyOptions&) = default;
};

/// --keys-dir, --key, --show-key. `options` outlives the App.
void add_key_options(CLI::App& app, KeyOptions& options);

/// For CLI::Validator: what is wrong with a public key's text; empty: nothing.
[[nodiscard]] std::string check_key(std::string& text);

/// Errors: net::default_config_dir().
[[nodiscard]] Result<std::string> keys_directory(const KeyOptions& options);
/// `name`: of the file in the directory, "server.key".
[[nodiscard]] Result<std::string> key_path(const KeyOptions& options, std::string_view name);

/// Reads or makes the key once, when it is asked for first; from then on the process leaves no core dumps.
/// Any thread, one at a time.
[[nodiscard]] net::OwnKey own_key(const KeyOptions& options, std::string name);

/// --show-key: prints the public part on stdout, or the Error on stderr; the exit code.
[[nodiscard]] int show_key(std::string_view program, const net::OwnKey& own_key);

}  // namespace ssync::programs
