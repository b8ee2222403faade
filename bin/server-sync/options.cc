#include "options.h"

#include <cstdio>

#include <CLI/CLI.hpp>

#include "ssync/base/exit_code.h"
#include "ssync/index/index.h"

namespace ssync::server_program {

std::variant<Options, int> parse_options(int argc, char** argv) {
  Options options;
  CLI::App app{
      "Keeps DIR an exact copy of a client's directory: files in DIR that the source lacks are deleted.\n"
      "client-sync connects and pushes; see also monitor-sync."};
  app.name("server-sync");
  app.set_version_flag("-V,--version", "server-sync " SSYNC_VERSION);
  app.add_option("DIR", options.directory, "the mirror: a directory that exists")->required();
  app.add_option("--address", options.address,
                 "numeric address to listen on; beyond loopback only with --insecure")
      ->capture_default_str();
  app.add_option("--control-port", options.control_port, "port of the protocol; 0: any free one")
      ->capture_default_str();
  app.add_option("--data-port", options.data_port, "port of file data; 0: any free one")
      ->capture_default_str();
  app.add_option("--monitor", options.monitor,
                 "endpoint of the tap for monitor-sync, ipc://PATH or tcp://ADDRESS:PORT");
  app.add_flag("--no-monitor", options.no_monitor, "no tap");
  app.add_option("--max-delete", options.max_delete,
                 "never delete more than N entries in one sync; no client can lift this");
  app.add_flag("--take-over", options.take_over,
               "accept a source other than the one this mirror was made from");
  app.add_flag("--accept-root", options.accept_root,
               "accept that DIR is on another file system than at the last sync");
  app.add_flag("--fsync", options.fsync, "always write through to disk, whatever clients ask for");
  app.add_flag("--insecure", options.insecure,
               "allow to listen beyond loopback: anybody who reaches the ports can overwrite DIR");
  app.add_option("--state-dir", options.state_dir, "where the index is kept [$XDG_STATE_HOME/server-sync]");
  app.add_option("--log-file", options.log_file, "append the log to this file instead of standard output");
  app.add_flag("--json", options.json, "log one JSON object a line");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : to_int(ExitCode::usage);
  }
  if (options.state_dir.empty()) {
    auto found = index::default_state_dir();
    if (!found) {
      std::fprintf(stderr, "server-sync: %s\n", found.error().text().c_str());
      return to_int(ExitCode::file);
    }
    options.state_dir = std::move(*found);
  }
  return options;
}

}  // namespace ssync::server_program
