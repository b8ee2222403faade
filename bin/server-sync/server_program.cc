#include "server_program.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <exception>
#include <new>
#include <optional>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include <fmt/format.h>

#include "ssync/base/bounded_queue.h"
#include "ssync/base/descriptors.h"
#include "ssync/base/exit_code.h"
#include "ssync/base/leave_anyway.h"
#include "ssync/base/memory.h"
#include "ssync/base/signals.h"
#include "ssync/base/text.h"
#include "ssync/fs/path.h"
#include "ssync/serve/server.h"
#include "ssync/wire/limits.h"

#include "client_commands.h"
#include "client_files.h"
#include "clients_watch.h"
#include "options.h"
#include "reload.h"
#include "report.h"
#include "words.h"

namespace ssync::server_program {
namespace {

int give_up(const Error& error, ExitCode code) {
  std::fprintf(stderr, "server-sync: %s\n", error.text().c_str());
  return to_int(code);
}

/// How long the process waits, once it is to end, for threads that hang in a file system.
constexpr auto kLeaveAfter = std::chrono::seconds(10);

/// What one sync needs beside 0 to 2, when it keeps no directory open for later. Without those that it needs,
/// libzmq ends the process or spins on its listener.
constexpr std::size_t kDescriptorsNeeded = 30;
/// Its root, its lock.
constexpr std::size_t kDescriptorsPerMirror = 4;
/// What each further sync needs; it can keep few directories open with that, as the first one with those
/// above.
constexpr std::size_t kDescriptorsPerSync = 24;
/// Two clients can be there in any case. No more than so many are allowed to wait.
constexpr std::size_t kConnectionsLeast = 4;
constexpr std::size_t kConnectionsMost = 4096;

/// libzmq allocates each message that it receives, and another thread frees it once it is written. As much
/// memory as one session's credit allows stays with the process, for the next messages.
void keep_receive_buffers() noexcept {
  keep_freed_memory(wire::kChunkBytesMax, wire::kWindowBytes);
}

ExitCode code_of_root(const Error& error) {
  if (error.code == Errc::lost) return ExitCode::file;
  return error.code == Errc::busy ? ExitCode::start : ExitCode::selection;
}

/// What main() was given, for options that are read again.
struct CommandLine {
  int argc = 0;
  const char* const* argv = nullptr;
};

std::vector<serve::MirrorOptions> mirrors_of(const Options& options) {
  std::vector<serve::MirrorOptions> mirrors;
  for (const MirrorOptions& one : options.mirrors) {
    serve::MirrorOptions& mirror = mirrors.emplace_back();
    mirror.name = one.name;
    mirror.comment = one.comment;
    mirror.mirror.directory = one.path;
    mirror.mirror.state_dir = options.state_dir;
    mirror.mirror.max_delete = one.max_delete;
    mirror.mirror.take_over = one.take_over;
    mirror.mirror.accept_root = one.accept_root;
    mirror.mirror.fsync = one.fsync;
    mirror.mirror.log_file = options.log_file;
  }
  return mirrors;
}

/// A quarter of the descriptors is for connections. Those that wait for their turn have two each, and
/// strangers some, until their handshake fails.
std::size_t affordable_connections() {
  return std::clamp<std::size_t>(descriptors_left() / 4, kConnectionsLeast, kConnectionsMost);
}

/// How many syncs there are descriptors for, at least one.
std::size_t affordable_syncs(const Options& options) {
  const std::size_t taken =
      kDescriptorsNeeded + kDescriptorsPerMirror * options.mirrors.size() + affordable_connections();
  const std::size_t left = descriptors_left();
  return 1 + (left > taken ? (left - taken) / kDescriptorsPerSync : 0);
}

net::OwnKey own_key_of(const Options& options) {
  return programs::own_key(options.keys, "server.key");
}

serve::Options serve_options(const Options& options, const mirror::Capacities& capacities) {
  serve::Options out;
  out.program = "server-sync " SSYNC_VERSION;
  out.addresses = programs::split_list(options.address);
  out.control_port = options.control_port;
  out.data_port = options.data_port;
  out.own_key = own_key_of(options);
  out.require_keys = options.require_keys;
  if (const Result<std::string> keys = programs::keys_directory(options.keys)) {
    out.client_keeper.enter = [files = ClientFiles(*keys)](const serve::Invitation& invitation,
                                                           const net::PublicKey& key) {
      return files.enter(invitation, key);
    };
    // Known before anybody can connect: a client that is refused does not come back by itself. What is wrong
    // with the files is told by follow_clients().
    if (auto loaded = ClientFiles(*keys).load()) out.clients = std::move(loaded->clients);
    out.client_keeper.seen = [files = ClientFiles(*keys)](const std::string& name) { files.note_seen(name); };
  }
  out.insecure = options.insecure;
  out.has_tap = !options.no_monitor;
  out.tap_endpoint = options.monitor;
  out.mirrors = mirrors_of(options);
  out.syncs_max = std::min<std::size_t>(options.max_syncs, affordable_syncs(options));
  out.connections_max = affordable_connections();
  out.capacities = capacities;
  return out;
}

/// Tells the server who its clients are, now and whenever that changes.
Result<std::unique_ptr<ClientsWatch>> follow_clients(const Options& options, serve::Server& server,
                                                     Report& report) {
  SSYNC_TRY(const std::string directory, programs::keys_directory(options.keys));
  const auto take = [&server, &report, told = std::vector<std::string>(),
                     is_first = true](Result<ClientFiles::Loaded> loaded) mutable {
    if (!loaded) return report.warning(loaded.error().text() + ": the clients stay as they were");
    for (const std::string& problem : loaded->problems)
      if (std::ranges::find(told, problem) == told.end()) report.warning(problem);
    told = std::move(loaded->problems);
    const bool is_alone = loaded->clients.clients.empty() && loaded->clients.invitations.empty();
    if (is_alone && std::exchange(is_first, false))
      report.notice("No client on another machine is known yet: server-sync --invite NAME makes one");
    is_first = false;
    server.set_clients(std::move(loaded->clients));
  };
  SSYNC_TRY(auto watch, ClientsWatch::start(ClientFiles(directory), take));
  watch->read_again();
  return watch;
}

/// Reads the configuration again when it is told to, in a thread of its own: that may wait for a disk.
class Rereader {
 public:
  Rereader(CommandLine command_line, Options options, Report& report, serve::Server& server)
      : command_line_(command_line),
        options_(std::move(options)),
        report_(report),
        server_(server),
        thread_([this] {
          while (wanted_.pop())
            read();
        }) {}
  ~Rereader() { wanted_.close(); }
  /// Asks for one more reading, after the one that runs.
  void want() {
    std::monostate again;
    (void)wanted_.try_push(again);
  }

 private:
  void read() {
    Result<Options> read = read_options(command_line_.argc, command_line_.argv);
    if (!read) return report_.warning(read.error().text() + ": the configuration stays as it was");
    Reload reload = compare(options_, *read);
    for (const std::string& notice : reload.notices)
      report_.notice(notice);
    options_ = std::move(reload.options);
    server_.set_mirrors(mirrors_of(options_));
  }

  const CommandLine command_line_;
  Options options_;
  Report& report_;
  serve::Server& server_;
  BoundedQueue<std::monostate> wanted_{1};
  std::jthread thread_;  ///< ends when the queue is closed
};

void tell_listening(const serve::Server& server, const Options& options, Report& report) {
  std::vector<Report::Mirror> mirrors;
  for (std::size_t i = 0; i < options.mirrors.size(); ++i)
    mirrors.push_back({options.mirrors[i].name, server.directories()[i]});
  report.listening(server.control_port(), server.data_port(), options.address, mirrors);
}

int run(CommandLine command_line, Options options, const mirror::Capacities& capacities) {
  if (options.log_file) {
    if (const Result<void> trusted = fs::check_links(*options.log_file); !trusted)
      return give_up(context(trusted.error(), "--log-file"), ExitCode::file);
  }
  if (const Result<void> trusted = fs::check_links(options.state_dir); !trusted)
    return give_up(context(trusted.error(), "--state-dir"), ExitCode::file);
  Result<std::unique_ptr<Report>> report = Report::open(options.log_file, options.json);
  if (!report) return give_up(report.error(), ExitCode::file);
  Result<Signals> signals = Signals::block();
  if (!signals) return give_up(signals.error(), ExitCode::start);
  const serve::Options serving = serve_options(options, capacities);
  auto opened = serve::Server::open(serving, **report);
  if (!opened) return give_up(opened.error(), code_of_root(opened.error()));
  serve::Server& server = **opened;
  if (const Result<void> listening = server.listen(); !listening)
    return give_up(listening.error(), ExitCode::socket);
  tell_listening(server, options, **report);
  if (serving.syncs_max < options.max_syncs && serving.syncs_max < options.mirrors.size()) {
    (*report)->notice(fmt::format("Open files (ulimit -n) are enough for {} of max-syncs {} syncs at a time",
                                  serving.syncs_max, options.max_syncs));
  }
  std::unique_ptr<ClientsWatch> clients;
  if (server.has_keys()) {
    auto watch = follow_clients(options, server, **report);
    if (!watch) return give_up(watch.error(), ExitCode::file);
    clients = *std::move(watch);
  }
  std::optional<Rereader> rereader;
  if (options.config) rereader.emplace(command_line, std::move(options), **report, server);
  const Result<void> ended =
      server.run({signals->fd(), [&] {
                    const Signals::Taken taken = signals->take();
                    if (taken.reopen_logs) {
                      (*report)->reopen();
                      if (rereader) rereader->want();
                      if (clients) clients->read_again();
                    }
                    if (!taken.end) return;
                    leave_anyway(kLeaveAfter, ExitCode::interrupted,
                                 "server-sync: the mirror's file system does not answer");
                    server.stop();
                  }});
  if (!ended) return give_up(ended.error(), ExitCode::socket);
  rereader.reset();
  clients.reset();
  opened->reset();
  (*report)->notice("Stopped");
  return to_int(ExitCode::interrupted);
}

}  // namespace

int run_server(int argc, char** argv, const mirror::Capacities& capacities) {
  try {
    open_standard_descriptors();
    keep_receive_buffers();
    share_heaps();
    auto parsed = parse_options(argc, argv);
    if (const int* code = std::get_if<int>(&parsed)) return *code;
    const Options& options = std::get<Options>(parsed);
    if (const std::optional<int> done = run_client_command(options)) return *done;
    if (options.keys.show) return programs::show_key("server-sync", own_key_of(options));
    if (const Result<void> enough = raise_descriptor_limit(kDescriptorsNeeded); !enough)
      return give_up(enough.error(), ExitCode::start);
    return run({argc, argv}, std::get<Options>(std::move(parsed)), capacities);
  } catch (const std::bad_alloc&) {
    std::fputs("server-sync: out of memory\n", stderr);
    return to_int(ExitCode::memory);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "server-sync: %s\n", error.what());
    return to_int(ExitCode::diagnostics);
  }
}

}  // namespace ssync::server_program
