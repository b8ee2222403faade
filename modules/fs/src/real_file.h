#pragma once

#include <functional>
#include <optional>
#include <span>
#include <utility>

#include "ssync/base/unique_fd.h"
#include "ssync/fs/tree.h"

#include "metadata.h"
#include "unflushed.h"

namespace ssync::fs {

/// Holds one descriptor. It does not know its name: the caller puts the path in front of an Error.
class RealFile final : public File {
 public:
  /// `opened`: the stat that opening it took, which answers the first stat(). `unflushed`: a new file of a
  /// tree that will be synced, where only fsync proves anything: it is flushed before it is closed.
  explicit RealFile(UniqueFd fd, const std::optional<Stat>& opened = std::nullopt,
                    Unflushed* unflushed = nullptr, Atime atime = Atime::stays) noexcept
      : fd_(std::move(fd)), opened_(opened), unflushed_(unflushed), atime_(atime) {}
  ~RealFile() override;

  [[nodiscard]] Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> into) override;
  [[nodiscard]] Result<void> write_at(std::uint64_t offset, std::span<const std::byte> from) override;
  [[nodiscard]] Result<void> truncate(std::uint64_t size) override;
  [[nodiscard]] Result<std::optional<Range>> next_data(std::uint64_t offset, std::uint64_t size) override;
  [[nodiscard]] Result<Stat> stat() override;
  [[nodiscard]] Result<void> set_mode(std::uint16_t mode) override;
  [[nodiscard]] Result<void> set_owner(Owner owner) override;
  [[nodiscard]] Result<void> set_mtime(FileTime mtime) override;
  [[nodiscard]] Result<void> flush() override;
  [[nodiscard]] Result<void> copy_content(File& from,
                                          const std::function<bool(std::uint64_t)>& progress) override;

  /// Borrowed.
  [[nodiscard]] int fd() const noexcept { return fd_.get(); }

 private:
  UniqueFd fd_;
  std::optional<Stat> opened_;
  Unflushed* unflushed_;
  Atime atime_;
};

}  // namespace ssync::fs
