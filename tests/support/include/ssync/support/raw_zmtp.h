// The bytes of ZMTP 3 by hand, for peers that a real ZeroMQ would never be: cut greetings, chosen routing
// ids, frames without end. https://rfc.zeromq.org/spec/23. Errors of the test's own making throw
// std::runtime_error.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ssync/base/unique_fd.h"

namespace ssync::support {

enum class More : bool { no, yes };

/// A name and value in a READY command.
using ZmtpProperty = std::pair<std::string, std::string>;

/// 64 bytes: signature, version, mechanism.
inline std::string zmtp_greeting(char major = 3, char minor = 0, const std::string& mechanism = "NULL") {
  std::string out("\xff\0\0\0\0\0\0\0\1\x7f", 10);
  out += {major, minor};
  out += mechanism + std::string(20 - mechanism.size(), '\0');
  out += std::string(32, '\0');
  return out;
}

/// One frame; `claimed_size` writes another length than the body has.
inline std::string zmtp_frame(std::string_view body, More more,
                              std::optional<std::uint64_t> claimed_size = {}, char extra_flags = 0) {
  const std::uint64_t size = claimed_size.value_or(body.size());
  const bool is_long = size > 255;
  std::string out(1, static_cast<char>((more == More::yes ? 1 : 0) | (is_long ? 2 : 0) | extra_flags));
  for (int shift = is_long ? 56 : 0; shift >= 0; shift -= 8)
    out.push_back(static_cast<char>((size >> shift) & 0xff));
  return out.append(body);
}

inline std::string zmtp_command(std::string_view name, std::string_view body) {
  constexpr char kCommand = 4;
  return zmtp_frame(std::string(1, static_cast<char>(name.size())) + std::string(name) + std::string(body),
                    More::no, {}, kCommand);
}

inline std::string zmtp_ready(const std::vector<ZmtpProperty>& properties,
                              std::string_view command = "READY") {
  std::string body;
  for (const auto& [name, value] : properties) {
    body += static_cast<char>(name.size()) + name;
    for (int shift = 24; shift >= 0; shift -= 8)
      body.push_back(static_cast<char>((value.size() >> shift) & 0xff));
    body += value;
  }
  return zmtp_command(command, body);
}

inline std::string zmtp_message(std::initializer_list<std::string_view> frames) {
  std::string out;
  std::size_t left = frames.size();
  for (const std::string_view frame : frames)
    out += zmtp_frame(frame, --left > 0 ? More::yes : More::no);
  return out;
}

/// A TCP connection on loopback. Reads give up after 20 seconds.
class RawZmtp {
 public:
  static RawZmtp connect(std::uint16_t port) {
    UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const sockaddr_in to = loopback(port);
    if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0)
      throw std::runtime_error("connect failed");
    return RawZmtp(std::move(fd));
  }
  /// Connected and through the handshake as a DEALER; `identity` is the routing id it claims, if any.
  static RawZmtp dealer(std::uint16_t port, const std::string& identity = "") {
    RawZmtp peer = connect(port);
    std::vector<ZmtpProperty> properties{{"Socket-Type", "DEALER"}};
    if (!identity.empty()) properties.emplace_back("Identity", identity);
    peer.send(zmtp_greeting() + zmtp_ready(properties));
    // A message before the other end's READY is an error of its own.
    if (!peer.skip_handshake()) throw std::runtime_error("handshake failed");
    return peer;
  }
  /// Through the handshake with the secret of a server on this machine (PLAIN).
  static RawZmtp plain(std::uint16_t port, const std::string& socket_type, const std::string& secret) {
    RawZmtp peer = connect(port);
    peer.send(zmtp_greeting(3, 0, "PLAIN") +
              zmtp_command("HELLO", "\5local" + std::string(1, static_cast<char>(secret.size())) + secret));
    if (!peer.skip_handshake()) throw std::runtime_error("the secret was refused");  // WELCOME
    peer.send(zmtp_ready({{"Socket-Type", socket_type}}, "INITIATE"));
    if (!peer.read_frame()) throw std::runtime_error("handshake failed");  // READY
    return peer;
  }
  explicit RawZmtp(UniqueFd fd) : fd_(std::move(fd)) {
    const timeval limit{20, 0};
    ::setsockopt(fd_.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  }

  /// False when the other end has closed.
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent < 0 && errno == EINTR) continue;
      if (sent < 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }
  bool message(std::initializer_list<std::string_view> frames) { return send(zmtp_message(frames)); }

  /// Exactly `size` bytes; nullopt when the other end closes or resets before, or stays silent.
  std::optional<std::string> read(std::size_t size) {
    std::string out(size, '\0');
    std::size_t have = 0;
    while (have < size) {
      const ssize_t got = ::recv(fd_.get(), out.data() + have, size - have, 0);
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) return std::nullopt;
      have += static_cast<std::size_t>(got);
    }
    return out;
  }
  /// Past the peer's greeting and READY. False when it closes instead.
  bool skip_handshake() { return read(64) && read_frame(); }

  struct Frame {
    bool more = false;
    bool command = false;
    std::string body;
  };
  std::optional<Frame> read_frame() {
    const auto flags = read(1);
    if (!flags) return std::nullopt;
    const auto size_bytes = read(((*flags)[0] & 2) != 0 ? 8 : 1);
    if (!size_bytes) return std::nullopt;
    std::uint64_t size = 0;
    for (const char byte : *size_bytes)
      size = size << 8U | static_cast<unsigned char>(byte);
    auto body = read(size);
    if (!body) return std::nullopt;
    return Frame{((*flags)[0] & 1) != 0, ((*flags)[0] & 4) != 0, *std::move(body)};
  }
  /// The frames of the next message; commands are skipped.
  std::optional<std::vector<std::string>> read_message() {
    std::vector<std::string> out;
    while (true) {
      auto frame = read_frame();
      if (!frame) return std::nullopt;
      if (frame->command) continue;
      out.push_back(std::move(frame->body));
      if (!frame->more) return out;
    }
  }
  /// Reads away what comes until the other end closes; false if it does not within the limit.
  bool is_closed_by_peer() {
    std::string sink(4096, '\0');
    while (true) {
      const ssize_t got = ::recv(fd_.get(), sink.data(), sink.size(), 0);
      if (got > 0 || (got < 0 && errno == EINTR)) continue;
      return got == 0 || errno == ECONNRESET;
    }
  }
  /// The other end has closed it by now, whatever it sent before.
  [[nodiscard]] bool is_closed_now() const {
    const short ended = POLLRDHUP | POLLHUP | POLLERR;
    pollfd item{fd_.get(), ended, 0};
    return ::poll(&item, 1, 0) == 1 && (item.revents & ended) != 0;
  }
  /// Ends both directions: a thread that waits in send() or read() comes back.
  void shut() const { ::shutdown(fd_.get(), SHUT_RDWR); }
  /// Ends with RST instead of FIN.
  void reset() {
    const linger now{1, 0};
    ::setsockopt(fd_.get(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
    fd_.reset();
  }
  [[nodiscard]] int fd() const noexcept { return fd_.get(); }

  static sockaddr_in loopback(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
  }

 private:
  UniqueFd fd_;
};

/// A listening socket on a free loopback port, for servers that misbehave.
class RawListener {
 public:
  RawListener() : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address = RawZmtp::loopback(0);
    socklen_t length = sizeof address;
    auto* any = reinterpret_cast<sockaddr*>(&address);
    if (::bind(fd_.get(), any, length) != 0 || ::listen(fd_.get(), 16) != 0 ||
        ::getsockname(fd_.get(), any, &length) != 0) {
      throw std::runtime_error("listen failed");
    }
    port_ = ntohs(address.sin_port);
  }
  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
  /// The next connection; throws when none comes within 20 seconds.
  RawZmtp accept() {
    pollfd item{fd_.get(), POLLIN, 0};
    if (::poll(&item, 1, 20'000) != 1) throw std::runtime_error("nobody connected");
    return RawZmtp(UniqueFd(::accept4(fd_.get(), nullptr, nullptr, SOCK_CLOEXEC)));
  }
  /// accept(), and the handshake as a ROUTER.
  RawZmtp accept_router() {
    RawZmtp peer = accept();
    peer.send(zmtp_greeting() + zmtp_ready({{"Socket-Type", "ROUTER"}}));
    if (!peer.skip_handshake()) throw std::runtime_error("handshake failed");
    return peer;
  }

 private:
  UniqueFd fd_;
  std::uint16_t port_ = 0;
};

}  // namespace ssync::support
