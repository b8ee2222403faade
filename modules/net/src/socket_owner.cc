#include "ssync/net/socket_owner.h"

#include <fcntl.h>
#include <pwd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>

#include <fmt/format.h>

#include "ssync/base/unique_fd.h"

#include "address.h"
#include "socket_diag.h"

namespace ssync::net {
namespace {

template <typename Number>
bool parse(std::string_view text, Number& into, int base) noexcept {
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, into, base);
  return error == std::errc{} && stop == end;
}

/// "0100007F:1BBD", or 32 digits for IPv6: words of 32 bits as this machine reads them, the port as a number.
std::optional<SocketEnd> parse_end(std::string_view text) noexcept {
  const std::size_t colon = text.find(':');
  if (colon != 8 && colon != 32) return std::nullopt;
  SocketEnd end;
  const std::size_t start = colon == 8 ? 12 : 0;
  if (colon == 8) end.address[10] = end.address[11] = 0xff;
  for (std::size_t i = 0; i < colon / 8; ++i) {
    std::uint32_t word = 0;
    if (!parse(text.substr(i * 8, 8), word, 16)) return std::nullopt;
    std::memcpy(&end.address[start + i * 4], &word, 4);
  }
  if (!parse(text.substr(colon + 1), end.port, 16)) return std::nullopt;
  return end;
}

std::string_view next_field(std::string_view& line) noexcept {
  line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
  const std::string_view field = line.substr(0, line.find(' '));
  line.remove_prefix(field.size());
  return field;
}

/// "sl local remote st tx:rx tr:when retrnsmt uid timeout inode ..."; nullopt for the heading.
std::optional<SocketRow> parse_row(std::string_view line) noexcept {
  static_cast<void>(next_field(line));
  const auto local = parse_end(next_field(line));
  const auto remote = parse_end(next_field(line));
  for (int skipped = 0; skipped < 4; ++skipped)
    static_cast<void>(next_field(line));
  SocketRow row;
  if (!local || !remote || !parse(next_field(line), row.uid, 10)) return std::nullopt;
  static_cast<void>(next_field(line));
  if (!parse(next_field(line), row.inode, 10)) return std::nullopt;
  row.local = *local;
  row.remote = *remote;
  return row;
}

/// The row of the socket with these ends, if the table has it.
Result<std::optional<SocketRow>> find_row(const char* table, const SocketEnd& local,
                                          const SocketEnd& remote) {
  UniqueFd fd(::open(table, O_RDONLY | O_CLOEXEC));
  if (!fd) {
    if (errno == ENOENT) return std::nullopt;  // no IPv6 on this machine
    return fail(errno_error(std::string("open ") + table, errno));
  }
  std::array<char, 16 * 1024> block{};
  std::string text;  // what is left of the block before: a line cut in two
  while (true) {
    const ssize_t got = ::read(fd.get(), block.data(), block.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail(errno_error(std::string("read ") + table, errno));
    if (got == 0) return std::nullopt;
    text.append(block.data(), static_cast<std::size_t>(got));
    std::size_t start = 0;
    for (std::size_t end = text.find('\n'); end != std::string::npos; end = text.find('\n', start)) {
      const auto row = parse_row(std::string_view(text).substr(start, end - start));
      if (row && row->local == local && row->remote == remote) return row;
      start = end + 1;
    }
    text.erase(0, start);
  }
}

}  // namespace

bool is_loopback_peer(int fd) noexcept {
  const auto peer = peer_address(fd);
  return peer && is_loopback(*peer);
}

Result<std::optional<uid_t>> owner_of_peer(int fd) {
  const auto ours = local_address(fd);
  const auto theirs = peer_address(fd);
  if (!ours || !theirs) return std::nullopt;
  const SocketEnd local = end_of(*theirs);
  const SocketEnd remote = end_of(*ours);
  if (const auto row = ask_socket(local, remote); row && row->inode != 0) return row->uid;
  for (const char* table : {"/proc/net/tcp", "/proc/net/tcp6"}) {
    SSYNC_TRY(const auto row, find_row(table, local, remote));
    if (row && row->inode != 0) return row->uid;
  }
  return std::nullopt;
}

std::string user_text(uid_t user) {
  std::array<char, 4096> buffer{};
  passwd entry{};
  passwd* found = nullptr;
  if (::getpwuid_r(user, &entry, buffer.data(), buffer.size(), &found) == 0 && found != nullptr) {
    return fmt::format("user {} ({})", user, found->pw_name);
  }
  return fmt::format("user {}", user);
}

std::optional<std::string> stranger(int fd) {
  const auto peer = peer_address(fd);
  if (!peer || !is_loopback(*peer)) return std::nullopt;
  const auto owner = owner_of_peer(fd);
  if (!owner) return fmt::format("{}: cannot tell its user: {}", text_of(*peer), owner.error().text());
  if (!*owner) return fmt::format("{} was closed before its user was known", text_of(*peer));
  if (**owner == ::geteuid() || **owner == 0) return std::nullopt;
  return fmt::format("{} belongs to {}", text_of(*peer), user_text(**owner));
}

bool belongs_to_another(int fd) {
  if (!is_loopback_peer(fd)) return false;
  const auto owner = owner_of_peer(fd);
  return owner && *owner && **owner != 0 && **owner != ::geteuid();
}

}  // namespace ssync::net
