#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <utility>

namespace ssync {

/// A byte range and a share in the ownership of its memory; the memory goes away (or back to its pool) with
/// the last handle. Moves are cheap, bytes are never copied implicitly.
///
/// Thread safety: a handle is used by one thread at a time; handles on the same memory may be in different
/// threads and be released in any of them. Writing bytes that another handle can see at the same time is a
/// data race, which this class does not prevent: write first, then share.
class [[nodiscard]] Buffer {
 public:
  /// Empty; owns nothing.
  Buffer() noexcept = default;
  Buffer(Buffer&& other) noexcept;
  Buffer& operator=(Buffer&& other) noexcept;
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  ~Buffer() = default;

  /// `size_bytes` bytes, not initialized, page-aligned from one page on. Zero gives an empty buffer.
  static Buffer allocate(std::size_t size_bytes);
  static Buffer copy_of(std::span<const std::byte> bytes);
  /// A range inside memory that `owner` keeps alive (a received message, a mapping).
  static Buffer adopt(std::shared_ptr<void> owner, std::span<std::byte> bytes) noexcept;

  /// Borrowed: valid while any handle on this memory lives.
  [[nodiscard]] std::span<const std::byte> bytes() const noexcept { return bytes_; }
  [[nodiscard]] std::span<std::byte> writable() noexcept { return bytes_; }
  [[nodiscard]] std::size_t size() const noexcept { return bytes_.size(); }
  [[nodiscard]] bool empty() const noexcept { return bytes_.empty(); }

  /// Another handle on the whole range, or on `size_bytes` bytes from `offset`. Requires: inside this range.
  [[nodiscard]] Buffer share() const;
  [[nodiscard]] Buffer share(std::size_t offset, std::size_t size_bytes) const;
  /// Keeps the first `size_bytes` bytes in this handle's view; frees nothing. Requires: size_bytes <= size().
  void shorten(std::size_t size_bytes);

 private:
  Buffer(std::shared_ptr<void> owner, std::span<std::byte> bytes) noexcept
      : owner_(std::move(owner)), bytes_(bytes) {}

  std::shared_ptr<void> owner_;
  std::span<std::byte> bytes_;
};

/// At most `max_buffers` page-aligned buffers of equal size, made when first needed and reused: a bound on
/// memory and a source of backpressure. A buffer returns when its last handle goes, in whatever thread that
/// is.
///
/// Thread safety: any thread; but take() and try_take() must not run when the destructor does. Buffers may
/// outlive the pool: their memory is freed as they are released.
class BufferPool {
 public:
  /// Requires: both > 0. Memory: at most buffer_bytes * max_buffers.
  BufferPool(std::size_t buffer_bytes, std::size_t max_buffers);
  BufferPool(const BufferPool&) = delete;
  BufferPool& operator=(const BufferPool&) = delete;
  /// Buffers that are out stay valid. The on_return callback is not called from here on, so what it refers to
  /// may be destroyed before the pool.
  ~BufferPool();

  /// For a thread that polls: called after a buffer came back, and after close(), by the thread that did it,
  /// with the pool locked: it must be short, must not throw, and must not use the pool (signal an EventFd).
  /// Set before use.
  void on_return(std::function<void()> wake);

  /// Never blocks. nullopt: all are out, or closed. Contents are what was last in it.
  [[nodiscard]] std::optional<Buffer> try_take();
  /// Blocks while all are out. nullopt means closed, nothing else.
  [[nodiscard]] std::optional<Buffer> take();
  /// Wakes every waiter; nothing can be taken any more. May be called twice.
  void close() noexcept;

  /// Size of each buffer.
  [[nodiscard]] std::size_t buffer_bytes() const noexcept;
  [[nodiscard]] std::size_t max_buffers() const noexcept;
  /// Taken and not yet returned.
  [[nodiscard]] std::size_t buffers_out() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace ssync
