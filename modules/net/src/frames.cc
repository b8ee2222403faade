#include "frames.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <memory>
#include <utility>

namespace ssync::net {
namespace {

/// What libzmq holds while it sends from our memory.
struct Outgoing {
  Buffer buffer;
  // libzmq orders its own threads, with atomics that a race detector cannot see when libzmq is not
  // instrumented. This pair says the same in our code and costs nothing.
  std::atomic<bool> handed_over{false};
};

/// Runs in an I/O thread: must not block for long. Returning a pooled buffer takes a short lock.
void release(void* /*bytes*/, void* hint) noexcept {
  const std::unique_ptr<Outgoing> outgoing(static_cast<Outgoing*>(hint));
  static_cast<void>(outgoing->handed_over.load(std::memory_order_acquire));
}

/// recv over EINTR; negative with errno set.
int receive_frame(zmq::socket_t& socket, zmq::message_t& into) noexcept {
  int got = 0;
  do {
    got = zmq_msg_recv(into.handle(), socket.handle(), ZMQ_DONTWAIT);
  } while (got < 0 && errno == EINTR);
  return got;
}

int send_frame(zmq::socket_t& socket, zmq::message_t& frame, bool more) noexcept {
  int rc = 0;
  do {
    rc = zmq_msg_send(frame.handle(), socket.handle(), ZMQ_DONTWAIT | (more ? ZMQ_SNDMORE : 0));
  } while (rc < 0 && errno == EINTR);
  return rc;
}

}  // namespace

zmq::message_t to_message(std::string_view bytes) {
  return {bytes.data(), bytes.size()};
}

zmq::message_t to_message(const Buffer& buffer) {
  const auto bytes = buffer.bytes();
  if (bytes.size() <= kCopyOutBytes) return {bytes.data(), bytes.size()};
  auto outgoing = std::make_unique<Outgoing>();
  outgoing->buffer = buffer.share();
  void* memory = outgoing->buffer.writable().data();
  outgoing->handed_over.store(true, std::memory_order_release);  // not touched here after this
  zmq::message_t message(memory, bytes.size(), &release, outgoing.get());
  static_cast<void>(outgoing.release());  // NOLINT(bugprone-unused-return-value): release() has it now
  return message;
}

Buffer to_buffer(zmq::message_t&& message) {
  if (message.size() < kCopyInBytes) {
    return Buffer::copy_of({static_cast<const std::byte*>(message.data()), message.size()});
  }
  auto owner = std::make_shared<zmq::message_t>(std::move(message));
  const std::span<std::byte> bytes(static_cast<std::byte*>(owner->data()), owner->size());
  return Buffer::adopt(std::move(owner), bytes);
}

std::string_view view_of(const zmq::message_t& message) noexcept {
  return {static_cast<const char*>(message.data()), message.size()};
}

Result<bool> receive(zmq::socket_t& socket, Multipart& into) {
  into.count = 0;
  into.bytes = 0;
  zmq::message_t surplus;
  bool more = true;
  while (more) {
    zmq::message_t& frame = into.count < Multipart::kMax ? into.frames[into.count] : surplus;
    if (receive_frame(socket, frame) < 0) {
      // A multipart is delivered whole, so EAGAIN comes before its first frame or not at all.
      if (errno == EAGAIN && into.count == 0) return false;
      return fail(zmq_failure("receiving a message", errno));
    }
    ++into.count;
    into.bytes += frame.size();
    more = frame.more();
  }
  return true;
}

Result<Sent> send(zmq::socket_t& socket, std::span<zmq::message_t> frames) {
  bool broken = false;
  for (std::size_t i = 0; i < frames.size(); ++i) {
    if (send_frame(socket, frames[i], i + 1 < frames.size()) >= 0) continue;
    if (errno == EHOSTUNREACH) return Sent::gone;
    if (errno != EAGAIN) return fail(zmq_failure("sending a message", errno));
    if (i == 0) return Sent::full;
    // The connection went away between two frames. libzmq has taken back those before, and wants to be given
    // the ones after this, to drop them.
    broken = true;
  }
  return broken ? Sent::gone : Sent::yes;
}

Result<int> poll(std::span<zmq_pollitem_t> items, std::chrono::steady_clock::time_point deadline) {
  using std::chrono::milliseconds;
  while (true) {
    const auto left = std::chrono::ceil<milliseconds>(deadline - std::chrono::steady_clock::now());
    const long timeout_ms = static_cast<long>(std::max<milliseconds::rep>(left.count(), 0));
    const int ready = zmq_poll(items.data(), static_cast<int>(items.size()), timeout_ms);
    if (ready >= 0) return ready;
    if (errno != EINTR) return fail(zmq_failure("waiting for messages", errno));
  }
}

Error zmq_failure(std::string_view operation, int err) {
  if (err == ETERM) return Error{Errc::closed, std::string(operation) + ": shutting down", 0};
  // libzmq has numbers of its own above ZMQ_HAUSNUMERO that strerror() does not know.
  if (err >= ZMQ_HAUSNUMERO) return Error{Errc::io, std::string(operation) + ": " + zmq_strerror(err), 0};
  return errno_error(operation, err);
}

}  // namespace ssync::net
