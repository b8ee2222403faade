#include "ssync/base/host.h"

#include <unistd.h>

#include <cstring>
#include <fstream>

#include <xxhash.h>

namespace ssync {
namespace {

std::string first_line(const char* path) {
  std::ifstream in(path);
  std::string line;
  std::getline(in, line);
  return line;
}

}  // namespace

std::string machine_name() {
  for (const char* path : {"/etc/machine-id", "/var/lib/dbus/machine-id"}) {
    if (std::string id = first_line(path); !id.empty() && id != "uninitialized") return id;
  }
  std::array<char, 256> name{};
  if (gethostname(name.data(), name.size() - 1) == 0 && name[0] != '\0') return name.data();
  return "localhost";
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
