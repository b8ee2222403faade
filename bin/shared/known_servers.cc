#include "known_servers.h"

#include <cerrno>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "ssync/base/text.h"
#include "ssync/net/private_file.h"

#include "config_file.h"
#include "option_layers.h"

namespace ssync::programs {
namespace {

std::string path_in(const std::string& keys_directory) {
  return keys_directory + "/servers.toml";
}

std::string name_of(const std::string& host, std::uint16_t control_port) {
  return fmt::format("{}:{}", host, control_port);
}

/// Empty when there is no file.
Result<std::string> read_text(const std::string& path) {
  Result<std::string> text = net::read_private_file(path, kConfigBytesMax);
  if (!text && text.error().code == Errc::not_found) return std::string();
  return text;
}

Result<KnownServer> server_of(const ConfigFile& file, const ConfigItem& item) {
  const auto* keys = std::get_if<ConfigTable>(&item.value);
  const auto wrong = [&](const std::string& what) {
    return fail(Errc::invalid_argument, fmt::format("{}: {}", file.place(item.line), what));
  };
  if (keys == nullptr) return wrong("a server is a table: [\"HOST:PORT\"], and below it key = \"...\"");
  KnownServer server;
  std::string key;
  CLI::App app;
  app.add_option("--key", key);
  app.add_option("--data-port", server.data_port)->transform(between<std::uint32_t>(1, 65535));
  app.add_option("--name", server.name);
  SSYNC_TRY_VOID(OptionLayers(app, "").take_table(file, *keys));
  const auto parsed = net::parse_public_key(key);
  if (!parsed) return wrong(parsed.error().text());
  server.key = *parsed;
  return server;
}

Result<std::optional<KnownServer>> find_in(const ConfigFile& file, const std::string& name) {
  for (const ConfigItem& item : file.items) {
    if (item.key != name) continue;
    SSYNC_TRY(KnownServer server, server_of(file, item));
    return server;
  }
  return std::nullopt;
}

}  // namespace

Result<std::optional<KnownServer>> find_server(const std::string& keys_directory, const std::string& host,
                                               std::uint16_t control_port) {
  const std::string path = path_in(keys_directory);
  SSYNC_TRY(const std::string text, read_text(path));
  SSYNC_TRY(const ConfigFile file, parse_config(path, text));
  return find_in(file, name_of(host, control_port));
}

Result<std::optional<KnownServer>> look_up_server(const KeyOptions& keys, const std::string& host,
                                                  std::uint16_t control_port) {
  const Result<std::string> directory = keys_directory(keys);
  if (!directory) return std::nullopt;  // so nothing is known
  auto known = find_server(*directory, host, control_port);
  // $HOME is another user's: so nothing is known either.
  if (!known && known.error().sys_errno == EACCES) return std::nullopt;
  return known;
}

Result<void> add_server(const std::string& keys_directory, const std::string& host,
                        std::uint16_t control_port, const KnownServer& server) {
  const std::string path = path_in(keys_directory);
  const std::string name = name_of(host, control_port);
  SSYNC_TRY(std::string text, read_text(path));
  SSYNC_TRY(const ConfigFile file, parse_config(path, text));
  SSYNC_TRY(const auto known, find_in(file, name));
  if (known && known->key == server.key) return {};
  if (known) {
    return fail(
        Errc::already_exists,
        fmt::format("{} is known with another key ({}, not {}). If that server was made anew, remove "
                    "[\"{}\"] from {}; if not, somebody may be in between",
                    name, net::fingerprint(known->key), net::fingerprint(server.key), name, escape(path)));
  }
  if (!text.empty() && !text.ends_with('\n')) text += '\n';
  text += fmt::format("{}[\"{}\"]\nkey = \"{}\"\n", text.empty() ? "" : "\n", name, net::text_of(server.key));
  if (server.data_port) text += fmt::format("data-port = {}\n", *server.data_port);
  if (!server.name.empty()) text += fmt::format("name = \"{}\"\n", server.name);
  SSYNC_TRY_VOID(net::make_directories(keys_directory));
  return net::write_private_file(path, text, net::IfThere::replace);
}

}  // namespace ssync::programs
