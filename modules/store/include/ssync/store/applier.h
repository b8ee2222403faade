// Server: carries out every change but requests, in the order given.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ssync/base/result.h"
#include "ssync/fs/staging.h"
#include "ssync/fs/tree.h"
#include "ssync/model/change.h"
#include "ssync/store/durable.h"

namespace ssync::store {

/// What became of one change.
struct Applied {
  enum class State : std::uint8_t {
    done,
    problem,  ///< this path failed, the mirror has what it had (attributes may lag when only those failed)
    /// The content that the plan counted on is not there any more and must be requested instead; nothing was
    /// changed. Of copy, rename, exchange, stage_*, publish_staged, and of set_metadata for a file whose
    /// directory was moved in parts.
    stale,
    /// durable: a copy that is not on disk yet. It gets its name together with others, and take_ended()
    /// tells the outcome.
    waits,
  };
  State state = State::done;
  Problem problem;
};

/// Thread safety: one thread at a time. Keeps a few directory handles open between calls. Content that waits
/// for its publish_staged is kept in the staging directory, which must stay until then.
///
/// Safety: only what `at_path` and `From::seen` describe (device, inode; of what is copied, moved or gets
/// attributes, size and mtime too) is replaced, moved or removed, and what has no `at_path` is never replaced
/// at all. Attributes of a file with several links are set on a copy of its own that takes its place. A
/// directory whose mode keeps us from a change gets u+rwx; the planner's last pass over directories gives it
/// back.
///
/// Durable: what is copied is flushed before it gets its name, and its name before anybody is told, in
/// batches (two syncfs each). A batch is due when it is large, before a change that needs or destroys what
/// one of its copies was made of or stands for, and when name_copies() is called: that must be before a
/// request goes out, and at the end.
class Applier {
 public:
  struct Options {
    Attributes attributes;
    Durable durable = Durable::yes;
    std::uint64_t batch_bytes = std::uint64_t{64} << 20U;
    std::size_t batch_files = 4096;
  };
  Applier(fs::Tree& tree, fs::Staging& staging, Options options);
  ~Applier();
  /// `progress` (may be empty): bytes copied so far of a long copy; false interrupts (Errc::interrupted is
  /// the only Error; everything else is in Applied). Requires: the change is not a request.
  [[nodiscard]] Result<Applied> apply(const Change& change,
                                      const std::function<bool(std::uint64_t)>& progress);
  /// A directory was moved that the file system could not rename: what is in it was moved one by one, so
  /// ctimes are new, and of what had to be made anew device and inode are new too.
  [[nodiscard]] bool moved_in_parts() const noexcept;
  /// Replaces in `at_path` and `From::seen` what such a move made anew by what stands there now. Call it
  /// before apply(), and before a request goes out.
  void follow(Change& change) const;
  /// Gives all copies that wait their names now (see Durable above).
  void name_copies();
  struct Ended {
    Change change;
    Applied applied;  ///< done or problem
  };
  /// What became of changes that waited, in order. They came before the change that was applied last, or are
  /// that change.
  [[nodiscard]] std::vector<Ended> take_ended();
  /// Forgets directory handles (before the staging directory goes away, say). Requires: nothing waits.
  void close_directories();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ssync::store
