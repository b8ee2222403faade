#include "frontier.h"

#include <utility>

namespace ssync::scanner {
namespace {

// The emitter is woken for so many directories at once: waking it for each costs more than it does with one.
constexpr std::size_t kFoundAtOnce = 16;

}  // namespace

Frontier::Frontier(std::size_t window) : window_(window) {
  Siblings root;
  root.children.emplace_back();
  MutexLock lock(mutex_);
  waiting_.emplace(std::string(), std::move(root));
}

// next() waits for the least location of all; if that is a waiting one, somebody must take it however full
// the window is.
bool Frontier::may_take() const {
  if (waiting_.empty()) return false;
  return entries_ahead_ < window_ || taken_.empty() ||
         compare_locations(waiting_.begin()->first, taken_.begin()->first) < 0;
}

std::optional<Task> Frontier::take() {
  MutexLock lock(mutex_);
  while (!stopped() && !may_take() && !all_taken())
    work_.wait(mutex_);
  if (stopped() || waiting_.empty()) return std::nullopt;
  auto node = waiting_.extract(waiting_.begin());
  Siblings& siblings = node.mapped();
  Task task{taken_.emplace_hint(taken_.end(), node.key(), nullptr), node.key(),
            std::move(siblings.children[siblings.next])};
  if (++siblings.next < siblings.children.size()) {
    node.key() = siblings.next_location();
    waiting_.insert(std::move(node));
  }
  ++reading_;
  const bool wakes = may_take();
  lock.unlock();
  if (wakes) work_.notify_one();
  return task;
}

// Who is woken takes, and wakes the next one if there is more to take: on a cold disk sixteen threads sleep
// here, and waking them all for each directory was a fifth of the scan.
void Frontier::finish(TakenDirectories::iterator place, std::unique_ptr<Finding> finding) {
  bool wakes = false;
  bool finds_work = false;
  bool is_end = false;
  {
    MutexLock lock(mutex_);
    if (!finding->children.empty()) {
      Siblings siblings{place->first, std::move(finding->children), 0};
      std::string first = siblings.next_location();
      waiting_.emplace(std::move(first), std::move(siblings));
    }
    entries_ahead_ += finding->block.entries.size();
    place->second = std::move(finding);
    --reading_;
    ++found_since_;
    is_end = all_taken();
    finds_work = may_take();
    wakes = found_since_ >= kFoundAtOnce || entries_ahead_ >= window_ / 2 || is_end;
    if (wakes) found_since_ = 0;
  }
  if (is_end) {
    work_.notify_all();
  } else if (finds_work) {
    work_.notify_one();
  }
  if (wakes) found_.notify_all();
}

std::unique_ptr<Finding> Frontier::next() {
  std::unique_ptr<Finding> finding;
  bool finds_work = false;
  {
    MutexLock lock(mutex_);
    while (true) {
      if (stopped()) return nullptr;
      // What is still waiting may come before everything that was taken.
      const bool first_taken =
          !taken_.empty() &&
          (waiting_.empty() || compare_locations(taken_.begin()->first, waiting_.begin()->first) < 0);
      if (first_taken && taken_.begin()->second != nullptr) break;
      if (taken_.empty() && waiting_.empty()) return nullptr;
      found_.wait(mutex_);
    }
    finding = std::move(taken_.begin()->second);
    taken_.erase(taken_.begin());
    entries_ahead_ -= finding->block.entries.size();
    finds_work = may_take();
  }
  if (finds_work) work_.notify_one();
  return finding;
}

void Frontier::stop() noexcept {
  {
    // With the lock, so that no waiter misses it between its check and its sleep.
    MutexLock lock(mutex_);
    stopped_.store(true, std::memory_order_relaxed);
  }
  work_.notify_all();
  found_.notify_all();
}

}  // namespace ssync::scanner
