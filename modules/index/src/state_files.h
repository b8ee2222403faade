// The state directory and whole reads and writes of files in it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "ssync/base/result.h"
#include "ssync/base/unique_fd.h"
#include "ssync/index/index.h"

#include "bytes.h"

namespace ssync::index {

/// The names of one index's files and the directory they are in. Thread safety: any thread.
class StateFiles {
 public:
  /// Makes the directory, mode 0700, and what is missing above it.
  [[nodiscard]] static Result<StateFiles> open(const std::string& state_dir, Role role,
                                               std::string_view root_path);

  [[nodiscard]] const std::string& base_name() const noexcept { return base_name_; }
  [[nodiscard]] const std::string& log_name() const noexcept { return log_name_; }

  /// A regular file, not a link. No descriptor when there is none of that name.
  [[nodiscard]] Result<UniqueFd> open_existing(const std::string& name, int flags) const;
  /// `<name>.new.<pid>`, new and empty, for reading and writing, mode 0600. Removes what killed runs left of
  /// that kind.
  [[nodiscard]] Result<UniqueFd> create_temporary(const std::string& name) const;
  [[nodiscard]] static std::string temporary_name(const std::string& name);
  /// Puts the temporary file in place of `name`.
  [[nodiscard]] Result<void> replace(const std::string& name) const;
  [[nodiscard]] Result<void> sync_directory() const;
  /// It is no Error if there is none.
  [[nodiscard]] Result<void> remove(const std::string& name) const;
  /// nullopt: there is none, or it cannot be asked.
  [[nodiscard]] std::optional<FileTime> mtime_of(const std::string& name) const;
  /// Best effort: a help for who comes next.
  void set_mtime(const std::string& name, FileTime time) const noexcept;
  /// For messages.
  [[nodiscard]] std::string path_of(std::string_view name) const;

 private:
  void remove_abandoned(const std::string& name) const;

  std::string directory_, base_name_, log_name_;
  UniqueFd fd_;
};

/// Fills `into` as far as the file goes; the bytes read. Retries EINTR.
[[nodiscard]] Result<std::size_t> read_at(int fd, std::uint64_t offset, std::span<std::uint8_t> into);
/// All, at the file's own position.
[[nodiscard]] Result<void> write_all(int fd, ByteSpan bytes);
[[nodiscard]] Result<void> sync_file(int fd);
[[nodiscard]] Result<std::uint64_t> size_of(int fd);

}  // namespace ssync::index
