#include "sealer.h"

#include <algorithm>
#include <chrono>

#include "ssync/index/index.h"

namespace ssync::server_program {
namespace {

/// No stat is waited for longer than this: a file system whose clock runs ahead of ours would never tick past
/// its stamps.
constexpr auto kSettleMax = std::chrono::milliseconds(2500);

}  // namespace

Sealer::Sealer(fs::Tree& tree, SharedIndex& index, TreeDigest& digest, Options options,
               BoundedQueue<SealBatch>& items)
    : tree_(tree), index_(index), digest_(digest), options_(options), items_(items), thread_([this] {
        run();
      }) {}

Sealer::~Sealer() {
  items_.close();
}

Result<void> Sealer::finish() {
  items_.close();
  if (thread_.joinable()) thread_.join();
  return outcome_;
}

void Sealer::run() {
  while (std::optional<SealBatch> batch = items_.pop()) {
    for (const SealItem& item : *batch) {
      if (!outcome_) break;  // drained, so that nobody waits
      outcome_ = seal(item);
    }
  }
  directory_.reset();
}

Result<Seen> Sealer::settled(const SealItem& item) {
  if (item.seen) return *item.seen;
  if (!directory_ || open_location_ != item.location) {
    directory_.reset();
    SSYNC_TRY(directory_, tree_.open(item.location));
    open_location_ = item.location;
  }
  const auto give_up = std::chrono::steady_clock::now() + kSettleMax;
  for (;;) {
    SSYNC_TRY(fs::Stat stat, item.name.empty() ? directory_->stat_self() : directory_->stat(item.name));
    if (stat.seen.values.kind != Kind::file || !fs::is_racy(stat.seen.ctime, tree_.clock()) ||
        std::chrono::steady_clock::now() >= give_up) {
      return stat.seen;
    }
    std::this_thread::sleep_for(std::min(std::chrono::nanoseconds(fs::tick_ns(stat.seen.ctime)),
                                         std::chrono::nanoseconds(5'000'000)));
  }
}

Result<void> Sealer::seal(const SealItem& item) {
  const Result<Seen> seen = settled(item);
  if (!seen) {  // taken away by somebody: the next scan sees it
    ++disturbed_;
    return {};
  }
  if (item.retry) return keep_for_retry(item, *seen);
  const Values held = project(seen->values, options_.attributes);
  const Values wanted = project(item.wanted, options_.attributes);
  const bool as_made = held == wanted;
  if (!as_made) ++disturbed_;
  digest_.add(item.location,
              row_hash(item.name, as_made ? wanted : held, item.target,
                       options_.fold_checksums && held.kind == Kind::file ? item.checksum : std::nullopt));
  if (held.kind == Kind::directory) return {};  // never in doubt: nothing to remember
  index::Record record;
  record.held = *seen;
  if (as_made) record.wanted = item.wanted;
  record.checksum = item.checksum;
  record.digest = item.digest;
  record.racy = !as_made || (held.kind == Kind::file && fs::is_racy(seen->ctime, tree_.clock()));
  if (record.racy) {
    record.checksum.reset();
    record.digest.reset();
  }
  return index_.with([&](index::Index& index) { return index.append(item.path(), record); });
}

Result<void> Sealer::keep_for_retry(const SealItem& item, const Seen& seen) {
  index::Record record;
  record.held = seen;
  record.racy = true;
  record.retry = true;
  return index_.with([&](index::Index& index) { return index.append(item.path(), record); });
}

}  // namespace ssync::server_program
