#include "options.h"

#include <cstdio>
#include <map>

#include <CLI/CLI.hpp>

#include "ssync/base/exit_code.h"
#include "ssync/index/index.h"

namespace ssync::client_program {

std::variant<Options, int> parse_options(int argc, char** argv) {
  Options options;
  bool no_delete = false;
  bool quiet = false;
  CLI::App app{
      "Makes the directory behind server-sync an exact copy of DIR: files missing in DIR are deleted on the "
      "mirror.\n"
      "Syncs now and then again after each --interval, until it is stopped."};
  app.name("client-sync");
  app.set_version_flag("-V,--version", "client-sync " SSYNC_VERSION);
  app.add_option("DIR", options.directory, "the source")->required();
  app.add_option("--server", options.server, "host that server-sync runs on")->capture_default_str();
  app.add_option("--control-port", options.control_port, "its protocol port")->capture_default_str();
  app.add_option("--data-port", options.data_port, "its file data port")->capture_default_str();
  app.add_flag("--once", options.once, "sync once and exit");
  app.add_option("--interval", options.interval_s, "seconds between the end of a sync and the next")
      ->capture_default_str()
      ->check(CLI::Range(0.05, 1e9));
  app.add_flag("-n,--dry-run", options.dry_run, "show what would be done, change nothing (implies --once)");
  app.add_flag("--verify", options.verify,
               "read every file on both ends, change nothing, say whether both are equal (implies --once)");
  app.add_flag("-v,--verbose", options.verbosity, "one line for each change; twice: more");
  app.add_flag("-q,--quiet", quiet, "errors only");
  app.add_flag("--stats", options.stats, "counts at the end of each sync");
  app.add_flag("--json", options.json, "one JSON object a line on standard output");
  app.add_flag("--progress,!--no-progress", options.progress,
               "progress on standard error [when it is a terminal]");
  app.add_flag("-c,--checksum", options.checksum, "compare every file by content, not by time and size");
  app.add_option("--digest", options.digest, "digest that proves two files equal: sha256 or md5 [sha256]")
      ->transform(CLI::CheckedTransformer(std::map<std::string, DigestKind>{{"sha256", DigestKind::sha256},
                                                                            {"md5", DigestKind::md5}})
                      .description(""))
      ->default_str("");
  app.add_flag("--eager-digest", options.eager_digest, "send a digest of every file with the list");
  app.add_flag("--no-delete,!--delete", no_delete, "keep what the source does not have");
  app.add_option("--max-delete", options.max_delete,
                 "delete at most N entries: if more would go, delete nothing (exit 25). Lifts the delete "
                 "guards up to N");
  app.add_flag("--accept-root", options.accept_root,
               "go on although DIR is on another file system than at the last sync");
  app.add_flag("--fsync,!--no-fsync", options.fsync,
               "write files through to the mirror's disk before they count as done [on]");
  app.add_option("--contimeout", options.contimeout_s,
                 "with --once: seconds to try to reach the server, and to go on without progress")
      ->capture_default_str()
      ->check(CLI::Range(0.1, 1e9));
  app.add_option(
      "--source-id", options.source_id,
      "name of this source for the mirror [machine id (or one kept in the state directory) and path]");
  app.add_option("--state-dir", options.state_dir, "where the index is kept [$XDG_STATE_HOME/server-sync]");
  app.add_option("--log-file", options.log_file, "append the log to this file instead of standard output");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : to_int(ExitCode::usage);
  }
  options.delete_extra = !no_delete;
  if (quiet) options.verbosity = -1;
  if (options.dry_run || options.verify) options.once = true;
  if (options.source_id && options.source_id->empty()) {
    std::fputs("client-sync: --source-id: the name must not be empty\n", stderr);
    return to_int(ExitCode::usage);
  }
  if (options.state_dir.empty()) {
    auto found = index::default_state_dir();
    if (!found) {
      std::fprintf(stderr, "client-sync: %s\n", found.error().text().c_str());
      return to_int(ExitCode::file);
    }
    options.state_dir = std::move(*found);
  }
  return options;
}

}  // namespace ssync::client_program
