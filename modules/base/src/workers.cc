#include "ssync/base/workers.h"

#include <sys/resource.h>

#include <algorithm>
#include <system_error>
#include <utility>

namespace ssync {

std::uint64_t voluntary_switches() noexcept {
  rusage usage{};
  return ::getrusage(RUSAGE_THREAD, &usage) == 0 ? static_cast<std::uint64_t>(usage.ru_nvcsw) : 0;
}

void WaitProbe::begin() noexcept {
  before_.reset();
  if (pieces_++ % kPiecesPerLook == 0) before_ = voluntary_switches();
}

std::optional<std::uint64_t> WaitProbe::end() const noexcept {
  return before_ ? std::optional(voluntary_switches() - *before_) : std::nullopt;
}

Workers::Workers(Options options, std::function<void()> work, std::function<void()> ended)
    : count_(std::clamp(options.threads, 1U, kThreadsMax)),
      most_(std::clamp(options.threads_waiting, count_, kThreadsMax)),
      judged_(std::max<std::uint64_t>(options.judged, 1)),
      work_(std::move(work)),
      ended_(std::move(ended)) {}

Workers::~Workers() {
  join();
}

void Workers::start() {
  running_.fetch_add(1, std::memory_order_relaxed);
  add(count_);
  try {
    for (unsigned i = 1; i < count_; ++i)
      add(count_);
  } catch (const std::system_error&) {  // it goes on with those that are there
  }
  one_ended();
}

void Workers::add(unsigned most) {
  MutexLock lock(mutex_);
  if (joining_ || threads_.size() >= most) return;
  running_.fetch_add(1, std::memory_order_relaxed);
  try {
    threads_.emplace_back([this] { run(); });
  } catch (...) {
    running_.fetch_sub(1, std::memory_order_relaxed);
    throw;
  }
}

void Workers::run() {
  work_();
  one_ended();
}

void Workers::one_ended() {
  if (running_.fetch_sub(1, std::memory_order_acq_rel) == 1 && ended_) ended_();
}

void Workers::waited(std::uint64_t switches) {
  waits_.fetch_add(switches, std::memory_order_relaxed);
  if (pieces_.fetch_add(1, std::memory_order_relaxed) + 1 < judged_) return;
  pieces_.store(0, std::memory_order_relaxed);
  if (waits_.exchange(0, std::memory_order_relaxed) < judged_) return;
  try {
    add(most_);
  } catch (const std::system_error&) {
    return;  // it goes on with those that are there
  }
}

void Workers::join() {
  std::vector<Thread> all;
  {
    MutexLock lock(mutex_);
    joining_ = true;
    all.swap(threads_);
  }
}

}  // namespace ssync
