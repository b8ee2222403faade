// What is known of one entry of a tree: plain values, no I/O.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ssync/base/buffer.h"
#include "ssync/model/path.h"

namespace ssync {

/// Values are on the wire and on disk: never renumbered. proto-spec/03 §2.
enum class Kind : std::uint8_t {
  file = 1,
  directory = 2,
  symlink = 3,
  unreadable = 4,  ///< a scan Problem: nothing is known of the entry, nothing at or below it may be touched
  special = 5,     ///< a socket, fifo or device: known to be there, replaced and removed, never made
};

/// Whether an entry of this kind is made on a mirror, and is part of the tree digest.
[[nodiscard]] constexpr bool is_mirrored(Kind kind) noexcept {
  return kind == Kind::file || kind == Kind::directory || kind == Kind::symlink;
}

/// Seconds since the epoch and nanoseconds (0 … 999'999'999), the full range file systems have.
struct FileTime {
  std::int64_t s = 0;
  std::uint32_t ns = 0;
  friend auto operator<=>(const FileTime&, const FileTime&) = default;
};

/// Numeric owner and group.
struct Owner {
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  friend auto operator<=>(const Owner&, const Owner&) = default;
};

/// XXH3-128 of a file's content in canonical (big endian) byte order. Holes count as zeros.
using Checksum = std::array<std::byte, 16>;

enum class DigestKind : std::uint8_t { sha256 = 1, md5 = 2 };

/// Cryptographic digest of a file's content: 32 bytes (SHA-256) or 16 (MD5).
struct Digest {
  DigestKind kind = DigestKind::sha256;
  std::array<std::byte, 32> bytes{};  ///< the first size() are meaningful, the rest zero
  [[nodiscard]] std::size_t size() const noexcept { return kind == DigestKind::sha256 ? 32 : 16; }
  [[nodiscard]] std::span<const std::byte> view() const noexcept { return {bytes.data(), size()}; }
  friend bool operator==(const Digest&, const Digest&) = default;
};

/// The attributes that source and mirror compare. size is the content length of a file; of a special entry
/// which one it is: the file type of st_mode (4 bits), and above it the device's number; 0 for anything else.
struct Values {
  Kind kind = Kind::file;
  std::uint16_t mode = 0;  ///< the low 12 bits of st_mode; 0 for symlinks
  std::uint64_t size = 0;
  FileTime mtime;
  Owner owner;
  friend bool operator==(const Values&, const Values&) = default;
};

/// An entry's own state on its file system, as the last stat saw it.
struct Seen {
  Values values;
  FileTime ctime;
  std::uint64_t device = 0;  ///< st_dev
  std::uint64_t inode = 0;
  std::uint32_t links = 1;  ///< st_nlink; not compared
  friend bool operator==(const Seen&, const Seen&) = default;
};

/// What both ends of a sync can hold; `welcome` carries it, and every comparison and digest uses projected
/// values, so that a sync converges also onto a file system that cannot hold everything. proto-spec/03 §4.
struct Attributes {
  std::uint32_t mtime_granularity_ns = 1;  ///< 1 … 2'000'000'000; times are rounded down to a multiple
  std::uint16_t mode_mask = 07777;         ///< mode bits that the mirror keeps
  bool owner = false;                      ///< uid and gid are compared (the server runs as root)
  bool symlinks = true;                    ///< the mirror can hold symbolic links
  bool symlink_mtime = true;
  bool case_sensitive = true;
  /// The least and the greatest second that the mirror keeps, least <= greatest; see clamp().
  std::int64_t mtime_least_s = std::numeric_limits<std::int64_t>::min();
  std::int64_t mtime_greatest_s = std::numeric_limits<std::int64_t>::max();
  friend bool operator==(const Attributes&, const Attributes&) = default;
};

/// The time of the mirror's range that is nearest to `time`. The two ends of the range have no nanoseconds:
/// that is how Linux keeps a time that its file system cannot (timestamp_truncate() in fs/inode.c). Not
/// rounded.
[[nodiscard]] FileTime clamp(FileTime time, const Attributes& attributes) noexcept;

/// The part of `values` that both ends can hold.
[[nodiscard]] Values project(const Values& values, const Attributes& attributes) noexcept;

/// Position of a row in the source's list, counted from 0 (the root) in list order; unique in one session.
using RowId = std::uint64_t;
inline constexpr RowId kNoRow = ~RowId{0};

/// Where a file was when the client's index last saw its inode: evidence for a rename. proto-spec/03 §3.
struct Origin {
  std::string_view location;
  std::string_view name;
  Checksum checksum{};
  bool proven = false;  ///< size, mtime and ctime are unchanged, so the checksum holds without a read
};

/// One row of the source's list. Views point into the batch's storage.
struct Row {
  std::string_view location;
  std::string_view name;
  RowId id = kNoRow;
  Values values;
  std::string_view target;           ///< of a symlink; empty otherwise
  std::optional<Checksum> checksum;  ///< proven: the index knows it and the stat is trusted
  std::optional<Digest> digest;      ///< known from the index, or computed under --eager-digest
  std::optional<Origin> origin;
  bool doubt = false;  ///< the stat alone proves nothing about the content: compare checksums
  [[nodiscard]] PathView path() const noexcept { return {location, name}; }
};

/// Consecutive rows of a list, sorted as compare_rows(). Owns what the rows' views point to. Move-only.
struct RowBatch {
  std::vector<Row> rows;
  Buffer storage;     ///< may be empty when the views point into something that outlives the batch
  bool last = false;  ///< no row follows
};

/// An entry as a scan found it, merged with what the index knew of it. Views point into the block's storage.
struct ScannedEntry {
  std::string_view name;
  Seen seen;
  std::string_view target;
  bool doubt = false;
  /// The source's file kept changing when it was read last: content is to be asked for whatever the stats
  /// say. Server only.
  bool retry = false;
  std::uint8_t unmirrored = 0;  ///< what it has that is not mirrored (fs::Unmirrored). Client only
  /// The source's values that this entry was written for: known when the index has them and `seen` equals the
  /// stat that the index holds. On a mirror without any index: the entry's own values. Server only.
  std::optional<Values> wanted;
  std::optional<Checksum> checksum;  ///< proven
  bool has_digest = false;           ///< the index holds a proven digest of the negotiated kind
  std::optional<Digest> digest;      ///< filled only when the scan was asked for digests
  std::optional<Origin> origin;      ///< client only
};

/// A failure on one path; the run goes on. Owned strings.
struct Problem {
  std::string location;
  std::string name;
  std::string text;  ///< without the path: "open: Permission denied"
  int sys_errno = 0;
  bool subtree = false;   ///< everything below is left out as well
  bool vanished = false;  ///< the source entry went away (exit 24 rather than 23)
  bool warning = false;   ///< counted and shown, the mirror is still right (a skipped socket, say)
  RowId row = kNoRow;     ///< the source's row, when there is one
  [[nodiscard]] PathView path() const noexcept { return {location, name}; }
};

/// All entries of one directory, sorted by name: the unit of scanning, of the index and of digests. Blocks
/// come in the order of compare_locations(), each directory once, also when it is empty; a directory whose
/// own entry is unreadable has no block. The first block is the root's; the root's own row travels as `self`
/// of that block. Move-only.
struct ScanBlock {
  std::string location;
  std::vector<ScannedEntry> entries;
  std::optional<Seen> self;  ///< only in the first block: the root directory itself
  bool holds_own =
      false;  ///< a file of this program (index, log) is in it, which is no entry: the directory cannot go
  std::vector<Problem>
      problems;  ///< this directory's and its entries'; subtree ones also appear as Kind::unreadable entries
  std::shared_ptr<const void> storage;  ///< keeps the views alive
};

}  // namespace ssync
