#include "options.h"

#include <limits>
#include <utility>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "ssync/base/text.h"

#include "config_file.h"
#include "mirror_name.h"
#include "option_layers.h"
#include "server_address.h"

namespace ssync::client_program {
namespace {

using programs::between;
using programs::Layer;
using programs::OptionLayers;

constexpr const char* kPrefix = "CLIENT_SYNC_";

/// Each option once, in groups that read one after the other.
class OptionReader {
 public:
  OptionReader() {
    app_.name("client-sync");
    app_.set_version_flag("-V,--version", "client-sync " SSYNC_VERSION);
    add_server();
    add_keys();
    add_when();
    add_output();
    add_comparison();
    add_guards();
    add_files();
    app_.footer(
        "HOST:PORT is the server and its --control-port; NAME is one of its mirrors. ::NAME is one on this\n"
        "machine; a numeric IPv6 address is written in brackets.\n"
        "Each option is also a key of the file, without its dashes, and a variable of the environment:\n"
        "--max-delete is max-delete and CLIENT_SYNC_MAX_DELETE. The command line goes before the\n"
        "environment, the environment before the file.");
  }

  std::variant<Options, programs::Answer> read(int argc, const char* const* argv) {
    auto answer = programs::read(
        app_, argc, argv, [this] { return take(); }, options_.state_dir);
    if (answer) return *std::move(answer);
    return std::move(options_);
  }

 private:
  void add_server() {
    app_.add_option("DIR", options_.directory, "the source")->check(programs::not_empty());
    address_ = app_.add_option("HOST[:PORT][::NAME]", address_text_, "the server and its mirror [localhost]");
    config_ = app_.add_option("--config", options_.config, "read settings from this file (TOML)")
                  ->configurable(false);
    server_ = app_.add_option("--server", options_.server, "host that server-sync runs on")
                  ->capture_default_str()
                  ->transform(CLI::Validator(check_host, ""));
    mirror_ =
        app_.add_option("--mirror", options_.mirror, "name of the server's mirror [the one without a name]")
            ->check(CLI::Validator(check_mirror, ""));
    control_port_ = app_.add_option("--control-port", options_.control_port, "its protocol port")
                        ->capture_default_str()
                        ->transform(between<std::uint32_t>(0, 65535));
    app_.add_option("--data-port", options_.data_port, "its file data port [7100]")
        ->transform(between<std::uint32_t>(0, 65535));
    list_ = app_.add_option("--list", list_text_, "show the mirrors of HOST[:PORT] and exit; takes no DIR")
                ->configurable(false);
  }

  void add_keys() {
    app_.add_option("--join", options_.join,
                    "become a client of the server that printed this line (server-sync --invite), and exit; "
                    "-: read it from standard input")
        ->configurable(false);
    app_.add_option("--server-key", server_key_,
                    "public key that the server must have: what server-sync --show-key prints")
        ->check(CLI::Validator(programs::check_key, ""));
    app_.add_flag("--insecure", options_.insecure,
                  "talk to a server on another machine without keys: anybody on the way can read and change "
                  "what is sent");
    programs::add_key_options(app_, options_.keys);
  }

  static std::string check_host(std::string& text) {
    const Result<std::string> host = parse_host(text);
    if (!host) return "is no host: " + host.error().text();
    text = *host;
    return "";
  }

  static std::string check_mirror(std::string& text) {
    const Result<void> good = programs::check_mirror_name(text);
    return good ? "" : "is no name: " + good.error().text();
  }

  void add_when() {
    app_.add_flag("--once", options_.once, "sync once and exit");
    app_.add_option("--interval", options_.interval_s, "seconds between the end of a sync and the next")
        ->capture_default_str()
        ->transform(between(0.05, 1e9));
    app_.add_flag("-n,--dry-run", options_.dry_run,
                  "show what would be done, change nothing (implies --once)");
    app_.add_flag(
        "--verify", options_.verify,
        "read every file on both ends, change nothing, say whether both are equal (implies --once)");
    app_.add_option("--contimeout", options_.contimeout_s,
                    "with --once: seconds to try to reach the server, and to go on without progress")
        ->capture_default_str()
        ->transform(between(0.1, 1e9));
  }

  void add_output() {
    verbose_ = app_.add_flag("-v,--verbose", options_.verbosity, "one line for each change; twice: more");
    quiet_ = app_.add_flag("-q,--quiet", said_quiet_, "errors only");
    app_.add_flag("--stats", options_.stats, "counts at the end of each sync");
    app_.add_flag("--json", options_.json, "one JSON object a line on standard output");
    programs::add_switch(app_, "--progress,!--no-progress", options_.progress,
                         "progress on standard error [when it is a terminal]");
  }

  void add_comparison() {
    app_.add_flag("-c,--checksum", options_.checksum, "compare every file by content, not by time and size");
    app_.add_option("--digest", digest_, "digest that proves two files equal: sha256 or md5 [sha256]")
        ->check(programs::one_of({"sha256", "md5"}));
    app_.add_flag("--eager-digest", options_.eager_digest, "send a digest of every file with the list");
  }

  void add_guards() {
    app_.add_flag("--no-delete,!--delete", no_delete_, "keep what the source does not have");
    app_.add_option("--max-delete", options_.max_delete,
                    "delete at most N entries: if more would go, delete nothing (exit 25). Lifts the delete "
                    "guards up to N")
        ->transform(between<std::uint64_t>(0, std::numeric_limits<std::uint64_t>::max()));
    app_.add_flag("--accept-root", options_.accept_root,
                  "go on although DIR is on another file system than at the last sync");
    app_.add_flag("--fsync,!--no-fsync", options_.fsync,
                  "write files through to the mirror's disk before they count as done [on]");
  }

  void add_files() {
    app_.add_option(
            "--source-id", options_.source_id,
            "name of this source for the mirror [machine id (or one kept in the state directory) and path]")
        ->check(programs::not_empty());
    app_.add_option("--state-dir", options_.state_dir,
                    "where the index is kept [$XDG_STATE_HOME/server-sync]");
    app_.add_option("--log-file", options_.log_file,
                    "append the log to this file instead of standard output");
  }

  Result<void> take() {
    layers_.emplace(app_, kPrefix);
    options_.config = programs::config_path(*config_, kPrefix);
    SSYNC_TRY_VOID(layers_->take_environment());
    if (options_.config) {
      SSYNC_TRY(const programs::ConfigFile file, programs::read_config(*options_.config));
      SSYNC_TRY_VOID(layers_->take_table(file, file.items));
    }
    options_.delete_extra = !no_delete_;
    if (digest_ == "md5") options_.digest = DigestKind::md5;
    // -q goes before -v, unless -v comes from a layer that goes before.
    if (said_quiet_ && layers_->layer(quiet_) >= layers_->layer(verbose_)) options_.verbosity = -1;
    if (options_.dry_run || options_.verify) options_.once = true;
    if (!server_key_.empty()) options_.server_key = net::parse_public_key(server_key_).value();
    if (options_.server_key && options_.insecure)
      return fail(Errc::invalid_argument, "--insecure and --server-key exclude each other");
    if (options_.keys.show) return {};
    if (options_.join) return check_join();
    options_.list = list_->count() > 0;
    return options_.list ? take_list() : take_address();
  }

  Result<void> check_join() const {
    if (options_.directory.empty() && list_->count() == 0 && !options_.server_key && !options_.insecure)
      return {};
    return fail(Errc::invalid_argument, "--join takes the line of the invitation, and nothing beside it");
  }

  Result<void> take_list() {
    if (!options_.directory.empty())
      return fail(Errc::invalid_argument, "--list shows what mirrors there are: it takes no DIR");
    auto address = parse_server_address(list_text_);
    if (!address) return fail(context(std::move(address).error(), "--list"));
    if (!address->mirror.empty()) {
      return fail(
          Errc::invalid_argument,
          fmt::format("--list shows all mirrors of a server: write it without '::{}'", address->mirror));
    }
    return use(*address, "--list");
  }

  Result<void> take_address() {
    if (options_.directory.empty()) {
      return fail(Errc::invalid_argument,
                  "there is no source: say client-sync DIR [HOST[:PORT][::NAME]], or --list HOST for what a "
                  "server has");
    }
    if (address_->count() == 0) return {};
    SSYNC_TRY(const ServerAddress address, parse_server_address(address_text_));
    return use(address, address_text_);
  }

  /// What the address says is said on the command line: it goes before the environment and the file, and
  /// options beside it must agree.
  Result<void> use(const ServerAddress& address, const std::string& said) {
    const auto take = [&]<typename T>(const CLI::Option* option, T& value, const T& wanted) -> Result<void> {
      if (layers_->layer(option) == Layer::command_line && value != wanted) {
        return fail(Errc::invalid_argument, fmt::format("{} and {} {} do not agree: say one of them",
                                                        escape(said), option->get_name(), value));
      }
      value = wanted;
      return {};
    };
    SSYNC_TRY_VOID(take(server_, options_.server, address.host.empty() ? "localhost" : address.host));
    if (address.control_port)
      SSYNC_TRY_VOID(take(control_port_, options_.control_port, *address.control_port));
    if (!address.mirror.empty()) SSYNC_TRY_VOID(take(mirror_, options_.mirror, address.mirror));
    return {};
  }

  CLI::App app_{
      "Makes the directory behind server-sync an exact copy of DIR: files missing in DIR are deleted on the "
      "mirror.\n"
      "Syncs now and then again after each --interval, until it is stopped."};
  Options options_;
  std::string address_text_, list_text_, digest_, server_key_;
  bool no_delete_ = false;
  bool said_quiet_ = false;
  std::optional<OptionLayers> layers_;
  CLI::Option* config_ = nullptr;
  CLI::Option* address_ = nullptr;
  CLI::Option* server_ = nullptr;
  CLI::Option* mirror_ = nullptr;
  CLI::Option* control_port_ = nullptr;
  CLI::Option* list_ = nullptr;
  CLI::Option* verbose_ = nullptr;
  CLI::Option* quiet_ = nullptr;
};

}  // namespace

std::variant<Options, int> parse_options(int argc, const char* const* argv) {
  auto read = OptionReader().read(argc, argv);
  if (const auto* answer = std::get_if<programs::Answer>(&read)) return programs::say(*answer);
  return std::get<Options>(std::move(read));
}

Result<Options> read_options(int argc, const char* const* argv) {
  auto read = OptionReader().read(argc, argv);
  if (const auto* answer = std::get_if<programs::Answer>(&read)) return fail(programs::error_of(*answer));
  return std::get<Options>(std::move(read));
}

}  // namespace ssync::client_program
