#include "own_keys.h"

#include <cstdio>
#include <memory>
#include <utility>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "ssync/base/exit_code.h"
#include "ssync/base/secret.h"
#include "ssync/net/key_file.h"

#include "option_layers.h"

namespace ssync::programs {

void add_key_options(CLI::App& app, KeyOptions& options) {
  app.add_option("--keys-dir", options.directory,
                 "where keys, and what is known of others, are kept [$XDG_CONFIG_HOME/server-sync]")
      ->check(not_empty())
      ->type_name(kPathType);
  app.add_option("--key", options.file, "file of this program's own key, made when it is needed")
      ->check(not_empty())
      ->type_name(kPathType);
  app.add_flag("--show-key", options.show, "print the public part of this program's key and exit")
      ->configurable(false);
}

std::string check_key(std::string& text) {
  const Result<net::PublicKey> key = net::parse_public_key(text);
  return key ? std::string() : "is no key: " + key.error().text();
}

Result<std::string> keys_directory(const KeyOptions& options) {
  if (!options.directory.empty()) return options.directory;
  return net::default_config_dir();
}

Result<std::string> key_path(const KeyOptions& options, std::string_view name) {
  if (!options.file.empty()) return options.file;
  SSYNC_TRY(const std::string directory, keys_directory(options));
  return fmt::format("{}/{}", directory, name);
}

net::OwnKey own_key(const KeyOptions& options, std::string name) {
  return
      [options, name = std::move(name),
       key = std::shared_ptr<const net::KeyPair>()]() mutable -> Result<std::shared_ptr<const net::KeyPair>> {
        if (key) return key;
        SSYNC_TRY(const std::string path, key_path(options, name));
        forbid_core_dumps();
        SSYNC_TRY(net::KeyPair pair, net::read_or_make_key(path));
        key = std::make_shared<const net::KeyPair>(std::move(pair));
        return key;
      };
}

int show_key(std::string_view program, const net::OwnKey& own_key) {
  const Result<std::shared_ptr<const net::KeyPair>> key = own_key();
  if (!key) {
    std::fprintf(stderr, "%s: %s\n", std::string(program).c_str(), key.error().text().c_str());
    return to_int(ExitCode::file);
  }
  std::printf("%s\n", net::text_of((*key)->public_key).c_str());
  return std::fflush(stdout) == 0 ? to_int(ExitCode::ok) : to_int(ExitCode::file);
}

}  // namespace ssync::programs
