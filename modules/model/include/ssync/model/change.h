// What the planner decides and transfer carries out.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "ssync/model/entry.h"

namespace ssync {

/// Values are on the wire (in `changes` rows): never renumbered. proto-spec/03 §6.
enum class Op : std::uint8_t {
  make_directory = 1,
  make_link = 2,
  make_empty = 3,        ///< a file of size 0
  copy = 4,              ///< from -> path; `from` stays
  rename = 5,            ///< from -> path, replacing a file or link at path
  rename_directory = 6,  ///< whole subtree; path must be free
  exchange = 7,          ///< from <-> path, both files
  stage_rename = 8,  ///< takes `from` out of the tree into staging, to be put at path later by publish_staged
  stage_copy = 9,    ///< copies `from` into staging, to be put at path later by publish_staged
  publish_staged = 10,    ///< puts what was staged for this path there, replacing a file or link
  remove = 11,            ///< a file or link
  remove_directory = 12,  ///< empty by now
  request = 13,           ///< content comes from the source
  set_metadata = 14,      ///< mode, owner, times; content stays
};

/// "make_directory", "request" …: in logs, JSON and the tap. "?" for what is none.
[[nodiscard]] std::string_view op_name(Op op) noexcept;

/// One step. Steps are carried out in the order given; a failed one is a Problem and the rest goes on.
struct Change {
  /// The other path of a change.
  struct From {
    std::string location;
    std::string name;
    /// What stands there by then, as Change::at_path says it: only this may be copied or moved.
    std::optional<Seen> seen;
    [[nodiscard]] PathView path() const noexcept { return {location, name}; }
  };

  // One type for each Op, in the order of their numbers.

  struct MakeDirectory {};
  struct MakeLink {
    std::string target;
  };
  struct MakeEmpty {};
  struct Copy {
    From from;
  };
  struct Rename {
    From from;
    /// The name gets other letters only, and a later step makes the path right, and adds its row to the tree
    /// digest.
    bool respells = false;
  };
  struct RenameDirectory {
    From from;
  };
  struct Exchange {
    /// What the other path is to be, if this step makes it right too.
    struct Other {
      RowId row = kNoRow;
      Values wanted;
      std::optional<Checksum> checksum;  ///< as Change::checksum
    };
    From from;
    std::optional<Other> other;  ///< absent: a later step does
  };
  struct StageRename {
    From from;
  };
  struct StageCopy {
    From from;
  };
  struct PublishStaged {};
  struct Remove {};
  struct RemoveDirectory {};
  struct Request {
    /// The directory at `location` is made by this sync, and gets nothing but requested files. So it may be
    /// filled elsewhere and put there as a whole.
    bool fills_directory = false;
    /// The mirror has nothing at path, or only what was read while the source's file was changing. So if the
    /// file keeps changing, what was read last is taken rather than nothing.
    bool any_content = false;
  };
  struct SetMetadata {
    enum class Purpose : std::uint8_t {
      change,   ///< the entry gets other attributes, or the directory that this sync made gets its own
      record,   ///< nothing is changed on the mirror, but the index records what was learnt; its row is added
                ///< to the tree digest as that of any other change
      restore,  ///< other steps changed something in a directory that was right, and its times are put back;
                ///< its row is in the tree digest already
    };
    Purpose purpose = Purpose::change;
    std::string target;  ///< of a link
    /// Purpose::record: where the scan saw the entry, when it came to its path by the rename of a directory
    /// and nothing else.
    std::optional<From> scanned_at;
  };
  using Step =
      std::variant<MakeDirectory, MakeLink, MakeEmpty, Copy, Rename, RenameDirectory, Exchange, StageRename,
                   StageCopy, PublishStaged, Remove, RemoveDirectory, Request, SetMetadata>;

  Step step;
  RowId row = kNoRow;    ///< the source's row; kNoRow for removals
  std::string location;  ///< the path that this step makes right
  std::string name;
  Values wanted;  ///< the source's values (not projected); for removals what is removed
  /// What stands at path when all steps before this one have succeeded: the mirror's entry as the scan saw
  /// it, with an unknown ctime (0, 0). Only this may be replaced or removed. Absent: the path is free by
  /// then.
  std::optional<Seen> at_path;
  /// What path is proven to contain after this step. Of SetMetadata: what is known of the content of path;
  /// absent there, what the index knows of it still holds. Not of removals and requests.
  std::optional<Checksum> checksum;
  std::optional<Digest> digest;

  [[nodiscard]] Op op() const noexcept { return static_cast<Op>(step.index() + 1); }
  [[nodiscard]] PathView path() const noexcept { return {location, name}; }
  /// Null: it concerns no other path. Of SetMetadata: scanned_at.
  [[nodiscard]] const From* from() const noexcept;
  [[nodiscard]] From* from() noexcept;
  /// Of a link that is made or gets attributes; else empty.
  [[nodiscard]] std::string_view target() const noexcept;
  /// SetMetadata for this purpose.
  [[nodiscard]] bool is(SetMetadata::Purpose purpose) const noexcept;
  /// Rename for the sake of the letters.
  [[nodiscard]] bool respells() const noexcept;
};

/// What a plan will do, before anything is done. Counts of entries; bytes of file content.
struct PlanTotals {
  std::uint64_t source_entries = 0, source_files = 0, source_directories = 0, source_links = 0;
  std::uint64_t source_bytes = 0;    ///< content of all regular files in the source
  std::uint64_t mirror_entries = 0;  ///< before the sync, the root not counted
  std::uint64_t mirror_bytes = 0;    ///< content of all files on the mirror before
  std::uint64_t requests = 0, request_bytes = 0;
  std::uint64_t created = 0;  ///< directories, links and empty files made without a request
  std::uint64_t copies = 0, renames = 0, reused_bytes = 0;
  std::uint64_t metadata = 0;
  std::uint64_t deletes =
      0;  ///< extras and entries freed by a change of kind (the latter also under --no-delete)
  std::uint64_t delete_bytes = 0;  ///< content of the files among them
  /// places: directories directly below the mirror's root that held something. places_lost: those of them of
  /// which nothing stays in the tree and to which nothing comes.
  std::uint64_t places = 0, places_lost = 0;
  std::uint64_t extras_kept = 0;  ///< under --no-delete or a withheld delete
  std::uint64_t problems = 0;
  std::uint64_t unchanged = 0;
  std::uint64_t specials = 0;  ///< sockets, fifos and devices of the source: not mirrored
  friend bool operator==(const PlanTotals&, const PlanTotals&) = default;
};

/// Why a plan may not be carried out as it is. proto-spec/03 §7.
enum class Guard : std::uint8_t {
  none = 0,
  over_half = 1,     ///< 100 or more deletes, and most of the mirror would vanish (planner: Losses)
  source_empty = 2,  ///< 100 or more deletes, and the source has no entry
  never_synced = 3,  ///< 100 or more deletes in a mirror that was never synced before
  max_delete = 4,    ///< more deletes than --max-delete allows: they are withheld, the rest goes on (exit 25)
};

/// "none", "over_half", "source_empty", "never_synced", "max_delete". "?" for what is none.
[[nodiscard]] std::string_view guard_name(Guard guard) noexcept;

/// What happened, counted by the server. Bytes as in PlanTotals.
struct SyncStats {
  PlanTotals plan;
  std::uint64_t transferred_files = 0, transferred_bytes = 0;
  std::uint64_t created = 0, copied = 0, renamed = 0, reused_bytes = 0, deleted = 0, metadata = 0;
  std::uint64_t problems = 0, vanished = 0, warnings = 0;
  std::uint64_t deletes_withheld = 0;
  Guard guard = Guard::none;
  friend bool operator==(const SyncStats&, const SyncStats&) = default;
};

}  // namespace ssync
