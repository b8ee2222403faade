// Every control message as a struct. proto-spec/03 is the authority; each struct has a section there.
//
// Client messages are requests with a sequence number; each gets exactly one reply with the same number.
// Strings that are text are UTF-8 of at most kTextBytesMax bytes (encode() puts '?' for other bytes and
// cuts); locations, names and targets are bytes. Counts, sizes, file offsets and row ids are below 2^63;
// tags, device and inode numbers use all 64 bits.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "ssync/base/result.h"
#include "ssync/model/change.h"
#include "ssync/model/entry.h"
#include "ssync/model/tree_digest.h"

namespace ssync::wire {

using SessionId = std::array<std::byte, 16>;  ///< random, secret, from welcome; all zero in hello
using ClientId = std::array<std::byte, 16>;   ///< random, one a client run: keeps its turn while it waits

/// (device, inode) of a directory.
struct NodeId {
  std::uint64_t device = 0, inode = 0;
  friend bool operator==(const NodeId&, const NodeId&) = default;
};

/// What the user asked the client for.
struct SyncOptions {
  bool delete_extra = true;
  std::optional<std::uint64_t> max_delete;
  bool compare_content = false;  ///< --checksum
  bool verify = false;        ///< compare everything by content, change nothing, say whether both are equal
  bool dry_run = false;       ///< plan only
  bool durable = true;        ///< --fsync
  bool list_changes = false;  ///< wants `changes` replies (-v, -n, --json); else only totals
  DigestKind digest_kind = DigestKind::sha256;
  /// Nothing is changed.
  [[nodiscard]] bool only_shows() const noexcept { return dry_run || verify; }
  /// Every file's content is read, compared and folded into the tree digest.
  [[nodiscard]] bool reads_content() const noexcept { return compare_content || verify; }
  friend bool operator==(const SyncOptions&, const SyncOptions&) = default;
};

/// Opens a session, or asks again after wait.
struct Hello {
  std::uint8_t version_min = 1, version_max = 1;
  ClientId client{};
  std::string program;    ///< text: "client-sync 0.1.0"
  std::string source_id;  ///< bytes, 1 … 64 KiB + 256
  SyncOptions options;
  std::array<std::byte, 16> host{};  ///< hash of machine id and boot id; all zero when unknown
  std::vector<NodeId> ancestry;      ///< the source root first, then each directory above it; 1 … kDepthMax
  bool has_owner = false;  ///< the client lists real uid and gid and asks for them (always, when it can stat)
  /// Which mirror: broken_mirror_name_rule(). Empty is the mirror with the empty name. It is sent as it is:
  /// a name that was made to fit would be another mirror's.
  std::string mirror;
  friend bool operator==(const Hello&, const Hello&) = default;
};
/// The source's directories, in list order, before any row: the server asks for the rows of those that it
/// cannot do without. Only where the welcome offers it. `number` counts from 0 without gaps, together with
/// that of FileList; the last has `last`.
struct DirectoryList {
  std::uint64_t number = 0;
  std::vector<DirectorySum> rows;
  bool last = false;
  friend bool operator==(const DirectoryList&, const DirectoryList&) = default;
};
/// Rows of the source, in list order: all of them, and the last message has `last`; or, after a
/// DirectoryList, those of the directories asked for, in the order of asking, and none has. `number` counts
/// from 0 without gaps.
struct FileList {
  std::uint64_t number = 0;
  RowBatch batch;
};
/// Asks for the server's next wish; says which reply to a `next` was dealt with last (0 before the first).
struct Next {
  std::uint64_t ack = 0;
  friend bool operator==(const Next&, const Next&) = default;
};
struct DigestRow {
  RowId row = kNoRow;
  std::optional<Checksum> checksum;  ///< neither: the file could not be read, or changed meanwhile
  std::optional<Digest> digest;
  friend bool operator==(const DigestRow&, const DigestRow&) = default;
};
struct Digests {
  std::vector<DigestRow> rows;
  friend bool operator==(const Digests&, const Digests&) = default;
};
/// A requested file cannot be sent; its transfer ends here.
struct Fail {
  RowId row = kNoRow;
  bool vanished = false;
  std::int32_t sys_errno = 0;
  std::string text;
  friend bool operator==(const Fail&, const Fail&) = default;
};
struct Bye {
  std::uint8_t code = 0;  ///< the client's exit code
  std::string text;
  friend bool operator==(const Bye&, const Bye&) = default;
};
/// Which mirrors there are, in place of hello: a connection that asked so has no session.
struct AskMirrors {
  std::string after;  ///< only names after this one; empty: from the first
  friend bool operator==(const AskMirrors&, const AskMirrors&) = default;
};

/// Who was invited says which key it has from now on, in place of hello and without a session. Only on a
/// connection that was made with an invitation's key (proto-spec/09 §5).
struct Join {
  std::array<std::byte, 32> key{};  ///< public
  friend bool operator==(const Join&, const Join&) = default;
};

struct Welcome {
  std::uint8_t version = 1;
  SessionId session{};
  std::uint64_t tag = 0;  ///< random; names the session on the data socket
  std::string program;
  Attributes attributes;
  std::uint32_t rows_max = 0, body_bytes_max = 0, list_window = 0, chunk_bytes_max = 0;
  std::uint32_t heartbeat_ms = 0, idle_ms = 0;
  bool synced_before = false;
  bool directory_sums = false;     ///< the client may send DirectoryList
  std::optional<NodeId> root;      ///< the mirror's, to a client on the same host
  std::vector<std::string> notes;  ///< sentences for the log: what the mirror cannot hold. At most 16
  std::string mirror;  ///< hello's: a server that does not know of names leaves it out, so a client can tell
  friend bool operator==(const Welcome&, const Welcome&) = default;
};
/// To hello: not your turn yet, say hello again. To next: nothing yet; also the heartbeat.
struct Wait {
  enum class Reason : std::uint8_t {
    heartbeat = 0,
    other_session = 1,
    scanning = 2,
    comparing = 3,
    writing = 4,
    other_mirrors = 5,  ///< the mirror is free, and the server does as much as it may at once
  };
  Reason reason = Reason::heartbeat;
  std::uint64_t done = 0,
                total = 0;  ///< progress of what it waits for: entries or bytes; total 0 when unknown
  std::string text;
  std::uint64_t place = 0;  ///< to hello: 1 is the next; `total` clients wait in the same queue
  friend bool operator==(const Wait&, const Wait&) = default;
};
/// To FileList and DirectoryList.
struct FileListOk {
  std::uint64_t number = 0;
  friend bool operator==(const FileListOk&, const FileListOk&) = default;
};
struct Ok {
  friend bool operator==(const Ok&, const Ok&) = default;
};
/// One file that the server wants: the seed's [location, name, digest] and the row it stands for.
struct RequestRow {
  std::string location, name;
  std::optional<Digest> digest;
  RowId row = kNoRow;
  bool any_content = false;  ///< nothing worth keeping is there: a read during which the file changed will do
  friend bool operator==(const RequestRow&, const RequestRow&) = default;
};
/// Replies to `next` are numbered from 1; `next` acknowledges them.
struct FileRequest {
  std::uint64_t number = 0;
  std::vector<RequestRow> rows;
  friend bool operator==(const FileRequest&, const FileRequest&) = default;
};
/// A directory of the DirectoryList whose rows the server wants: all of them.
struct AskedDirectory {
  std::string location;
  std::uint64_t directory = 0;  ///< its position in the list, from 0
  friend bool operator==(const AskedDirectory&, const AskedDirectory&) = default;
};
/// In ascending order, over all messages of a session.
struct ListRequest {
  std::uint64_t number = 0;
  std::vector<AskedDirectory> rows;
  friend bool operator==(const ListRequest&, const ListRequest&) = default;
};
struct DigestQuery {
  std::string location, name;
  RowId row = kNoRow;
  bool digest = false;  ///< the cryptographic digest; else the checksum
  friend bool operator==(const DigestQuery&, const DigestQuery&) = default;
};
struct DigestRequest {
  std::uint64_t number = 0;
  std::vector<DigestQuery> rows;
  friend bool operator==(const DigestRequest&, const DigestRequest&) = default;
};
/// Nothing is changed on the mirror before the `next` that acknowledges this. A client that does not want it
/// says bye.
struct Plan {
  std::uint64_t number = 0;
  PlanTotals totals;
  Guard guard = Guard::none;
  std::uint64_t allowed = 0;  ///< under guard max_delete: the limit that holds
  friend bool operator==(const Plan&, const Plan&) = default;
};
/// What the server did or, in a dry run, would do; in its order.
struct ChangeRow {
  Op op = Op::request;
  Kind kind = Kind::file;
  std::string location, name, from_location, from_name;
  std::uint64_t size = 0;
  bool is_new = false;       ///< nothing was at the path before
  std::uint8_t differs = 0;  ///< for -i: bit 0 content, 1 size, 2 mtime, 3 mode, 4 owner, 5 group
  friend bool operator==(const ChangeRow&, const ChangeRow&) = default;
};
struct Changes {
  std::uint64_t number = 0;
  std::vector<ChangeRow> rows;
  friend bool operator==(const Changes&, const Changes&) = default;
};
struct Problems {
  std::uint64_t number = 0;
  std::vector<Problem> rows;
};
/// The sync is over, and everything it published is as durable as was asked for.
struct SyncDone {
  std::uint64_t number = 0;
  SyncStats stats;
  std::string tree_digest;  ///< 32 hex digits; of the mirror, problem rows and kept extras left out
  bool complete = true;  ///< false: withheld deletes or dry run with differences; the digests need not agree
  friend bool operator==(const SyncDone&, const SyncDone&) = default;
};
/// Ends the session. Explicit values, never renumbered. proto-spec/06.
enum class ErrorCode : std::uint16_t {
  protocol = 1,
  version = 2,
  refused = 3,
  busy = 4,
  limit = 5,
  session = 6,
  flow = 7,
  state = 8,
  path = 9,
  io = 10,
  no_space = 11,
  timeout = 13,
  shutdown = 14,
  internal = 15,
  source = 16,   ///< the mirror belongs to another source
  overlap = 17,  ///< source and mirror are the same directory or one is inside the other
  mirror = 18,   ///< there is no mirror of that name; the text names those that there are
  rights = 19,   ///< the client's key does not allow it
  revoked = 20,  ///< the client's key is not known any more, or has expired
};
struct ErrorReply {
  ErrorCode code = ErrorCode::internal;
  bool retry = false;  ///< the same may go well later
  std::string text;    ///< for people: what, where, what to do
  friend bool operator==(const ErrorReply&, const ErrorReply&) = default;
};
struct MirrorRow {
  std::string name;
  std::string comment;  ///< text for people; may be empty
  friend bool operator==(const MirrorRow&, const MirrorRow&) = default;
};
/// To AskMirrors: names in ascending order of bytes, at most kMirrorRowsMax. `more`: ask again, after the
/// last.
struct Mirrors {
  std::vector<MirrorRow> rows;
  bool more = false;
  friend bool operator==(const Mirrors&, const Mirrors&) = default;
};

/// To Join: the key is known from now on, and the invitation is used up.
struct Joined {
  std::string name;             ///< text: what the server calls this client
  std::uint16_t data_port = 0;  ///< of the server, for later
  friend bool operator==(const Joined&, const Joined&) = default;
};

using RequestBody = std::variant<Hello, FileList, Next, Digests, Fail, Bye, DirectoryList, AskMirrors, Join>;
using ReplyBody = std::variant<Welcome, Wait, FileListOk, Ok, FileRequest, DigestRequest, Plan, Changes,
                               Problems, SyncDone, ErrorReply, ListRequest, Mirrors, Joined>;

struct Request {
  std::uint32_t seq = 0;
  SessionId session{};
  RequestBody body;
};
struct Reply {
  std::uint32_t seq = 0;
  ReplyBody body;
};

/// "hello", "filelist", "filerequest", "sync:done" …: the names on the wire, in logs and in the tap.
[[nodiscard]] const char* name_of(const RequestBody& body) noexcept;
[[nodiscard]] const char* name_of(const ReplyBody& body) noexcept;
/// Rows in the message, 0 for those that have none.
[[nodiscard]] std::size_t rows_in(const RequestBody& body) noexcept;
[[nodiscard]] std::size_t rows_in(const ReplyBody& body) noexcept;

/// The rule that a mirror's name breaks, or nullptr: UTF-8 of at most kMirrorNameBytesMax bytes, without
/// control characters, line separators and '/'. The empty name is valid.
[[nodiscard]] const char* broken_mirror_name_rule(std::string_view name) noexcept;

/// What decoding requires of a message beyond the types of its fields: ranges, lengths, paths, and what fits
/// together. Every decoded message has passed it. Errors: Errc::protocol, or Errc::limit for a count or
/// length over limits.h; the text names the field or the row.
[[nodiscard]] Result<void> validate(const Hello& message);
[[nodiscard]] Result<void> validate(const DirectoryList& message);
[[nodiscard]] Result<void> validate(const FileList& message);
[[nodiscard]] Result<void> validate(const Next& message);
[[nodiscard]] Result<void> validate(const Digests& message);
[[nodiscard]] Result<void> validate(const Fail& message);
[[nodiscard]] Result<void> validate(const Bye& message);
[[nodiscard]] Result<void> validate(const AskMirrors& message);
[[nodiscard]] Result<void> validate(const Join& message);
[[nodiscard]] Result<void> validate(const Welcome& message);
[[nodiscard]] Result<void> validate(const Wait& message);
[[nodiscard]] Result<void> validate(const FileListOk& message);
[[nodiscard]] Result<void> validate(const Ok& message);
[[nodiscard]] Result<void> validate(const FileRequest& message);
[[nodiscard]] Result<void> validate(const DigestRequest& message);
[[nodiscard]] Result<void> validate(const ListRequest& message);
[[nodiscard]] Result<void> validate(const Plan& message);
[[nodiscard]] Result<void> validate(const Changes& message);
[[nodiscard]] Result<void> validate(const Problems& message);
[[nodiscard]] Result<void> validate(const SyncDone& message);
[[nodiscard]] Result<void> validate(const ErrorReply& message);
[[nodiscard]] Result<void> validate(const Mirrors& message);
[[nodiscard]] Result<void> validate(const Joined& message);

/// The codes' names, as in proto-spec/06: "no_space".
[[nodiscard]] const char* name_of(ErrorCode code) noexcept;

}  // namespace ssync::wire
