#include "ssync/monitor/endpoint.h"

#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "ssync/net/runtime_dir.h"

namespace ssync::monitor {
namespace {

std::string socket_path(const std::string& directory, std::uint16_t control_port) {
  return fmt::format("{}/monitor-{}.sock", directory, control_port);
}

/// Left there by this user: anybody can make a directory of that name in the temporary one.
bool has_own_socket(const std::string& directory, const std::string& path) noexcept {
  struct stat status {};
  const bool is_ours =
      ::lstat(directory.c_str(), &status) == 0 && S_ISDIR(status.st_mode) && status.st_uid == ::geteuid();
  return is_ours && ::lstat(path.c_str(), &status) == 0 && S_ISSOCK(status.st_mode);
}

}  // namespace

std::string default_endpoint(std::uint16_t control_port) {
  return "ipc://" + socket_path(net::runtime_dirs().front(), control_port);
}

std::string find_endpoint(std::uint16_t control_port) {
  for (const std::string& directory : net::runtime_dirs()) {
    const std::string path = socket_path(directory, control_port);
    if (has_own_socket(directory, path)) return "ipc://" + path;
  }
  return default_endpoint(control_port);
}

}  // namespace ssync::monitor
