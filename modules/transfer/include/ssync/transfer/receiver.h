// Server: data messages -> staged files -> published files. Writers stage and verify, one publisher renames
// in batches (group commit).
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "ssync/base/bounded_queue.h"
#include "ssync/base/buffer.h"
#include "ssync/fs/staging.h"
#include "ssync/fs/tree.h"
#include "ssync/model/change.h"
#include "ssync/store/durable.h"
#include "ssync/wire/data.h"

namespace ssync::transfer {

/// A file that is in the mirror under its name.
struct PublishedFile {
  Change change;  ///< the request; `wanted` brought up to what the source's last segment said
  Checksum checksum{};
  std::optional<Seen> seen;  ///< its stat, if that is old enough for a later change to show in it
  bool changed = false;      ///< the source's file changed while it was read: this is what the last reading
                             ///< found, and proof of nothing
};
struct Published {
  std::vector<PublishedFile> files;
};
struct ReceiveFailure {
  Change change;
  Problem problem;  ///< the mirror has what it had
};
/// Bytes of credit (wire::charge) that are free again: their content was written or discarded.
struct CreditReturned {
  std::uint64_t bytes = 0;
};

using ReceiveEvent = std::variant<Published, ReceiveFailure, CreditReturned>;

/// Thread safety: any thread, but accept() and fail() one at a time, as messages have an order. Events come
/// from its own threads. Memory: what was accepted and not written (bounded by credit), about 150 bytes an
/// expected file, three times that when it replaces another. Threads: `writers`, and one that publishes if
/// durable.
///
/// A file comes into being in staging, with all its attributes, and is renamed. A path where nothing was
/// (`at_path`) is never replaced; another only while it is the same device and inode. On a directory of
/// another device than the staging directory, files are staged beside the target as `.server-sync.<32 hex
/// digits>`.
///
/// Small files whose requests say `fills_directory` come into being in a directory in staging, which then
/// takes the place of the empty one in the mirror: one rename for all of them. Its files are those that were
/// expected before a request for another directory came, or flush() was called; when all of them are
/// complete, it goes there. At 64 MiB or 4096 files it goes at once, and the remaining files follow one by
/// one. Where the directory in the mirror is not empty any more, all go in one by one.
class Receiver {
 public:
  struct Options {
    unsigned writers = 2;
    store::Durable durable = store::Durable::yes;  ///< syncfs before and after each batch of renames
    Attributes attributes;                         ///< owner: whether to chown
    std::uint64_t batch_bytes = 64u << 20;
    std::size_t batch_files = 4096;
    /// How long a filled directory waits before it is renamed, so that the stats of its files can be
    /// believed: a little more than a tick of the file systems that have short ones. Durable: not at all.
    std::chrono::milliseconds age{26};
  };
  /// `events` must be drained until it is closed by the receiver. A full event queue stalls writers, nothing
  /// else.
  Receiver(fs::Tree& tree, fs::Staging& staging, Options options, BoundedQueue<ReceiveEvent>& events);
  ~Receiver();  ///< stop()s, and waits for the threads (one write, copy or syncfs at most)
  /// A request is about to go out. Requires: its row was not expected before, unless it was published;
  /// finish() was not called.
  void expect(Change request);
  /// From now on, all files together may be larger than their requests say by so much. Without: by anything.
  void limit_growth(std::uint64_t bytes);
  /// Takes a message over; never blocks. Errc::protocol when a segment is for a row that is not expected, is
  /// out of order, the ending contradicts what came or the request, or more than 256 files are in pieces at
  /// once; Errc::permission beyond limit_growth(): the session must end. A file whose content does not have
  /// its ending's checksum is a ReceiveFailure, not an Error. What comes for a file that failed is discarded,
  /// and its credit returned.
  [[nodiscard]] Result<void> accept(wire::DataHead head, Buffer payload);
  /// The client cannot send it. May overtake the messages with what was read of it. Without effect when the
  /// file is complete or failed.
  void fail(RowId row, const wire::Fail& why);
  [[nodiscard]] std::size_t outstanding() const;  ///< expected and neither published nor failed
  /// The caller expects no more until some of what is outstanding was published or failed. So the directory
  /// of the last expect() is complete with the files that it has so far.
  void flush();
  /// Publishes what is staged without waiting for a full batch; when nothing is outstanding any more and the
  /// credit of all that was accepted went back, closes `events`.
  void finish();
  /// Gives up: staged files are dropped, events closed. Does not wait.
  void stop() noexcept;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ssync::transfer
