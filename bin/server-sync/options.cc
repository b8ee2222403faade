#include "options.h"

#include <algorithm>
#include <limits>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "ssync/base/text.h"

#include "client_files.h"
#include "config_file.h"
#include "mirror_name.h"
#include "option_layers.h"
#include "words.h"

namespace ssync::server_program {
namespace {

using programs::between;
using programs::ConfigFile;
using programs::ConfigItem;
using programs::ConfigTable;
using programs::Layer;
using programs::OptionLayers;

constexpr const char* kPrefix = "SERVER_SYNC_";
constexpr const char* kMirrors = "mirror";  // the key of the file with a table for each
constexpr std::size_t kCommentBytesMax = 1024;
constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();

/// What a mirror's own table says.
struct MirrorTable {
  std::optional<std::string> path;
  std::optional<std::string> comment;
  std::optional<std::uint64_t> max_delete;
  std::optional<bool> fsync, take_over, accept_root;
};

/// Each option once, in groups that read one after the other.
class OptionReader {
 public:
  OptionReader() {
    app_.name("server-sync");
    app_.set_version_flag("-V,--version", "server-sync " SSYNC_VERSION);
    add_mirrors();
    add_listening();
    add_clients();
    add_rules();
    add_files();
    app_.footer(
        "Each option is also a key of the file, without its dashes, and a variable of the environment:\n"
        "--max-delete is max-delete and SERVER_SYNC_MAX_DELETE. The command line goes before the\n"
        "environment, the environment before the file. In the file, each mirror has a table:\n"
        "  [mirror.home]\n"
        "  path = \"/srv/mirrors/home\"\n"
        "with path, comment, max-delete, fsync, take-over, accept-root.");
  }

  std::variant<Options, programs::Answer> read(int argc, const char* const* argv) {
    auto answer = programs::read(
        app_, argc, argv, [this] { return take(); }, options_.state_dir);
    if (answer) return *std::move(answer);
    return std::move(options_);
  }

 private:
  void add_mirrors() {
    app_.add_option("DIR", options_.directory, "the mirror: a directory that exists [those of --config]")
        ->check(programs::not_empty());
    config_ = app_.add_option("--config", options_.config, "read mirrors and settings from this file (TOML)")
                  ->configurable(false);
    app_.add_option("--max-syncs", options_.max_syncs,
                    "how many syncs run at the same time, over all mirrors")
        ->capture_default_str()
        ->transform(between<std::uint32_t>(1, kMaxSyncsMost));
  }

  void add_listening() {
    app_.add_option("--address", options_.address,
                    "address or name to listen on, '*' for all of IPv4, '[::]' for all; more than one: with "
                    "',' between them, or said "
                    "again. Beyond this machine all is encrypted, and clients need a key")
        ->capture_default_str()
        ->check(programs::not_empty())
        ->join(',');
    app_.add_option("--control-port", options_.control_port, "port of the protocol; 0: any free one")
        ->capture_default_str()
        ->transform(between<std::uint32_t>(0, 65535));
    app_.add_option("--data-port", options_.data_port, "port of file data; 0: any free one")
        ->capture_default_str()
        ->transform(between<std::uint32_t>(0, 65535));
    monitor_ = app_.add_option("--monitor", options_.monitor,
                               "endpoint of the tap for monitor-sync, ipc://PATH or tcp://ADDRESS:PORT");
    no_monitor_ = app_.add_flag("--no-monitor", options_.no_monitor, "no tap");
    app_.add_flag("--require-keys", options_.require_keys,
                  "clients on this machine need a key too, those of this user as well");
    app_.add_flag("--insecure", options_.insecure,
                  "no keys, nothing encrypted: anybody who reaches the ports can overwrite DIR");
    programs::add_key_options(app_, options_.keys);
  }

  void add_clients() {
    const auto only_here = [](CLI::Option* option) { return option->configurable(false)->group("Clients"); };
    ClientCommand& command = options_.command;
    invite_ =
        only_here(app_.add_option("--invite", command.name,
                                  "print the line that makes another machine the client NAME, and exit"))
            ->check(CLI::Validator(check_client_name, ""));
    only_here(app_.add_option("--mirror", command.mirrors,
                              "which mirrors the client may use [all]; patterns, more than one as --address"))
        ->check(CLI::Validator(check_patterns, ""))
        ->join(',');
    only_here(
        app_.add_option("--rights", command.rights,
                        "what the client may do [push]: push or look; monitor, no-delete, max-delete=N; "
                        "max-entries=N and max-bytes=SIZE of each mirror"))
        ->check(CLI::Validator(check_rights, ""))
        ->join(',');
    only_here(app_.add_option("--expires", expires_, "how long the invitation holds: 90s, 15m, 2h, 1d [15m]"))
        ->check(CLI::Validator(check_duration, ""));
    only_here(app_.add_option("--host", command.host, "what the other machine calls this one [its name]"))
        ->check(programs::not_empty());
    only_here(app_.add_flag("--qr", command.qr, "show the line as a QR code too"));
    list_ = only_here(app_.add_flag("--clients", lists_, "show the clients that are known, and exit"));
    revoke_ = only_here(app_.add_option("--revoke", revoked_, "let the client NAME in no more, and exit"))
                  ->check(CLI::Validator(check_client_name, ""));
  }

  static std::string check_client_name(std::string& text) {
    const Result<void> good = programs::check_client_name(text);
    return good ? "" : good.error().text();
  }

  static std::string check_patterns(std::string& text) {
    return text.find_first_of("\"\\") != text.npos || escape_text(text) != text ? "is no name of a mirror"
                                                                                : "";
  }

  static std::string check_rights(std::string& text) {
    const auto rights = parse_rights(text);
    return rights ? "" : rights.error().text();
  }

  static std::string check_duration(std::string& text) {
    const auto duration = programs::parse_duration(text);
    return duration ? "" : duration.error().text();
  }

  /// Which command there is, if any.
  Result<void> settle_command() {
    ClientCommand& command = options_.command;
    if (invite_->count() + list_->count() + revoke_->count() > 1)
      return fail(Errc::invalid_argument, "--invite, --clients and --revoke: one of them at a time");
    if (invite_->count() == 0) {
      for (const char* name : {"--mirror", "--rights", "--expires", "--host", "--qr"})
        if (app_.get_option(name)->count() > 0)
          return fail(Errc::invalid_argument, fmt::format("{} is for --invite", name));
    }
    if (invite_->count() > 0) command.kind = ClientCommand::Kind::invite;
    if (list_->count() > 0) command.kind = ClientCommand::Kind::list;
    if (revoke_->count() > 0) {
      command.kind = ClientCommand::Kind::revoke;
      command.name = revoked_;
    }
    if (!expires_.empty()) {
      SSYNC_TRY(command.valid, programs::parse_duration(expires_));
    }
    return {};
  }

  void add_rules() {
    max_delete_ = app_.add_option("--max-delete", options_.max_delete,
                                  "never delete more than N entries in one sync; no client can lift this")
                      ->transform(between<std::uint64_t>(0, kMost));
    take_over_ = app_.add_flag("--take-over", options_.take_over,
                               "accept a source other than the one this mirror was made from");
    accept_root_ = app_.add_flag("--accept-root", options_.accept_root,
                                 "accept that DIR is on another file system than at the last sync");
    fsync_ =
        app_.add_flag("--fsync", options_.fsync, "always write through to disk, whatever clients ask for");
  }

  void add_files() {
    app_.add_option("--state-dir", options_.state_dir,
                    "where the index is kept [$XDG_STATE_HOME/server-sync]");
    app_.add_option("--log-file", options_.log_file,
                    "append the log to this file instead of standard output");
    app_.add_flag("--json", options_.json, "log one JSON object a line");
  }

  Result<void> take() {
    layers_.emplace(app_, kPrefix);
    options_.config = programs::config_path(*config_, kPrefix);
    SSYNC_TRY_VOID(layers_->take_environment());
    ConfigFile file;
    if (options_.config) {
      SSYNC_TRY(file, programs::read_config(*options_.config));
      SSYNC_TRY_VOID(layers_->take_table(file, file.items, {kMirrors}, explain_key));
    }
    settle_monitor();
    if (!options_.directory.empty()) {
      options_.mirrors.push_back({"", options_.directory, "", options_.max_delete, options_.fsync,
                                  options_.take_over, options_.accept_root});
    }
    for (const ConfigItem& item : file.items)
      if (item.key == kMirrors) SSYNC_TRY_VOID(take_mirrors(file, item));
    if (options_.insecure && options_.require_keys)
      return fail(Errc::invalid_argument, "--insecure and --require-keys exclude each other");
    SSYNC_TRY_VOID(settle_command());
    if (options_.keys.show || options_.command.kind != ClientCommand::Kind::none) return {};
    if (options_.mirrors.empty()) return fail(Errc::invalid_argument, nothing_to_do());
    return check_mirrors(options_.mirrors, options_.config);
  }

  /// --monitor and --no-monitor are about one thing: the one from the layer that goes before holds, and
  /// --no-monitor if both are said in one layer.
  void settle_monitor() {
    if (layers_->layer(monitor_) > layers_->layer(no_monitor_)) options_.no_monitor = false;
  }

  std::string nothing_to_do() const {
    if (!options_.config)
      return "there is no mirror: say server-sync DIR, or --config FILE with a table [mirror.NAME]";
    return fmt::format("there is no mirror: {} has no table [mirror.NAME] with a path, and no DIR is given",
                       escape(*options_.config));
  }

  Result<void> take_mirrors(const ConfigFile& file, const ConfigItem& all) {
    const auto* mirrors = std::get_if<ConfigTable>(&all.value);
    if (mirrors == nullptr) {
      return fail(Errc::invalid_argument, fmt::format("{}: 'mirror' must be a table for each mirror: "
                                                      "[mirror.NAME], not {}",
                                                      file.place(all.line), programs::describe(all)));
    }
    for (const ConfigItem& mirror : *mirrors)
      SSYNC_TRY_VOID(take_mirror(file, mirror));
    return {};
  }

  Result<void> take_mirror(const ConfigFile& file, const ConfigItem& item) {
    const auto wrong = [&](std::string_view what) {
      return fail(Errc::invalid_argument, fmt::format("{}: {}", file.place(item.line), what));
    };
    if (!item.key.empty()) {
      if (const Result<void> good = programs::check_mirror_name(item.key); !good)
        return wrong(good.error().message);
    }
    const auto* keys = std::get_if<ConfigTable>(&item.value);
    if (keys == nullptr)
      return wrong(fmt::format("a mirror is a table: [mirror.NAME], and below it path = \"/...\""));
    SSYNC_TRY(const MirrorTable table, read_mirror(file, item.key, *keys));
    if (!table.path) return wrong(fmt::format("mirror '{}' has no path", item.key));
    options_.mirrors.push_back(settle(item.key, table));
    return {};
  }

  static Result<MirrorTable> read_mirror(const ConfigFile& file, const std::string& name,
                                         const ConfigTable& keys) {
    MirrorTable table;
    CLI::App app;
    app.add_option("--path", table.path);
    app.add_option("--comment", table.comment)->check(CLI::Validator(check_comment, ""));
    app.add_option("--max-delete", table.max_delete)->transform(between<std::uint64_t>(0, kMost));
    programs::add_switch(app, "--fsync", table.fsync);
    programs::add_switch(app, "--take-over", table.take_over);
    programs::add_switch(app, "--accept-root", table.accept_root);
    SSYNC_TRY_VOID(OptionLayers(app, "").take_table(
        file, keys, {}, [&](const ConfigItem& item) { return explain_mirror_key(name, item); }));
    return table;
  }

  static std::string check_comment(std::string& text) {
    if (text.size() > kCommentBytesMax)
      return fmt::format("must be at most {} bytes, not {}", kCommentBytesMax, text.size());
    if (escape_text(text) != text) return "must be one line of characters that can be shown";
    return "";
  }

  /// The value for a mirror. In the file, its table goes before what is said for all: what is written for one
  /// is meant for it. The command line and the environment are somebody else's word, so both are kept to: the
  /// more careful of the two holds.
  template <typename T>
  T either(const CLI::Option* option, const T& for_all, const std::optional<T>& own, const T& careful) const {
    if (!own) return for_all;
    if (layers_->layer(option) <= Layer::file) return *own;
    return for_all == careful ? for_all : *own;
  }

  MirrorOptions settle(const std::string& name, const MirrorTable& table) const {
    MirrorOptions mirror;
    mirror.name = name;
    mirror.path = *table.path;
    mirror.comment = table.comment.value_or("");
    mirror.fsync = either(fsync_, options_.fsync, table.fsync, true);
    mirror.take_over = either(take_over_, options_.take_over, table.take_over, false);
    mirror.accept_root = either(accept_root_, options_.accept_root, table.accept_root, false);
    mirror.max_delete = table.max_delete ? table.max_delete : options_.max_delete;
    if (options_.max_delete && layers_->layer(max_delete_) > Layer::file)
      mirror.max_delete = std::min(*mirror.max_delete, *options_.max_delete);
    return mirror;
  }

  static std::string explain_key(const ConfigItem& item) {
    if (!std::holds_alternative<ConfigTable>(item.value) || item.key.find("irror") != item.key.npos)
      return "";
    return fmt::format("if this is a mirror, write [mirror.{}]", escape(item.key));
  }

  /// Why a key may be in a mirror's table by mistake: it is a setting of the server, or the rest of a name
  /// with a dot.
  static std::string explain_mirror_key(const std::string& name, const ConfigItem& item) {
    if (std::holds_alternative<ConfigTable>(item.value))
      return fmt::format("a name with a dot needs quotes: [mirror.\"{}.{}\"]", name, escape(item.key));
    const CLI::App& app = OptionReader().app_;
    if (app.get_option_no_throw("--" + item.key) != nullptr)
      return "this is for the whole server: write it above the first [mirror.NAME]";
    return "";
  }

  CLI::App app_{
      "Keeps DIR an exact copy of a client's directory: files in DIR that the source lacks are deleted.\n"
      "client-sync connects and pushes; see also monitor-sync."};
  Options options_;
  std::optional<OptionLayers> layers_;
  CLI::Option* config_ = nullptr;
  std::string expires_, revoked_;
  bool lists_ = false;
  CLI::Option* invite_ = nullptr;
  CLI::Option* list_ = nullptr;
  CLI::Option* revoke_ = nullptr;
  CLI::Option* monitor_ = nullptr;
  CLI::Option* no_monitor_ = nullptr;
  CLI::Option* max_delete_ = nullptr;
  CLI::Option* take_over_ = nullptr;
  CLI::Option* accept_root_ = nullptr;
  CLI::Option* fsync_ = nullptr;
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

}  // namespace ssync::server_program
