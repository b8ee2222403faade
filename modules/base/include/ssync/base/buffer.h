#pragma once

#include <cstddef>
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

  /// Another handle on the same range.
  [[nodiscard]] Buffer share() const;
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
/// Buffers are made in blocks of 2 MiB where the pool is that large, and the system is asked to back each
/// block with one huge page: a program that runs for one short sync otherwise spends more on first touching
/// each 4 KiB of its buffers than on reading the files into them.
///
/// Thread safety: any thread; but take() and try_take() must not run when the destructor does. Buffers may
/// outlive the pool: all memory is freed with the last of them.
class BufferPool {
 public:
  /// Requires: both > 0. Memory: at most buffer_bytes * max_buffers.
  BufferPool(std::size_t buffer_bytes, std::size_t max_buffers);
  BufferPool(const BufferPool&) = delete;
  BufferPool& operator=(const BufferPool&) = delete;
  /// Buffers that are out stay valid.
  ~BufferPool();

  /// Never blocks. nullopt: all are out, or closed. Contents are what was last in it.
  [[nodiscard]] std::optional<Buffer> try_take();
  /// Blocks while all are out. nullopt means closed, nothing else.
  [[nodiscard]] std::optional<Buffer> take();
  /// Wakes every waiter; nothing can be taken any more. May be called twice.
  void close() noexcept;

  /// Taken and not yet returned.
  [[nodiscard]] std::size_t buffers_out() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace ssync
