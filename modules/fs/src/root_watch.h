#pragma once

// Notices that a file system which others serve (Volume::shared) is gone or does not answer any more, while
// the threads that use it wait for it; and moves the beat of the lock.

#include <chrono>
#include <memory>
#include <optional>

#include "ssync/base/result.h"
#include "ssync/base/unique_fd.h"

#include "claim.h"

namespace ssync::fs {

/// Asks the file system of `root` itself, not what is cached of it.
[[nodiscard]] Result<void> ask_root(int root);

/// Has one thread. When that hangs in the file system, the destructor does not wait for it.
class RootWatch {
 public:
  /// A file system that does not answer for so long counts as gone.
  static constexpr std::chrono::seconds kSilenceMax{15};

  RootWatch(UniqueFd root, std::shared_ptr<Claim> claim);
  ~RootWatch();
  RootWatch(const RootWatch&) = delete;
  RootWatch& operator=(const RootWatch&) = delete;
  /// Errc::lost, as long as it is so. Never blocks on the file system. Any thread.
  [[nodiscard]] std::optional<Error> trouble() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace ssync::fs
