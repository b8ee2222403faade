#include "options.h"

#include <limits>

#include <CLI/CLI.hpp>

#include "ssync/wire/limits.h"

#include "mirror_name.h"
#include "option_layers.h"

namespace ssync {

namespace {

CLI::Validator mirror_name() {
  return CLI::Validator(
      [](const std::string& name) -> std::string {
        if (name.empty()) return {};
        const Result<void> good = programs::check_mirror_name(name);
        return good ? std::string() : good.error().message;
      },
      "");
}

}  // namespace

std::variant<MonitorOptions, int> parse_options(int argc, char** argv) {
  MonitorOptions options;
  options.control_port = wire::kControlPort;
  CLI::App app("Shows the traffic of a running server-sync: one line a message, as it happens.",
               "monitor-sync");
  app.set_version_flag("--version", "monitor-sync " SSYNC_VERSION);
  app.add_option(
      "ENDPOINT", options.endpoint,
      "Where the server publishes its traffic (server-sync --monitor): ipc:///PATH or tcp://HOST:PORT. "
      "Default: the server of this user with the given control port");
  app.add_option_function<std::string>(
         "--server-key",
         [&options](const std::string& text) { options.server_key = *net::parse_public_key(text); },
         "Public key of a server on another machine; default: as client-sync --join noted it")
      ->type_name("KEY")
      ->check(CLI::Validator(programs::check_key, ""));
  programs::add_key_options(app, options.keys);
  app.add_option("--control-port", options.control_port, "Control port of the server to watch")
      ->capture_default_str()
      ->transform(programs::between<std::uint32_t>(0, 65535));
  app.add_flag("-v,--verbose", options.verbosity,
               "Show the rows of messages too; twice: the server's one-second pulse");
  app.add_flag("--json", options.json, "Print one JSON object a line");
  // Not into the std::optional: to CLI11 an empty text is none.
  app.add_option_function<std::string>(
         "--mirror", [&options](const std::string& name) { options.mirror = name; },
         "Only messages of this mirror; \"\" is the one without a name")
      ->type_name("NAME")
      ->check(mirror_name());
  app.add_option("--session", options.session,
                 "Only messages of the sync with this number, as the server counts them")
      ->type_name("N")
      ->transform(programs::between(std::uint64_t{1}, std::numeric_limits<std::uint64_t>::max()));
  app.add_option("--count", options.count, "End after this many messages")
      ->transform(programs::between(std::uint64_t{1}, std::numeric_limits<std::uint64_t>::max()));
  app.footer(
      "Each option is also a variable of the environment: --control-port is MONITOR_SYNC_CONTROL_PORT.\n"
      "< came to the server, > left it. [photos#3] is the mirror and the number of the sync; a server with "
      "one\n"
      "mirror without a name shows neither. What a slow reader missed is counted: \"-- 120 records missed "
      "--\".\n"
      "Exit codes: 0 done, 1 usage, 10 the endpoint cannot be used, 11 output failed, 20 interrupted.");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return programs::say(programs::answer(app, error));
  }
  if (const Result<void> taken = programs::OptionLayers(app, "MONITOR_SYNC_").take_environment(); !taken)
    return programs::say(programs::answer("monitor-sync", taken.error()));
  return options;
}

}  // namespace ssync
