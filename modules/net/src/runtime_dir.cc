#include "ssync/net/runtime_dir.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>

#include <fmt/format.h>

namespace ssync::net {
namespace {

bool is_directory_of(const std::string& path, uid_t user) noexcept {
  struct stat status {};
  return ::lstat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode) && status.st_uid == user;
}

/// An absolute path in the environment; empty: there is none. Of a list with ':', the first.
std::string directory_in(const char* variable) {
  const char* const value = std::getenv(variable);
  if (value == nullptr || value[0] != '/') return {};
  const std::string text(value);
  return text.substr(0, text.find(':'));
}

}  // namespace

std::vector<std::string> runtime_dirs() {
  const uid_t user = ::geteuid();
  std::vector<std::string> out;
  const auto add = [&](const std::string& above) {
    if (is_directory_of(above, user)) out.push_back(above + "/server-sync");
  };
  if (const std::string own = directory_in("RUNTIME_DIRECTORY"); is_directory_of(own, user))
    out.push_back(own);
  add(directory_in("XDG_RUNTIME_DIR"));
  if (user == 0) add("/run");
  add(fmt::format("/run/user/{}", user));
  // P_tmpdir, not $TMPDIR: two programs may be started with different ones.
  out.push_back(fmt::format("{}/server-sync-{}", P_tmpdir, user));
  return out;
}

}  // namespace ssync::net
