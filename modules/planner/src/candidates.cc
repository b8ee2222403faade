// Which files are worth a read: at most two for a row, those first that look most like it.
#include <algorithm>
#include <functional>

#include "size_group.h"

namespace ssync::planner {
namespace {

// A candidate that cannot serve a row is passed over, but not for ever.
constexpr std::size_t kProbesMax = 16;

// So many rows without a match at one level of evidence, and hardly one with: in this size that evidence
// means nothing. (A first copy of a million files of one size, cut half way, would otherwise read each of the
// rest at both ends before it sends it.)
constexpr std::uint64_t kMissesMax = 4096;
constexpr std::uint64_t kMissesPerHit = 256;

constexpr std::size_t kFilterBits = std::size_t{1} << 20U;

std::uint64_t mix(std::uint64_t x) noexcept {  // SplitMix64's finalizer
  x = (x ^ (x >> 30U)) * 0xbf58476d1ce4e5b9U;
  x = (x ^ (x >> 27U)) * 0x94d049bb133111ebU;
  return x ^ (x >> 31U);
}

// What a row or a candidate has in common with others, by level. Two that collide only cost a read.
struct Keys {
  Keys(const FileTime& mtime, std::string_view name_bytes)
      : time(mix(mix(static_cast<std::uint64_t>(mtime.s)) + mtime.ns)),
        name(std::hash<std::string_view>{}(name_bytes)) {}
  std::uint64_t time, name;

  [[nodiscard]] std::uint64_t at(std::uint8_t level, std::uint32_t prefix) const noexcept {
    constexpr std::uint8_t kTimeLevels = 0b00110, kNameLevels = 0b01010;
    std::uint64_t key = mix(level + 1U);
    if (level == 0) return mix(key + prefix);
    if ((kTimeLevels >> level & 1U) != 0) key = mix(key ^ time);
    if ((kNameLevels >> level & 1U) != 0) key = mix(key ^ name);
    return key;
  }
};

}  // namespace

bool SizeGroup::may_match_known(const Seeker& seeker) const {
  if (lookups_.empty()) return false;
  return !seeker.checksum || has_lookup_without_checksum_ ||
         lookup_prefixes_.contains(prefix_of(*seeker.checksum));
}

bool SizeGroup::is_ruled_out(const Seeker& seeker, EntryIndex entry) const {
  return !state_.options.compare_content && seeker.checksum && state_.mirror_has(entry, kFlagChecksum) &&
         state_.mirror.tag(entry) != prefix_of(*seeker.checksum);
}

bool SizeGroup::is_futile(std::uint8_t level) const {
  return level > time_and_name && misses_[level] >= kMissesMax &&
         hits_[level] * kMissesPerHit < misses_[level];
}

// Chooses before anything is read, so that a row that nothing resembles costs no read on either side.
void SizeGroup::plan_reads() {
  fill_buckets();
  for (Seeker& seeker : seekers_) {
    if (seeker.is_done) continue;
    pick(seeker);
    if (seeker.picks[0] == kNoEntry && !may_match_known(seeker)) request(seeker);
  }
}

// Buckets are made for what rows look for, so their number and size follow the rows, not the candidates.
void SizeGroup::fill_buckets() {
  buckets_.clear();
  const bool is_large = candidates_.size() > kFilterBits / 64;
  has_bucket_.assign(is_large ? kFilterBits : 1, !is_large);
  for (const Seeker& seeker : seekers_) {
    if (seeker.is_done) continue;
    const Snapshot::View view = state_.rows.view(seeker.row);
    const Keys keys(project(view.values, state_.options.attributes).mtime, view.name);
    for (std::uint8_t level = 0; level < kLevels; ++level) {
      const bool has_key = level != checksum_level || (seeker.checksum && !state_.options.compare_content);
      if (!has_key || is_futile(level)) continue;
      const std::uint64_t key = keys.at(level, seeker.checksum ? prefix_of(*seeker.checksum) : 0);
      has_bucket_[key % has_bucket_.size()] = true;
      Bucket& bucket = buckets_[key];
      bucket.capacity += bucket.capacity == 0 ? kProbesMax : seeker.picks.size();
    }
  }
  if (buckets_.empty()) return;
  for (const bool gone : {true, false}) {
    for (const EntryIndex entry : candidates_) {
      if (state_.is_gone(entry) == gone) offer(entry);
    }
  }
}

void SizeGroup::offer(EntryIndex entry) {
  // The index answers for these.
  if (state_.mirror_has(entry, kFlagDigest) && !state_.options.compare_content) return;
  const Snapshot::View view = state_.mirror.view(entry);
  const Keys keys(project(view.values, state_.options.attributes).mtime, view.name);
  const bool is_picked = picked_.contains(entry);
  const bool has_checksum = (view.flags & kFlagChecksum) != 0;
  for (std::uint8_t level = 0; level < kLevels; ++level) {
    if (level == checksum_level && !has_checksum) continue;
    const std::uint64_t key = keys.at(level, view.tag);
    if (!has_bucket_[key % has_bucket_.size()]) continue;
    const auto at = buckets_.find(key);
    if (at == buckets_.end()) continue;
    Bucket& bucket = at->second;
    if (is_picked) {
      if (bucket.shared == kNoEntry) bucket.shared = entry;
    } else if (bucket.entries.size() < bucket.capacity) {
      bucket.entries.push_back(entry);
    }
  }
}

// Rows that look alike spread over the candidates that look like them. One that another row reads anyway is
// as good where the evidence is strong, and better than none where it is weak.
void SizeGroup::pick(Seeker& seeker) {
  const Snapshot::View view = state_.rows.view(seeker.row);
  const Keys keys(project(view.values, state_.options.attributes).mtime, view.name);
  const std::uint32_t prefix = seeker.checksum ? prefix_of(*seeker.checksum) : 0;
  std::size_t count = 0;
  const auto take = [&](EntryIndex entry, std::uint8_t level) {
    if (entry == kNoEntry || (count > 0 && seeker.picks[0] == entry)) return false;
    if (count == 0) seeker.level = level;
    seeker.picks[count++] = entry;
    picked_.insert(entry);
    return true;
  };
  const auto bucket_at = [&](std::uint8_t level) -> Bucket* {
    if (level == checksum_level && !seeker.checksum) return nullptr;
    const auto at = buckets_.find(keys.at(level, prefix));
    return at == buckets_.end() ? nullptr : &at->second;
  };
  for (std::uint8_t level = 0; level < kLevels && count < seeker.picks.size(); ++level) {
    Bucket* bucket = bucket_at(level);
    if (bucket == nullptr) continue;
    bool is_fresh = false;
    while (count < seeker.picks.size() && take(pick_fresh(*bucket, seeker), level))
      is_fresh = true;
    if (!is_fresh && level <= time_only && count < seeker.picks.size())
      take(pick_shared(*bucket, seeker), level);
  }
  for (std::uint8_t level = name_only; level < kLevels && count == 0; ++level) {
    if (const Bucket* bucket = bucket_at(level); bucket != nullptr) take(pick_shared(*bucket, seeker), level);
  }
}

EntryIndex SizeGroup::pick_fresh(Bucket& bucket, const Seeker& seeker) const {
  while (bucket.next < bucket.entries.size() && picked_.contains(bucket.entries[bucket.next]))
    ++bucket.next;
  const std::size_t end = std::min(bucket.entries.size(), bucket.next + kProbesMax);
  for (std::size_t i = bucket.next; i < end; ++i) {
    const EntryIndex entry = bucket.entries[i];
    if (!picked_.contains(entry) && can_use(seeker, entry) && !is_ruled_out(seeker, entry)) return entry;
  }
  return kNoEntry;
}

EntryIndex SizeGroup::pick_shared(const Bucket& bucket, const Seeker& seeker) const {
  const auto is_usable = [&](EntryIndex entry) {
    return entry != kNoEntry && can_use(seeker, entry) && !is_ruled_out(seeker, entry);
  };
  if (is_usable(bucket.shared)) return bucket.shared;
  const std::size_t end = std::min(bucket.entries.size(), kProbesMax);
  for (std::size_t i = 0; i < end; ++i) {
    if (is_usable(bucket.entries[i])) return bucket.entries[i];
  }
  return kNoEntry;
}

}  // namespace ssync::planner
