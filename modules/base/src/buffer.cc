#include "ssync/base/buffer.h"

#include <cstring>
#include <new>
#include <vector>

#include "ssync/base/assert.h"
#include "ssync/base/mutex.h"

namespace ssync {
namespace {

constexpr std::size_t kPageBytes = 4096;
constexpr std::align_val_t kPageAlignment{kPageBytes};

std::byte* allocate_pages(std::size_t size_bytes) {
  return static_cast<std::byte*>(::operator new(size_bytes, kPageAlignment));
}
void free_pages(std::byte* memory) noexcept {
  ::operator delete(memory, kPageAlignment);
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
  std::byte* memory = allocate_pages(size_bytes);
  return {std::shared_ptr<void>(memory, [memory](void*) { free_pages(memory); }), {memory, size_bytes}};
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

Buffer Buffer::share(std::size_t offset, std::size_t size_bytes) const {
  SSYNC_ASSERT(offset <= bytes_.size() && size_bytes <= bytes_.size() - offset);
  return {owner_, bytes_.subspan(offset, size_bytes)};
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
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() {
    for (std::byte* memory : free)
      free_pages(memory);
  }

  /// Counts one buffer as out and gives memory for it; null while all are out.
  std::byte* claim() SSYNC_REQUIRES(mutex) {
    if (out == max_buffers) return nullptr;
    std::byte* memory = nullptr;
    if (free.empty()) {
      memory = allocate_pages(buffer_bytes);
    } else {
      memory = free.back();
      free.pop_back();
    }
    ++out;
    return memory;
  }

  void give_back(std::byte* memory) noexcept SSYNC_EXCLUDES(mutex) {
    MutexLock lock(mutex);
    --out;
    if (orphaned) {
      free_pages(memory);
      return;
    }
    free.push_back(memory);
    returned.notify_one();
    if (wake) wake();
  }

  const std::size_t buffer_bytes;
  const std::size_t max_buffers;

  mutable Mutex mutex;
  CondVar returned;
  std::vector<std::byte*> free SSYNC_GUARDED_BY(mutex);
  std::size_t out SSYNC_GUARDED_BY(mutex) = 0;
  bool closed SSYNC_GUARDED_BY(mutex) = false;
  /// The pool is gone: nobody will take again.
  bool orphaned SSYNC_GUARDED_BY(mutex) = false;
  std::function<void()> wake SSYNC_GUARDED_BY(mutex);
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
  std::vector<std::byte*> idle;
  {
    MutexLock lock(state_->mutex);
    state_->wake = nullptr;
    state_->closed = true;
    state_->orphaned = true;
    idle.swap(state_->free);
  }
  for (std::byte* memory : idle)
    free_pages(memory);
}

void BufferPool::on_return(std::function<void()> wake) {
  MutexLock lock(state_->mutex);
  state_->wake = std::move(wake);
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
  if (state_->wake) state_->wake();
}

std::size_t BufferPool::buffer_bytes() const noexcept {
  return state_->buffer_bytes;
}
std::size_t BufferPool::max_buffers() const noexcept {
  return state_->max_buffers;
}

std::size_t BufferPool::buffers_out() const {
  MutexLock lock(state_->mutex);
  return state_->out;
}

}  // namespace ssync
