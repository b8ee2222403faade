// The search for content among files of one size.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "proven_origins.h"
#include "queries.h"
#include "state.h"

namespace ssync::planner {

/// Rows are served in rounds of growing size; in a round, in phases: evidence by inode that the source has to
/// confirm by a read, then digests that are known, then digests that have to be read. A phase ends when all
/// its questions are answered, and decides in list order.
class SizeGroup {
 public:
  /// `rows` and `candidates` (ascending, not empty) outlive this.
  SizeGroup(State& state, Queries& questions, std::uint32_t slot, std::span<const RowIndex> rows,
            std::span<const EntryIndex> candidates);
  /// Asks as much as there is room for. True: all rows are decided.
  [[nodiscard]] bool run();
  void receive(const Subject& subject, const Answer& answer);

 private:
  enum class Phase : std::uint8_t {
    origin_entries,
    origin_sources,
    source_digests,
    known_digests,
    source_checksums,
    reads
  };

  struct Seeker {
    RowIndex row = kNoIndex;
    EntryIndex self = kNoEntry;    ///< its own old content, which is known to be wrong
    EntryIndex origin = kNoEntry;  ///< where its inode was
    bool is_done = false;
    bool is_origin_right = false;
    std::uint8_t level = 0;  ///< of the best pick
    std::array<EntryIndex, 2> picks{kNoEntry, kNoEntry};
    std::optional<Checksum> checksum;
    std::optional<Digest> digest;
  };

  /// Files with one digest.
  struct Same {
    std::vector<EntryIndex> gone;  ///< a rename may take them
    std::vector<EntryIndex> others;
    std::size_t next = 0;  ///< the first that was not taken yet
  };
  struct DigestHash {
    std::size_t operator()(const Digest& digest) const noexcept;
  };

  /// How much a candidate for a read looks like the row, best evidence first. README, "New paths", "By
  /// digest".
  enum Level : std::uint8_t { checksum_level, time_and_name, time_only, name_only, size_only, kLevels };
  struct Bucket {
    std::vector<EntryIndex> entries;
    std::size_t capacity = 0;
    std::size_t next = 0;          ///< the first that is not picked yet
    EntryIndex shared = kNoEntry;  ///< one of them that an earlier round picked for a read
  };

  void start_round();
  void add_seeker(RowIndex row);
  [[nodiscard]] EntryIndex find_origin(RowIndex row);

  [[nodiscard]] bool issue();
  void issue_one(std::size_t item);
  void issue_reads(const Seeker& seeker);
  void finish_phase();
  void begin(Phase phase);
  void ask_source(std::size_t item, Query::What what);
  void ask_mirror(EntryIndex entry, Query::What what, bool known_only);

  void decide_origin(Seeker& seeker);
  void accept_origins();
  void find_lookups();
  [[nodiscard]] bool may_match_known(const Seeker& seeker) const;

  void plan_reads();
  void fill_buckets();
  void offer(EntryIndex entry);
  void pick(Seeker& seeker);
  [[nodiscard]] EntryIndex pick_fresh(Bucket& bucket, const Seeker& seeker) const;
  [[nodiscard]] EntryIndex pick_shared(const Bucket& bucket, const Seeker& seeker) const;
  [[nodiscard]] bool is_futile(std::uint8_t level) const;

  void keep_found();
  void match_digests();
  void finish_round();
  [[nodiscard]] EntryIndex best_match(const Seeker& seeker);
  [[nodiscard]] bool can_use(const Seeker& seeker, EntryIndex entry) const;
  [[nodiscard]] bool is_ruled_out(const Seeker& seeker, EntryIndex entry) const;
  void assign(Seeker& seeker, EntryIndex entry);
  void request(Seeker& seeker);

  State& state_;
  Queries& questions_;
  std::uint32_t slot_;
  std::span<const RowIndex> rows_;
  std::span<const EntryIndex> candidates_;
  OriginFinder origins_;

  std::size_t next_row_ = 0;  ///< of rows_, for the next round
  std::size_t round_rows_ = 4096;
  std::vector<Seeker> seekers_;  ///< of this round
  Phase phase_ = Phase::origin_entries;
  std::size_t next_item_ = 0;
  std::size_t open_ = 0;
  bool is_finished_ = false;

  std::unordered_map<EntryIndex, std::optional<Checksum>> origin_checksums_;
  std::unordered_map<Digest, Same, DigestHash> same_;
  std::vector<std::pair<EntryIndex, Digest>> found_;  ///< answers of this phase, in any order
  std::vector<EntryIndex> lookups_;                   ///< candidates whose digest the index knows
  std::size_t looked_up_ = 0;                         ///< how many of them were asked for
  std::unordered_set<std::uint32_t> lookup_prefixes_;
  bool has_lookup_without_checksum_ = false;
  std::unordered_set<EntryIndex> picked_;              ///< for a seeker to read
  std::unordered_set<EntryIndex> read_;                ///< asked for
  std::unordered_map<std::uint64_t, Bucket> buckets_;  ///< of this round
  std::vector<bool>
      has_bucket_;  ///< by the low bits of a key: most candidates have none, and this says so faster
  std::array<std::uint64_t, kLevels> hits_{}, misses_{};
};

}  // namespace ssync::planner
