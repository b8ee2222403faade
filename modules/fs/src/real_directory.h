#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "ssync/base/unique_fd.h"
#include "ssync/fs/tree.h"

#include "c_name.h"
#include "real_tree.h"

namespace ssync::fs {

/// Holds one descriptor. Every operation is relative to it and names one component, so nothing is resolved
/// through links.
class RealDirectory final : public Directory {
 public:
  /// `location`: for what is remembered to be flushed; may be empty where nothing is.
  RealDirectory(RealTree& tree, UniqueFd fd, std::string location) noexcept
      : tree_(tree), fd_(std::move(fd)), location_(std::move(location)) {}

  [[nodiscard]] Result<void> list(NameList& into) override;
  [[nodiscard]] Result<Stat> stat(std::string_view name) override;
  [[nodiscard]] Result<Stat> stat_self() override;
  [[nodiscard]] Result<std::string> read_link(std::string_view name) override;
  [[nodiscard]] Result<std::uint8_t> unmirrored(std::string_view name) override;
  [[nodiscard]] Result<std::unique_ptr<File>> open_file(std::string_view name) override;
  [[nodiscard]] Result<std::unique_ptr<File>> create_file(std::string_view name, std::uint16_t mode) override;
  [[nodiscard]] Result<void> make_directory(std::string_view name, std::uint16_t mode) override;
  [[nodiscard]] Result<void> make_link(std::string_view name, std::string_view target) override;
  [[nodiscard]] Result<void> remove(std::string_view name) override;
  [[nodiscard]] Result<void> remove_directory(std::string_view name) override;
  [[nodiscard]] Result<void> rename(std::string_view name, Directory& to, std::string_view new_name,
                                    Replace replace) override;
  [[nodiscard]] Result<std::unique_ptr<Directory>> open_child(std::string_view name) override;
  [[nodiscard]] Result<void> set_mode(std::string_view name, std::uint16_t mode) override;
  [[nodiscard]] Result<void> set_owner(std::string_view name, Owner owner) override;
  [[nodiscard]] Result<void> set_mtime(std::string_view name, FileTime mtime) override;
  [[nodiscard]] Result<void> strip_acl() override;
  [[nodiscard]] Result<void> flush() override;
  [[nodiscard]] Result<Volume> volume() override;

 private:
  [[nodiscard]] bool has_default_acl();
  [[nodiscard]] bool is_mount_by_device(const Stat& child);
  [[nodiscard]] Result<void> rename_checking_first(const CName& from, const RealDirectory& to,
                                                   const CName& onto) const;

  [[nodiscard]] Result<void> renamed(std::string_view name, RealDirectory& to, std::string_view new_name,
                                     Replace replace);
  /// To be called after a change: a name came or went, or the entry of that name has other attributes. Where
  /// syncfs proves nothing, it is remembered to be flushed.
  [[nodiscard]] Result<void> names_changed() { return attributes_changed({}); }
  [[nodiscard]] Result<void> attributes_changed(std::string_view name);
  [[nodiscard]] const Habits& habits();
  /// nullptr: syncfs flushes what is changed here, or nothing is to be flushed.
  [[nodiscard]] Unflushed* unflushed() { return habits().syncfs_flushes ? nullptr : tree_.unflushed(); }
  [[nodiscard]] Atime atime() { return habits().sets_mtime_alone ? Atime::stays : Atime::now; }

  RealTree& tree_;
  UniqueFd fd_;
  const std::string location_;
  bool was_listed_ = false;              // so the descriptor's position is not the beginning
  std::optional<bool> has_default_acl_;  // asked for once, by the first create_file()
  std::optional<Habits> habits_;         // asked for once, by the first change
  std::optional<std::uint64_t> device_;  // asked for once, on kernels that cannot tell mount points
};

}  // namespace ssync::fs
