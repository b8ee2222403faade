#include "ssync/base/host.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstring>
#include <fstream>
#include <string_view>

#include <xxhash.h>

#include "ssync/base/random.h"
#include "ssync/base/unique_fd.h"

namespace ssync {
namespace {

std::string first_line(const char* path) {
  std::ifstream in(path);
  std::string line;
  std::getline(in, line);
  return line;
}

/// Empty: there is none.
std::string machine_id() {
  for (const char* path : {"/etc/machine-id", "/var/lib/dbus/machine-id"}) {
    if (std::string id = first_line(path); !id.empty() && id != "uninitialized") return id;
  }
  return {};
}

constexpr std::size_t kKeptIdBytes = 32;

bool is_hex(std::string_view text) {
  return text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

/// Empty: there is none, or it is not ours.
std::string kept_id(const std::string& path) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  std::array<char, kKeptIdBytes> text{};
  if (!fd || ::read(fd.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) return {};
  std::string id(text.data(), text.size());
  return is_hex(id) ? id : std::string();
}

/// Whole or not at all: two programs that start at once must agree, and a crash must not leave half an id.
void keep_id(const std::string& path) {
  const std::string fresh = path + ".new." + std::to_string(::getpid());
  UniqueFd fd(::open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd) return;
  const std::string id = random_hex(kKeptIdBytes / 2) + "\n";
  const bool written =
      ::write(fd.get(), id.data(), id.size()) == static_cast<ssize_t>(id.size()) && ::fsync(fd.get()) == 0;
  // Who comes second reads the first one's; whoever cannot keep it goes without.
  const bool kept = written && ::link(fresh.c_str(), path.c_str()) == 0;
  ::unlink(fresh.c_str());
  static_cast<void>(kept);
}

}  // namespace

std::string machine_name() {
  if (std::string id = machine_id(); !id.empty()) return id;
  std::array<char, 256> name{};
  if (gethostname(name.data(), name.size() - 1) == 0 && name[0] != '\0') return name.data();
  return "localhost";
}

std::string lasting_machine_name(const std::string& state_dir) {
  if (std::string id = machine_id(); !id.empty()) return id;
  const std::string path = state_dir + "/server-sync.machine-id";
  std::string id = kept_id(path);
  if (id.empty()) {
    keep_id(path);
    id = kept_id(path);
  }
  return id.empty() ? machine_name() : id;
}

std::array<std::byte, 16> boot_fingerprint() {
  std::array<std::byte, 16> out{};
  const std::string boot = first_line("/proc/sys/kernel/random/boot_id");
  if (boot.empty()) return out;
  const std::string both = machine_name() + "\n" + boot;
  XXH128_canonical_t canonical;
  XXH128_canonicalFromHash(&canonical, XXH3_128bits(both.data(), both.size()));
  std::memcpy(out.data(), canonical.digest, out.size());
  return out;
}

}  // namespace ssync
