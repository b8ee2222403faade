// zmq messages <-> Buffers, and whole multiparts in and out. Everything here is non-blocking, survives EINTR
// and never throws: cppzmq is used as an owner, the calls are the C API's.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include <zmq.hpp>

#include "ssync/base/buffer.h"
#include "ssync/base/result.h"

namespace ssync::net {

/// Received frames below this are copied out: libzmq keeps them in a shared 8 KiB block, which one of them
/// would pin.
inline constexpr std::size_t kCopyInBytes = 8 * 1024;
/// Sent frames up to this are copied: cheaper than the bookkeeping for sending them in place.
inline constexpr std::size_t kCopyOutBytes = 1024;

/// The message keeps a share in the buffer's memory until libzmq has sent it; released in an I/O thread.
[[nodiscard]] zmq::message_t to_message(const Buffer& buffer);
[[nodiscard]] zmq::message_t to_message(std::string_view bytes);
[[nodiscard]] Buffer to_buffer(zmq::message_t&& message);

[[nodiscard]] std::string_view view_of(const zmq::message_t& message) noexcept;

/// One received multipart. Frames over the capacity are received and dropped.
struct Multipart {
  static constexpr std::size_t kMax = 8;  ///< as many as libzmq asks with about a name and a password
  std::array<zmq::message_t, kMax> frames;
  std::size_t count = 0;  ///< all frames, also those over kMax
  std::size_t bytes = 0;  ///< of all frames

  [[nodiscard]] bool too_many() const noexcept { return count > kMax; }
};

/// True: `into` holds a whole multipart. False: none is there. Errors: Errc::closed when the context ends,
/// Errc::io.
[[nodiscard]] Result<bool> receive(zmq::socket_t& socket, Multipart& into);

enum class Sent : std::uint8_t {
  yes,   ///< libzmq owns all frames
  full,  ///< no room now (or, for a client, no connection); nothing was sent
  gone,  ///< no such peer, or its connection broke in the middle; nothing arrives
};
/// All frames as one multipart, or nothing. The frames are empty afterwards unless the result is `full`.
[[nodiscard]] Result<Sent> send(zmq::socket_t& socket, std::span<zmq::message_t> frames);

/// zmq_poll until something is ready or the deadline passed, over EINTR. Returns how many items are ready.
[[nodiscard]] Result<int> poll(std::span<zmq_pollitem_t> items,
                               std::chrono::steady_clock::time_point deadline);

/// Error of a failed zmq call: Errc::closed for ETERM, else as errno_error with libzmq's own numbers put into
/// words.
[[nodiscard]] Error zmq_failure(std::string_view operation, int err);

}  // namespace ssync::net
