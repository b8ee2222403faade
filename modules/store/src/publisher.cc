#include "ssync/store/publisher.h"

#include <algorithm>
#include <utility>

#include "ssync/store/attributes.h"
#include "ssync/store/publish.h"

namespace ssync::store {
namespace {

constexpr std::chrono::milliseconds kLongestWait{1000};  // of a staged file for others
constexpr std::chrono::milliseconds kQuiet{
    50};  // nothing was staged for so long: more is not worth waiting for

}  // namespace

Publisher::~Publisher() {
  const MutexLock lock(mutex_);
  drop(ready_);
}

void Publisher::add(std::vector<Ready> ready) {
  if (ready.empty()) return;
  const MutexLock lock(mutex_);
  last_at_ = Clock::now();
  if (ready_.empty()) first_at_ = last_at_;
  for (Ready& one : ready) {
    ready_files_ += one.files.size();
    ready_bytes_ += one.bytes;
    ready_.push_back(std::move(one));
  }
  changed_.notify_one();
}

void Publisher::flush() {
  const MutexLock lock(mutex_);
  flush_ = true;
  changed_.notify_one();
}

void Publisher::stop() noexcept {
  const MutexLock lock(mutex_);
  stopping_ = true;
  changed_.notify_one();
}

void Publisher::run() {
  for (;;) {
    std::vector<Ready> batch = next_batch();
    if (batch.empty()) return;
    commit(std::move(batch));
  }
}

bool Publisher::is_full() const {
  return ready_files_ >= limits_.batch_files || ready_bytes_ >= limits_.batch_bytes;
}

std::vector<Ready> Publisher::next_batch() {
  MutexLock lock(mutex_);
  while (!stopping_) {
    if (ready_.empty()) {
      flush_ = false;
      changed_.wait(mutex_);
      continue;
    }
    // Everything that is still waited for is here: nothing more will come.
    if (is_full() || flush_ || outcomes_.outstanding() == ready_files_) break;
    const Clock::time_point due = std::min(first_at_ + kLongestWait, last_at_ + kQuiet);
    if (Clock::now() >= due) break;
    static_cast<void>(changed_.wait_until(mutex_, due));
  }
  std::vector<Ready> batch = std::exchange(ready_, {});
  ready_files_ = 0;
  ready_bytes_ = 0;
  flush_ = false;
  if (!stopping_) return batch;
  lock.unlock();
  drop(batch);
  return {};
}

void Publisher::commit(std::vector<Ready> batch) {
  // Content before names, names before anybody is told: after a crash a name has all of its content.
  if (const Result<void> flushed = named("flush", tree_.sync()); !flushed) {
    drop(batch);
    return fail_all(batch, flushed.error());
  }
  std::vector<std::vector<Result<void>>> placed;
  placed.reserve(batch.size());
  for (Ready& ready : batch)
    placed.push_back(publish(placing_, ready, tree_.clock()));
  if (const Result<void> flushed = named("flush", tree_.sync()); !flushed) {
    for (std::vector<Result<void>>& results : placed) {
      for (Result<void>& result : results) {
        if (result) result = flushed;
      }
    }
  }
  for (std::size_t i = 0; i < batch.size(); ++i)
    report(outcomes_, batch[i], placed[i]);
}

void Publisher::fail_all(const std::vector<Ready>& batch, const Error& error) {
  for (const Ready& ready : batch) {
    for (const ReadyFile& file : ready.files)
      outcomes_.failed(*file.file, error);
  }
}

void Publisher::drop(const std::vector<Ready>& batch) noexcept {
  for (const Ready& ready : batch)
    store::drop(placing_, ready);
}

}  // namespace ssync::store
