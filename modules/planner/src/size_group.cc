// The phases of a search and what each asks. Which candidates are worth a read: candidates.cc.
#include "size_group.h"

#include <algorithm>
#include <cstring>

#include "compare.h"

namespace ssync::planner {
namespace {

// Answers from the index are cheap but not free; a tree with more files of one size and known digests is not
// looked through to its end.
constexpr std::size_t kLookupsMax = 65536;
constexpr std::size_t kRoundRowsMax = 65536;

}  // namespace

std::size_t SizeGroup::DigestHash::operator()(const Digest& digest) const noexcept {
  std::size_t hash = 0;
  std::memcpy(&hash, digest.bytes.data(), sizeof hash);
  return hash;
}

SizeGroup::SizeGroup(State& state, Queries& questions, std::uint32_t slot, std::span<const RowIndex> rows,
                     std::span<const EntryIndex> candidates)
    : state_(state),
      questions_(questions),
      slot_(slot),
      rows_(rows),
      candidates_(candidates),
      origins_(state) {
  if (!state_.options.compare_content) find_lookups();
  start_round();
}

void SizeGroup::find_lookups() {
  for (const bool gone : {true, false}) {
    for (const EntryIndex entry : candidates_) {
      if (lookups_.size() == kLookupsMax) return;
      if (!state_.mirror_has(entry, kFlagDigest) || state_.is_gone(entry) != gone) continue;
      lookups_.push_back(entry);
      if (state_.mirror_has(entry, kFlagChecksum)) {
        lookup_prefixes_.insert(state_.mirror.tag(entry));
      } else {
        has_lookup_without_checksum_ = true;
      }
    }
  }
}

void SizeGroup::start_round() {
  seekers_.clear();
  buckets_.clear();
  origin_checksums_.clear();
  const std::size_t end = std::min(rows_.size(), next_row_ + round_rows_);
  while (next_row_ < end)
    add_seeker(rows_[next_row_++]);
  round_rows_ = std::min(round_rows_ * 2, kRoundRowsMax);
  begin(Phase::origin_entries);
}

void SizeGroup::begin(Phase phase) {
  phase_ = phase;
  next_item_ = phase == Phase::known_digests ? looked_up_ : 0;
}

void SizeGroup::add_seeker(RowIndex row) {
  Seeker seeker;
  seeker.row = row;
  if (!state_.has(row, kReplaces)) seeker.self = state_.entry_at(row);
  seeker.checksum = state_.checksums.get(row);
  seeker.digest = state_.digests.get(row);
  seeker.origin = find_origin(row);
  if (seeker.origin == seeker.self) seeker.origin = kNoEntry;
  seekers_.push_back(std::move(seeker));
}

// Origins that the source's stat proves were dealt with before (ProvenOrigins). For the others, the source
// reads the file.
EntryIndex SizeGroup::find_origin(RowIndex row) {
  if (state_.options.compare_content) return kNoEntry;
  const std::optional<Origin> origin = state_.origins.find(row);
  return !origin || origin->proven ? kNoEntry : origins_.find(row, *origin);
}

bool SizeGroup::run() {
  while (!is_finished_) {
    if (!issue() || open_ > 0) return false;
    finish_phase();
  }
  return true;
}

bool SizeGroup::issue() {
  const std::size_t items = phase_ == Phase::known_digests ? lookups_.size() : seekers_.size();
  for (; next_item_ < items; ++next_item_) {
    if (!questions_.has_room()) return false;
    issue_one(next_item_);
  }
  return true;
}

void SizeGroup::issue_one(std::size_t item) {
  if (phase_ == Phase::known_digests) {
    ask_mirror(lookups_[item], Query::What::digest, true);
    ++looked_up_;
    return;
  }
  Seeker& seeker = seekers_[item];
  if (seeker.is_done) return;
  switch (phase_) {
    case Phase::origin_entries:
      if (seeker.origin == kNoEntry || !origin_checksums_.try_emplace(seeker.origin).second) return;
      return ask_mirror(seeker.origin, Query::What::checksum, true);
    case Phase::origin_sources:
      if (seeker.origin == kNoEntry) return;
      if (origin_checksums_[seeker.origin] != state_.origins.find(seeker.row)->checksum) return;
      if (!seeker.checksum) return ask_source(item, Query::What::checksum);
      return decide_origin(seeker);
    case Phase::source_digests:
      if (!seeker.digest) ask_source(item, Query::What::digest);
      return;
    case Phase::source_checksums:
      if (state_.options.compare_content && seeker.digest && !seeker.checksum) {
        ask_source(item, Query::What::checksum);
      }
      return;
    case Phase::reads:
      return issue_reads(seeker);
    case Phase::known_digests:
      return;
  }
}

void SizeGroup::issue_reads(const Seeker& seeker) {
  if (!seeker.digest) return;
  for (const EntryIndex entry : seeker.picks) {
    if (entry != kNoEntry && read_.insert(entry).second) ask_mirror(entry, Query::What::digest, false);
  }
}

void SizeGroup::ask_source(std::size_t item, Query::What what) {
  questions_.ask(source_query(state_.rows.view(seekers_[item].row), what),
                 {slot_, static_cast<std::uint32_t>(item), 0});
  ++open_;
}

void SizeGroup::ask_mirror(EntryIndex entry, Query::What what, bool known_only) {
  Query query = mirror_query(state_, entry, what);
  query.known_only = known_only;
  questions_.ask(std::move(query), {slot_, entry, 0});
  ++open_;
}

void SizeGroup::receive(const Subject& subject, const Answer& answer) {
  --open_;
  const bool has_digest = answer.digest && answer.digest->kind == state_.options.digest_kind;
  switch (phase_) {
    case Phase::origin_entries:
      origin_checksums_[subject.item] = answer.checksum;
      [[fallthrough]];
    case Phase::known_digests:
    case Phase::reads:
      if (has_digest) found_.emplace_back(subject.item, *answer.digest);
      return;
    case Phase::origin_sources:
    case Phase::source_digests:
    case Phase::source_checksums:
      break;
  }
  Seeker& seeker = seekers_[subject.item];
  if (has_digest) seeker.digest = answer.digest;
  if (answer.checksum) seeker.checksum = answer.checksum;
  if (phase_ == Phase::origin_sources) decide_origin(seeker);
}

void SizeGroup::finish_phase() {
  keep_found();
  switch (phase_) {
    case Phase::origin_entries:
      return begin(Phase::origin_sources);
    case Phase::origin_sources:
      accept_origins();
      plan_reads();
      return begin(Phase::source_digests);
    case Phase::source_digests: {
      const bool is_any = std::any_of(seekers_.begin(), seekers_.end(), [this](const Seeker& seeker) {
        return !seeker.is_done && may_match_known(seeker);
      });
      return begin(is_any ? Phase::known_digests : Phase::source_checksums);
    }
    case Phase::known_digests:
      return begin(Phase::source_checksums);
    case Phase::source_checksums:
      match_digests();
      return begin(Phase::reads);
    case Phase::reads:
      match_digests();
      return finish_round();
  }
}

// Requires: the checksum that the mirror's index has is the origin's. The seeker's is what the source has
// read.
void SizeGroup::decide_origin(Seeker& seeker) {
  seeker.is_origin_right = seeker.checksum == state_.origins.find(seeker.row)->checksum;
}

void SizeGroup::accept_origins() {
  for (Seeker& seeker : seekers_) {
    if (seeker.is_origin_right && can_use(seeker, seeker.origin)) assign(seeker, seeker.origin);
  }
}

// Answers come in any order; what they decide must not depend on it.
void SizeGroup::keep_found() {
  std::sort(found_.begin(), found_.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  const auto last = std::unique(found_.begin(), found_.end(),
                                [](const auto& a, const auto& b) { return a.first == b.first; });
  for (auto at = found_.begin(); at != last; ++at) {
    Same& same = same_[at->second];
    (state_.is_gone(at->first) ? same.gone : same.others).push_back(at->first);
  }
  found_.clear();
}

void SizeGroup::match_digests() {
  for (Seeker& seeker : seekers_) {
    if (seeker.is_done || !seeker.digest) continue;
    if (state_.options.compare_content && !seeker.checksum) continue;
    const EntryIndex entry = best_match(seeker);
    if (entry == kNoEntry) continue;
    if (phase_ == Phase::reads) ++hits_[seeker.level];
    assign(seeker, entry);
  }
}

// One that can be renamed is best, then one that stays, then one that another row takes (copied before that).
EntryIndex SizeGroup::best_match(const Seeker& seeker) {
  const auto found = same_.find(*seeker.digest);
  if (found == same_.end()) return kNoEntry;
  Same& same = found->second;
  while (same.next < same.gone.size() && state_.mirror_has(same.gone[same.next], kMoved))
    ++same.next;
  for (std::size_t i = same.next; i < same.gone.size(); ++i) {
    if (!state_.mirror_has(same.gone[i], kMoved) && can_use(seeker, same.gone[i])) return same.gone[i];
  }
  for (const std::vector<EntryIndex>* list : {&same.others, &same.gone}) {
    for (const EntryIndex entry : *list) {
      if (can_use(seeker, entry)) return entry;
    }
  }
  return kNoEntry;
}

bool SizeGroup::can_use(const Seeker& seeker, EntryIndex entry) const {
  return can_take(state_, seeker.self, entry);
}

void SizeGroup::assign(Seeker& seeker, EntryIndex entry) {
  take_from(state_, seeker.row, entry);
  // What came with the row need not be kept twice.
  if (seeker.checksum && seeker.checksum != state_.checksums.get(seeker.row)) {
    state_.learnt_checksums.put(seeker.row, *seeker.checksum);
  }
  if (seeker.digest && seeker.digest != state_.digests.get(seeker.row)) {
    state_.learnt_digests.put(seeker.row, *seeker.digest);
  }
  seeker.is_done = true;
}

void SizeGroup::request(Seeker& seeker) {
  state_.pending[seeker.row].action = Action::request;
  seeker.is_done = true;
}

void SizeGroup::finish_round() {
  for (Seeker& seeker : seekers_) {
    if (!seeker.is_done) {
      ++misses_[seeker.level];
      request(seeker);
    }
    // A candidate that was picked and not read, as the row found its content before, may be picked again.
    for (const EntryIndex entry : seeker.picks) {
      if (entry != kNoEntry && !read_.contains(entry)) picked_.erase(entry);
    }
  }
  if (next_row_ == rows_.size()) {
    is_finished_ = true;
  } else {
    start_round();
  }
}

}  // namespace ssync::planner
