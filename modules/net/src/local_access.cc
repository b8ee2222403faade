#include "local_access.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <span>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "ssync/base/text.h"
#include "ssync/net/private_file.h"
#include "ssync/net/runtime_dir.h"

namespace ssync::net {
namespace {

constexpr std::size_t kFileBytesMax = 1024;
constexpr std::string_view kForm = "ssync-access-1";

std::string file_name(const SocketAddress& server) {
  return fmt::format("access-{}-{}", host_of(server), port_of(server));
}

/// Text that holds secrets is wiped when its scope ends.
std::span<std::byte> wipeable(std::string& text) {
  return std::as_writable_bytes(std::span(text));
}

std::string text_of(const LocalAccess& access) {
  switch (access.kind) {
    case LocalAccess::Kind::open:
      return fmt::format("{} open\n", kForm);
    case LocalAccess::Kind::secret: {
      std::string digits = to_hex(access.secret.bytes());
      const Wiper wiper(wipeable(digits));
      return fmt::format("{} secret {}\n", kForm, digits);
    }
    case LocalAccess::Kind::key:
      break;
  }
  std::string digits = access.client ? to_hex(access.client->secret.bytes()) : "";
  const Wiper wiper(wipeable(digits));
  return fmt::format("{} key {} {}\n", kForm, text_of(access.server), digits);
}

std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words;
  while (true) {
    text.remove_prefix(std::min(text.find_first_not_of(" \n"), text.size()));
    if (text.empty()) return words;
    const std::size_t end = std::min(text.find_first_of(" \n"), text.size());
    words.push_back(text.substr(0, end));
    text.remove_prefix(end);
  }
}

std::optional<Secret> parse_secret(std::string_view digits) {
  auto bytes = from_hex(digits);
  if (!bytes) return std::nullopt;
  const Wiper wiper(*bytes);
  if (bytes->size() != Secret::kBytes) return std::nullopt;
  return Secret(std::span<const std::byte, Secret::kBytes>(*bytes));
}

/// nullopt: it is damaged.
std::optional<LocalAccess> parse(std::string_view text) {
  const std::vector<std::string_view> words = words_of(text);
  if (words.size() < 2 || words[0] != kForm) return std::nullopt;
  LocalAccess access;
  if (words[1] == "open" && words.size() == 2) return access;
  if (words[1] == "secret" && words.size() == 3) {
    std::optional<Secret> secret = parse_secret(words[2]);
    if (!secret) return std::nullopt;
    access.kind = LocalAccess::Kind::secret;
    access.secret = *std::move(secret);
    return access;
  }
  if (words[1] != "key" || words.size() < 3 || words.size() > 4) return std::nullopt;
  const Result<PublicKey> server = parse_public_key(words[2]);
  if (!server) return std::nullopt;
  access.kind = LocalAccess::Kind::key;
  access.server = *server;
  if (words.size() == 4) {
    std::optional<Secret> secret = parse_secret(words[3]);
    if (!secret) return std::nullopt;
    access.client = KeyPair::of(*std::move(secret));
  }
  return access;
}

/// The addresses that a server may listen on to get what is sent to `server`, that one first.
std::vector<SocketAddress> listening_for(const SocketAddress& server) {
  std::vector<SocketAddress> out{server};
  const std::uint16_t port = port_of(server);
  if (server.family() == AF_INET) out.push_back(any_address(AF_INET, port));
  out.push_back(any_address(AF_INET6, port));
  return out;
}

bool is_own_directory(const std::string& path) noexcept {
  struct stat status {};
  return ::lstat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode) && status.st_uid == ::geteuid();
}

}  // namespace

Result<AccessFile> AccessFile::write(const SocketAddress& server, const LocalAccess& access) {
  std::string text = text_of(access);
  const Wiper wiper(wipeable(text));
  std::optional<Error> why;
  for (const std::string& directory : runtime_dirs()) {
    Result<void> done = make_private_directory(directory, "what opens this server");
    const std::string path = fmt::format("{}/{}", directory, file_name(server));
    if (done) done = write_private_file(path, text, IfThere::replace);
    struct stat status {};
    if (done && ::lstat(path.c_str(), &status) != 0) done = fail(errno_error("stat " + escape(path), errno));
    if (done) return AccessFile(path, status.st_dev, status.st_ino);
    if (!why) why = done.error();
  }
  return fail(*std::move(why));
}

AccessFile::AccessFile(AccessFile&& other) noexcept
    : path_(std::exchange(other.path_, {})), device_(other.device_), inode_(other.inode_) {}

AccessFile& AccessFile::operator=(AccessFile&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(device_, other.device_);
  std::swap(inode_, other.inode_);
  return *this;
}

AccessFile::~AccessFile() {
  if (path_.empty()) return;
  struct stat status {};
  if (::lstat(path_.c_str(), &status) != 0) return;
  // Another server may have the address, and its file the name, by now.
  if (status.st_dev == device_ && status.st_ino == inode_) ::unlink(path_.c_str());
}

Result<std::optional<LocalAccess>> find_local_access(const SocketAddress& server) {
  for (const std::string& directory : runtime_dirs()) {
    if (!is_own_directory(directory)) continue;
    for (const SocketAddress& address : listening_for(server)) {
      const std::string path = fmt::format("{}/{}", directory, file_name(address));
      Result<std::string> text = read_private_file(path, kFileBytesMax);
      if (!text && text.error().code == Errc::not_found) continue;
      if (!text) return fail(std::move(text).error());
      const Wiper wiper(wipeable(*text));
      std::optional<LocalAccess> access = parse(*text);
      if (!access) return fail(Errc::corrupt, escape(path) + " is damaged: start the server anew");
      return access;
    }
  }
  return std::nullopt;
}

}  // namespace ssync::net
