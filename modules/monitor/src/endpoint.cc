#include "ssync/monitor/endpoint.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdlib>

#include <fmt/format.h>

namespace ssync::monitor {
namespace {

bool is_ours(const char* directory) noexcept {
  struct stat status {};
  return ::lstat(directory, &status) == 0 && S_ISDIR(status.st_mode) && status.st_uid == ::geteuid();
}

std::string socket_path(const std::string& directory, std::uint16_t control_port) {
  return fmt::format("{}/monitor-{}.sock", directory, control_port);
}

/// Empty when $XDG_RUNTIME_DIR is of no use.
std::string runtime_directory() {
  const char* runtime = std::getenv("XDG_RUNTIME_DIR");
  if (runtime == nullptr || runtime[0] != '/' || !is_ours(runtime)) return {};
  return fmt::format("{}/server-sync", runtime);
}

// P_tmpdir, not $TMPDIR: server and monitor may be started with different ones.
std::string temporary_directory() {
  return fmt::format("{}/server-sync-{}", P_tmpdir, ::geteuid());
}

bool is_socket(const std::string& path) noexcept {
  struct stat status {};
  return ::lstat(path.c_str(), &status) == 0 && S_ISSOCK(status.st_mode);
}

}  // namespace

std::string default_endpoint(std::uint16_t control_port) {
  const std::string runtime = runtime_directory();
  return "ipc://" + socket_path(runtime.empty() ? temporary_directory() : runtime, control_port);
}

std::string find_endpoint(std::uint16_t control_port) {
  for (const std::string& directory : {runtime_directory(), temporary_directory()}) {
    const std::string path = socket_path(directory, control_port);
    if (!directory.empty() && is_socket(path)) return "ipc://" + path;
  }
  return default_endpoint(control_port);
}

}  // namespace ssync::monitor
