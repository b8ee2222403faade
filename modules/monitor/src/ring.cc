#include "ring.h"

#include <new>
#include <utility>

#include "ssync/base/assert.h"

namespace ssync::monitor {

void TapRing::Impl::push(wire::TapRecord record) noexcept {
  MutexLock lock(mutex);
  if (records.size() >= capacity) {
    ++dropped;
    return;
  }
  try {
    records.push_back(std::move(record));
  } catch (const std::bad_alloc&) {
    ++dropped;
    return;
  }
  if (records.size() == 1 && wake != nullptr) wake->signal();
}

TapRing::Impl::Batch TapRing::Impl::take() {
  MutexLock lock(mutex);
  return {std::exchange(records, {}), dropped};
}

void TapRing::Impl::serve(EventFd* with) {
  active.store(false, std::memory_order_relaxed);
  MutexLock lock(mutex);
  wake = with;
  records.clear();
}

TapRing::TapRing(std::size_t records) : impl_(std::make_unique<Impl>(records)) {
  SSYNC_ASSERT(records > 0);
}
TapRing::~TapRing() = default;
bool TapRing::active() const noexcept {
  return impl_->active.load(std::memory_order_relaxed);
}
void TapRing::push(wire::TapRecord record) noexcept {
  impl_->push(std::move(record));
}

}  // namespace ssync::monitor
