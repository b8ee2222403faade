// (source rows, mirror entries) -> changes. Pure: no I/O, no clock, no threads; a step machine that says what
// it needs next.
//
// Phases: join (a merge of two sorted streams; equal rows are forgotten at once), resolve (which content is
// the same, which new path can be filled from the mirror itself), emit (steps in an order in which nothing is
// lost). The rules, in words: this module's README.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ssync/base/result.h"
#include "ssync/model/change.h"
#include "ssync/model/entry.h"
#include "ssync/model/snapshot.h"
#include "ssync/model/tree_digest.h"

namespace ssync::planner {

enum class DeleteExtra : std::uint8_t { no, yes };

struct Options {
  Attributes attributes;  ///< what both ends can hold
  DeleteExtra delete_extra = DeleteExtra::yes;
  bool compare_content =
      false;  ///< --checksum, --verify: every file's content is compared and folded into the digest
  bool verify =
      false;  ///< --verify: the mirror's entries count as they are, not as what they were written for
  bool name_specials = false;  ///< each special entry that is not on the mirror is a Problem (a warning)
  DigestKind digest_kind = DigestKind::sha256;
  std::optional<std::uint64_t>
      client_max_delete;  ///< --max-delete=N of the client: also lifts the guards up to N
  std::optional<std::uint64_t> server_max_delete;  ///< a cap that nothing lifts
  bool mirror_synced_before = false;
  bool early_creations = false;     ///< for take_early()
  std::size_t change_batch = 1024;  ///< changes a step
};

/// A question about one file's content. The caller answers each exactly once, in any order. A bounded number
/// (some thousands) is open at any time. Under compare_content nothing but known_only may be answered from an
/// index.
struct Query {
  enum class Side : std::uint8_t { source, mirror };
  enum class What : std::uint8_t { checksum, digest };
  std::uint64_t id = 0;
  Side side = Side::source;
  What what = What::checksum;
  bool known_only = false;     ///< mirror: answer from the index, do not read the file
  RowId row = kNoRow;          ///< source side
  std::string location, name;  ///< both sides
  std::uint64_t size = 0;      ///< for progress and scheduling
  std::optional<Seen> seen;    ///< mirror side: only this file may answer
};

/// Both are given when both are known. Neither: the file could not be read, changed meanwhile, or is not
/// known; the planner then takes the content as unknown (never as equal).
struct Answer {
  std::uint64_t id = 0;
  std::optional<Checksum> checksum;
  std::optional<Digest> digest;
};

/// What a plan takes from the mirror, measured as a person would; in addition to its PlanTotals. Entries, and
/// bytes of file content. A *place* is a directory directly below the root that held something.
struct Losses {
  /// What is made, copied or requested at paths where the mirror had nothing, or another kind.
  std::uint64_t new_entries = 0, new_bytes = 0;
  /// Deleted in places that go as a whole; the places' own entries count too.
  std::uint64_t removed_entries = 0;
  /// Deleted in places that still stand but are empty then.
  std::uint64_t emptied_entries = 0, emptied_bytes = 0;
};

/// Which guard holds for these totals and losses under these options; none or max_delete let the sync go on.
/// A guard against accidents comes before max_delete, and is lifted by a client_max_delete of at least
/// totals.deletes. The rules: this module's README, "Deletes".
[[nodiscard]] Guard check_guard(const PlanTotals& totals, const Losses& losses, const Options& options);

/// Thread safety: one thread at a time. Memory: 53 bytes a mirror entry at names of 16; a directory of the
/// source, and each row that is not equal, about as much and 10; 20 to 70 more where checksum, digest or
/// origin are known.
class Planner {
 public:
  /// The planner adds every row that is right as it is to `digest` (the mirror's tree digest). The caller
  /// adds what it makes right: the row of every change that succeeded, of an exchange both rows; but none of
  /// stage_*, make_directory and rename_directory (a later change adds those), of removals, and of changes
  /// with `restore`. Under compare_content the rows of files are folded with their checksum, empty files
  /// included. Must outlive the planner.
  Planner(Options options, TreeDigest& digest);
  ~Planner();
  Planner(const Planner&) = delete;
  Planner& operator=(const Planner&) = delete;

  /// Instead of the whole list: every directory of the source, in list order, before any row. Those that are
  /// right as they are need no rows; add_source() then takes the rows of those that take_asked_directories()
  /// names, in that order, each directory's complete, none with `last`. The same errors; also under
  /// compare_content.
  [[nodiscard]] Result<void> add_directories(const std::vector<DirectorySum>& directories, bool last);
  /// Rows in list order, as step() asks. Errc::protocol when a row is out of order, repeated, inside
  /// something that is no directory, or has no parent in the list, or has values out of range; the planner is
  /// unusable then. `last` ends the list. With `storage`, all of the rows' text must lie in it; without, it
  /// is copied.
  [[nodiscard]] Result<void> add_source(RowBatch batch);
  /// Blocks in scan order; the same rules (Errc::corrupt). end_mirror() after the last.
  [[nodiscard]] Result<void> add_mirror(const ScanBlock& block);
  void end_mirror();
  void answer(const Answer& answer);

  enum class Step : std::uint8_t {
    need_source,   ///< add_source() or add_directories()
    need_mirror,   ///< add_mirror() or end_mirror()
    directories,   ///< take_asked_directories() has some; call step() again after taking them
    queries,       ///< take_queries() has some; call step() again after taking them
    need_answers,  ///< all queries are out; answer() at least one, then step()
    planned,       ///< totals() and guard() are final, problems complete so far; proceed() to go on
    changes,  ///< take_changes() has the next batch; step() again when they have been carried out or handed
              ///< over in order
    need_writes,  ///< every request was handed out; writes_done() when each is published or failed. Not said
                  ///< when there was no change at all
    done,
  };
  /// Does a bounded amount of work (at most one pass over what is in memory). Nothing blocks. What it says
  /// stays true until it is acted on.
  [[nodiscard]] Result<Step> step();

  /// A directory whose rows are needed: its position in add_directories(), from 0, and its location.
  struct AskedDirectory {
    std::uint64_t directory = 0;
    std::string location;
  };
  /// In ascending order.
  [[nodiscard]] std::vector<AskedDirectory> take_asked_directories();
  [[nodiscard]] std::vector<Query> take_queries();
  [[nodiscard]] std::vector<Change> take_changes();
  /// With early_creations, before planned, on a mirror that holds nothing: the next batch of what is to be
  /// made in directories whose rows are complete, and of their requests; to be carried out or handed over in
  /// order. Empty: nothing now. What is not taken comes after the plan.
  [[nodiscard]] std::vector<Change> take_early();
  /// Problems found by deciding (unreadable source or mirror entries, directories with content in the place
  /// of another kind under --no-delete, links that the mirror cannot hold, names that collide on a
  /// case-insensitive mirror), each once.
  [[nodiscard]] std::vector<Problem> take_problems();

  [[nodiscard]] const PlanTotals& totals() const;
  /// Content of the files among totals().extras_kept.
  [[nodiscard]] std::uint64_t kept_bytes() const;
  [[nodiscard]] Guard guard() const;
  /// Requires: step() said planned. When guard() is max_delete no removal comes: totals().deletes is what
  /// would have gone, extras_kept what stays, and rows of another kind than the mirror's are Problems. Under
  /// any other guard the caller does not proceed.
  void proceed();
  void writes_done();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ssync::planner
