#include "ssync/base/buffer.h"

#include <sys/mman.h>

#include <cstring>
#include <new>
#include <vector>

#include "ssync/base/assert.h"
#include "ssync/base/mutex.h"

namespace ssync {
namespace {

constexpr std::size_t kPageBytes = 4096;
constexpr std::size_t kHugePageBytes = std::size_t{2} << 20;

struct FreePages {
  std::align_val_t alignment{kPageBytes};
  void operator()(std::byte* memory) const noexcept { ::operator delete(memory, alignment); }
};
using Pages = std::unique_ptr<std::byte, FreePages>;

Pages pages(std::size_t size_bytes, std::size_t alignment = kPageBytes) {
  const std::align_val_t aligned{alignment};
  return {static_cast<std::byte*>(::operator new(size_bytes, aligned)), {aligned}};
}

/// Memory that the system may back with one huge page; a refusal costs nothing but time. Source: madvise(2).
Pages huge_page() {
  Pages memory = pages(kHugePageBytes, kHugePageBytes);
  static_cast<void>(::madvise(memory.get(), kHugePageBytes, MADV_HUGEPAGE));
  return memory;
}

}  // namespace

Buffer::Buffer(Buffer&& other) noexcept
    : owner_(std::move(other.owner_)), bytes_(std::exchange(other.bytes_, {})) {}

Buffer& Buffer::operator=(Buffer&& other) noexcept {
  if (this != &other) {
    owner_ = std::move(other.owner_);
    bytes_ = std::exchange(other.bytes_, {});
  }
  return *this;
}

Buffer Buffer::allocate(std::size_t size_bytes) {
  if (size_bytes == 0) return {};
  if (size_bytes < kPageBytes) {
    auto memory = std::make_shared_for_overwrite<std::byte[]>(size_bytes);
    const std::span<std::byte> bytes(memory.get(), size_bytes);
    return {std::move(memory), bytes};
  }
  Pages memory = pages(size_bytes);
  const std::span<std::byte> bytes(memory.get(), size_bytes);
  return {std::shared_ptr<void>(std::move(memory)), bytes};
}

Buffer Buffer::copy_of(std::span<const std::byte> bytes) {
  Buffer copy = allocate(bytes.size());
  if (!bytes.empty()) std::memcpy(copy.writable().data(), bytes.data(), bytes.size());
  return copy;
}

Buffer Buffer::adopt(std::shared_ptr<void> owner, std::span<std::byte> bytes) noexcept {
  return {std::move(owner), bytes};
}

Buffer Buffer::share() const {
  return {owner_, bytes_};
}

void Buffer::shorten(std::size_t size_bytes) {
  SSYNC_ASSERT(size_bytes <= bytes_.size());
  bytes_ = bytes_.first(size_bytes);
}

/// What the pool and its buffers share, so that either may go first.
struct BufferPool::State {
  State(std::size_t size, std::size_t count) : buffer_bytes(size), max_buffers(count) {
    free.reserve(count);  // so that give_back() never allocates
  }

  /// Counts one buffer as out and gives memory for it; null while all are out.
  std::byte* claim() SSYNC_REQUIRES(mutex) {
    if (out == max_buffers) return nullptr;
    if (free.empty()) make_block();
    std::byte* memory = free.back();
    free.pop_back();
    ++out;
    return memory;
  }

  void give_back(std::byte* memory) noexcept SSYNC_EXCLUDES(mutex) {
    MutexLock lock(mutex);
    --out;
    free.push_back(memory);
    returned.notify_one();
  }

  const std::size_t buffer_bytes;
  const std::size_t max_buffers;

  mutable Mutex mutex;
  CondVar returned;
  std::vector<Pages> blocks SSYNC_GUARDED_BY(mutex);
  std::vector<std::byte*> free SSYNC_GUARDED_BY(mutex);  ///< parts of blocks
  std::size_t made SSYNC_GUARDED_BY(mutex) = 0;          ///< in all blocks
  std::size_t out SSYNC_GUARDED_BY(mutex) = 0;
  bool closed SSYNC_GUARDED_BY(mutex) = false;

 private:
  void make_block() SSYNC_REQUIRES(mutex) {
    const std::size_t fit = buffer_bytes % kPageBytes == 0 ? kHugePageBytes / buffer_bytes : 0;
    const bool huge = fit > 0 && fit <= max_buffers - made;
    const std::size_t count = huge ? fit : 1;
    std::byte* memory = blocks.emplace_back(huge ? huge_page() : pages(buffer_bytes)).get();
    made += count;
    for (std::size_t i = count; i-- > 0;)
      free.push_back(memory + i * buffer_bytes);
  }
};

namespace {

/// The handle on a claimed buffer. If making it throws, shared_ptr runs the deleter, so nothing leaks.
template <typename State>
Buffer hand_out(const std::shared_ptr<State>& state, std::byte* memory) {
  std::shared_ptr<void> owner(memory, [state, memory](void*) { state->give_back(memory); });
  return Buffer::adopt(std::move(owner), {memory, state->buffer_bytes});
}

}  // namespace

BufferPool::BufferPool(std::size_t buffer_bytes, std::size_t max_buffers)
    : state_(std::make_shared<State>(buffer_bytes, max_buffers)) {
  SSYNC_ASSERT(buffer_bytes > 0 && max_buffers > 0);
}

BufferPool::~BufferPool() {
  close();
}

std::optional<Buffer> BufferPool::try_take() {
  std::byte* memory = nullptr;
  {
    MutexLock lock(state_->mutex);
    if (!state_->closed) memory = state_->claim();
  }
  if (memory == nullptr) return std::nullopt;
  return hand_out(state_, memory);
}

std::optional<Buffer> BufferPool::take() {
  std::byte* memory = nullptr;
  {
    MutexLock lock(state_->mutex);
    while (!state_->closed && (memory = state_->claim()) == nullptr)
      state_->returned.wait(state_->mutex);
  }
  if (memory == nullptr) return std::nullopt;
  return hand_out(state_, memory);
}

void BufferPool::close() noexcept {
  MutexLock lock(state_->mutex);
  state_->closed = true;
  state_->returned.notify_all();
}

std::size_t BufferPool::buffers_out() const {
  MutexLock lock(state_->mutex);
  return state_->out;
}

}  // namespace ssync
