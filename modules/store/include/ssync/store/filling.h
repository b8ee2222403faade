#pragma once

// Directories of one writer that come into being in staging, to be renamed as a whole.

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "ssync/store/incoming.h"
#include "ssync/store/placing.h"

namespace ssync::store {

/// Thread safety: one thread. A directory is being filled, then ages (so that the stats of its files are
/// old enough to be believed once they can be seen), then is taken to be placed.
class Filling {
 public:
  using Clock = std::chrono::steady_clock;
  /// At most so many directories are filled at once (fewer where descriptors are few), as each costs a
  /// descriptor; the files of further ones go in one by one.
  static constexpr std::size_t kOpenMax = 32;
  /// What a crash may cost: what is in staging has to be sent again.
  static constexpr std::uint64_t kBytesMax = 64U << 20U;
  static constexpr std::size_t kFilesMax = 4096;

  /// `age`: how long a directory waits before its name is given.
  Filling(Placing& placing, std::chrono::milliseconds age)
      : placing_(placing), age_(age), open_max_(placing.worth_keeping(kOpenMax)) {}

  /// The directory that `location` is filled in, made when this is its first file; null when its files go in
  /// one by one.
  [[nodiscard]] fs::Directory* open(Location& location);
  /// The same, only when it is being filled.
  [[nodiscard]] fs::Directory* find(const Location& location);
  /// A file is complete in a directory that is being filled.
  void add(ReadyFile file);
  /// Nothing more comes. Without effect when it is not being filled.
  void close(Location& location);

  /// Takes the directories that are old enough.
  [[nodiscard]] std::vector<Ready> take_aged();
  /// When take_aged() will have something.
  [[nodiscard]] std::optional<Clock::time_point> next_aged() const;
  /// Forgets all; what is staged goes with the staging directory.
  void abandon() noexcept;

 private:
  struct Open {
    std::unique_ptr<fs::Directory> directory;
    Ready ready;
  };
  struct Aging {
    Ready ready;
    Clock::time_point until;
  };
  [[nodiscard]] std::vector<Open>::iterator at(const Location& location);
  void close(std::vector<Open>::iterator open);

  Placing& placing_;
  const std::chrono::milliseconds age_;
  const std::size_t open_max_;
  std::vector<Open> open_;
  std::deque<Aging> aging_;
};

}  // namespace ssync::store
