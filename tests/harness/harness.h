// Real binaries, real sockets, real file systems: what all integration tests need.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

namespace ssync::integration {

namespace stdfs = std::filesystem;

/// A directory that goes away with the object. Made under /dev/shm when that is writable (fast), else in the
/// system's temporary directory.
class TemporaryDirectory {
 public:
  TemporaryDirectory();
  ~TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  [[nodiscard]] const stdfs::path& path() const { return path_; }

 private:
  stdfs::path path_;
};

/// A child process with its output in files. Killed (KILL) and reaped by the destructor.
class Process {
 public:
  struct Files {
    stdfs::path out, err;
  };
  Process(const std::vector<std::string>& arguments, const Files& files,
          const std::vector<std::string>& environment = {});
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  void signal(int number) const;
  /// Exit code, or 128 + signal; nullopt when it still runs after `limit`.
  [[nodiscard]] std::optional<int> wait(std::chrono::milliseconds limit);
  [[nodiscard]] bool running();
  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] std::string out() const;
  [[nodiscard]] std::string err() const;

 private:
  Files files_;
  pid_t pid_ = -1;
  std::optional<int> status_;
};

struct Finished {
  int code = -1;
  std::string out, err;
  /// Lines of `out` as JSON objects (with --json).
  [[nodiscard]] std::vector<nlohmann::json> events() const;
  /// The last event of that name; a null object when there is none.
  [[nodiscard]] nlohmann::json event(std::string_view name) const;
};

/// Runs a command to its end; a failure of the test when it takes longer than `limit`.
Finished run(const std::vector<std::string>& arguments,
             std::chrono::seconds limit = std::chrono::seconds(60));

/// Looks again every few milliseconds until `condition` holds; false when `limit` passed.
bool eventually(const std::function<bool()>& condition,
                std::chrono::milliseconds limit = std::chrono::seconds(20));

/// A source, a mirror, state directories, and the programs on free ports.
class Bench {
 public:
  /// `prefix` of the programs' names: "narrow-" has one item of room in every queue.
  explicit Bench(std::string prefix = "");
  ~Bench();
  [[nodiscard]] stdfs::path source() const { return directory_.path() / "source"; }
  [[nodiscard]] stdfs::path mirror() const { return directory_.path() / "mirror"; }
  [[nodiscard]] stdfs::path path(std::string_view name) const { return directory_.path() / name; }

  /// From now on the programs run as an ordinary user who owns what is there: root can read everything.
  /// False: root, but that user cannot run the programs here.
  [[nodiscard]] bool run_as_ordinary_user(const std::vector<gid_t>& groups = {});

  /// Starts server-sync and waits until it listens. Ports are kept over restarts.
  void start_server(const std::vector<std::string>& more = {},
                    const std::optional<Process::Files>& files = std::nullopt);
  /// TERM and wait; the exit code.
  int stop_server();
  void kill_server();
  [[nodiscard]] Process& server() { return *server_; }
  [[nodiscard]] bool has_server() const { return server_ != nullptr; }
  [[nodiscard]] std::uint16_t control_port() const { return control_port_; }
  [[nodiscard]] std::uint16_t data_port() const { return data_port_; }

  [[nodiscard]] std::vector<std::string> client_arguments(const std::vector<std::string>& more) const;
  [[nodiscard]] std::vector<std::string> server_arguments(const std::vector<std::string>& more) const;
  /// client-sync --once --json with these options, to its end.
  Finished sync(const std::vector<std::string>& more = {},
                std::chrono::seconds limit = std::chrono::seconds(60));
  /// sync(), which must end with 0 and leave the mirror equal by all judges.
  void expect_sync(const std::vector<std::string>& more = {});

  /// What rsync (both ways) and a comparison of content say against the mirror; empty when it is exact.
  [[nodiscard]] std::string differences() const;
  /// Quick form of the same, for waiting: names, kinds, sizes, times, modes.
  [[nodiscard]] bool equal() const { return differences().empty(); }

 private:
  const std::string prefix_;
  std::vector<std::string> run_as_;  ///< command that the programs' are arguments of
  TemporaryDirectory directory_;
  std::unique_ptr<Process> server_;
  std::uint16_t control_port_ = 0, data_port_ = 0;
  int server_runs_ = 0;
};

/// Judges of two trees: rsync -anic --delete --modify-window=-1 both ways, and diff -r --no-dereference.
[[nodiscard]] std::string compare_trees(const stdfs::path& a, const stdfs::path& b);

// Trees.
void write_file(const stdfs::path& path, std::string_view content);
[[nodiscard]] std::string read_file(const stdfs::path& path);
/// mtime of a file, directory or link itself.
void set_mtime(const stdfs::path& path, std::int64_t s, std::int64_t ns = 0);
struct Times {
  std::int64_t s = 0, ns = 0;
};
[[nodiscard]] Times mtime_of(const stdfs::path& path);
[[nodiscard]] std::uint64_t inode_of(const stdfs::path& path);
[[nodiscard]] std::string random_bytes(std::uint64_t seed, std::size_t size);

/// Where tests leave logs: $SSYNC_TEST_OUTPUT, else test-output in the working directory.
[[nodiscard]] stdfs::path output_directory();
[[nodiscard]] std::string program(std::string_view name);

}  // namespace ssync::integration
