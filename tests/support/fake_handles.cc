#include <cerrno>
#include <utility>

#include "ssync/base/text.h"

#include "fake_state.h"

namespace ssync::support {

using fs::Stat;

class FakeFile final : public fs::File {
 public:
  FakeFile(std::shared_ptr<FakeTree::Impl> tree, InodePtr inode, std::string path, bool writable)
      : tree_(std::move(tree)), inode_(std::move(inode)), path_(std::move(path)), writable_(writable) {}

  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> into) override {
    FakeCall call(*tree_, FakeOp::read, path_);
    if (call.err() != 0) return call.failed();
    return tree_->inodes.read(*inode_, offset, into);
  }
  Result<void> write_at(std::uint64_t offset, std::span<const std::byte> from) override {
    FakeCall call(*tree_, FakeOp::write, path_);
    if (call.err() != 0) return call.failed();
    if (!writable_) return call.failed(EBADF);
    if (offset > kOffsetMax || from.size() > kOffsetMax - offset) return call.failed(EFBIG);
    return call.done(tree_->inodes.write(*inode_, offset, from));
  }
  Result<void> truncate(std::uint64_t size) override {
    FakeCall call(*tree_, FakeOp::truncate, path_);
    if (call.err() != 0) return call.failed();
    if (!writable_) return call.failed(EINVAL);
    if (size > kOffsetMax) return call.failed(EFBIG);
    tree_->inodes.truncate(*inode_, size);
    return {};
  }
  Result<std::optional<Range>> next_data(std::uint64_t offset, std::uint64_t size) override {
    const std::lock_guard lock(tree_->mutex);
    return Inodes::next_data(*inode_, offset, size);
  }
  Result<Stat> stat() override {
    FakeCall call(*tree_, FakeOp::stat, path_);
    if (call.err() != 0) return call.failed();
    return Inodes::stat(*inode_, false);
  }
  Result<void> set_mode(std::uint16_t mode) override {
    FakeCall call(*tree_, FakeOp::set_mode, path_);
    if (call.err() != 0) return call.failed();
    tree_->inodes.set_mode(*inode_, mode);
    return {};
  }
  Result<void> set_owner(Owner owner) override {
    FakeCall call(*tree_, FakeOp::set_owner, path_);
    if (call.err() != 0) return call.failed();
    if (owner.uid == kNobody || owner.gid == kNobody) return call.failed(EINVAL);
    return call.done(tree_->inodes.set_owner(*inode_, owner));
  }
  Result<void> set_mtime(FileTime mtime) override {
    FakeCall call(*tree_, FakeOp::set_mtime, path_);
    if (call.err() != 0) return call.failed();
    if (mtime.ns >= 1'000'000'000) return call.failed(EINVAL);
    return call.done(tree_->inodes.set_mtime(*inode_, mtime));
  }
  Result<void> flush() override {
    FakeCall call(*tree_, FakeOp::flush, path_);
    if (call.err() != 0) return call.failed();
    return {};
  }
  Result<void> copy_content(fs::File& from, const std::function<bool(std::uint64_t)>& progress) override {
    auto* const source = dynamic_cast<FakeFile*>(&from);
    if (source == nullptr) return fail(Errc::invalid_argument, "copying: not a file of a fake tree");
    {
      FakeCall call(*tree_, FakeOp::copy, path_);
      if (call.err() != 0) return call.failed();
      if (!writable_) return call.failed(EBADF);
      if (const int err = tree_->inodes.copy(*source->inode_, *inode_); err != 0) return call.failed(err);
    }
    // It may use the tree, so nothing is locked.
    if (progress && !progress(inode_->size)) return fail(Errc::interrupted, "copying: stopped");
    return {};
  }

  static constexpr std::uint64_t kOffsetMax = ~std::uint64_t{0} >> 1U;
  static constexpr std::uint32_t kNobody = ~std::uint32_t{0};

 private:
  std::shared_ptr<FakeTree::Impl> tree_;
  InodePtr inode_;
  std::string path_;  // when it was opened
  bool writable_;
};

class FakeDirectory final : public fs::Directory {
 public:
  FakeDirectory(std::shared_ptr<FakeTree::Impl> tree, InodePtr inode)
      : tree_(std::move(tree)), inode_(std::move(inode)) {}

  Result<void> list(fs::NameList& into) override {
    const std::string at = path();
    FakeCall call(*tree_, FakeOp::list, at);
    if (call.err() != 0) return call.failed();
    if (inode_->removed) return call.failed(ENOENT);
    std::vector<std::string> names;
    for (const auto& [key, child] : inode_->children)
      names.push_back(child.name);
    if (tree_->answers.list) tree_->answers.list(at, names);
    for (const std::string& name : names)
      into.add(name);
    return {};
  }
  Result<Stat> stat(std::string_view name) override {
    SSYNC_TRY_VOID(check_name(name));
    const std::string at = path(name);
    FakeCall call(*tree_, FakeOp::stat, at);
    if (call.err() != 0) return call.failed();
    std::optional<Stat> stat;
    if (const InodePtr found = find(name)) stat = Inodes::stat(*found, false);
    if (tree_->answers.stat) tree_->answers.stat(at, stat);
    if (!stat) return call.failed(ENOENT);
    return *std::move(stat);
  }
  Result<Stat> stat_self() override {
    const std::string at = path();
    FakeCall call(*tree_, FakeOp::stat, at);
    if (call.err() != 0) return call.failed();
    std::optional<Stat> stat = Inodes::stat(*inode_, true);
    if (tree_->answers.stat) tree_->answers.stat(at, stat);
    if (!stat) return call.failed(ENOENT);
    return *std::move(stat);
  }
  Result<fs::Volume> volume() override {
    const std::lock_guard lock(tree_->mutex);
    for (InodePtr at = inode_; at; at = at->parent.lock()) {
      if (at->mounted) return *at->mounted;
    }
    return tree_->volume;
  }
  Result<std::string> read_link(std::string_view name) override {
    SSYNC_TRY_VOID(check_name(name));
    const std::string at = path(name);
    FakeCall call(*tree_, FakeOp::read_link, at);
    if (call.err() != 0) return call.failed();
    const InodePtr found = find(name);
    if (!found) return call.failed(ENOENT);
    if (found->type != Stat::Type::symlink) return call.failed(Errc::changed, EINVAL);
    std::string target = found->target;
    if (tree_->answers.read_link) tree_->answers.read_link(at, target);
    return target;
  }
  Result<std::uint8_t> unmirrored(std::string_view name) override {
    if (!name.empty()) SSYNC_TRY_VOID(check_name(name));
    FakeCall call(*tree_, FakeOp::unmirrored, path(name));
    if (call.err() != 0) return call.failed();
    const InodePtr found = name.empty() ? inode_ : find(name);
    if (!found) return call.failed(ENOENT);
    return found->unmirrored;
  }
  Result<std::unique_ptr<fs::File>> open_file(std::string_view name) override {
    SSYNC_TRY_VOID(check_name(name));
    FakeCall call(*tree_, FakeOp::open_file, path(name));
    if (call.err() != 0) return call.failed();
    const InodePtr found = find(name);
    if (!found) return call.failed(ENOENT);
    if (found->type != Stat::Type::file) return call.failed(Errc::changed, 0);
    return std::make_unique<FakeFile>(tree_, found, locked_path(name), false);
  }
  Result<std::unique_ptr<fs::File>> create_file(std::string_view name, std::uint16_t mode) override {
    SSYNC_TRY_VOID(check_name(name));
    FakeCall call(*tree_, FakeOp::create_file, path(name));
    if (call.err() != 0) return call.failed();
    InodePtr made;
    const int err = tree_->inodes.create(inode_, name, Stat::Type::file, mode & 07777U, made);
    if (err != 0) return call.failed(err);
    return std::make_unique<FakeFile>(tree_, made, locked_path(name), true);
  }
  Result<void> make_directory(std::string_view name, std::uint16_t mode) override {
    SSYNC_TRY_VOID(check_name(name));
    FakeCall call(*tree_, FakeOp::make_directory, path(name));
    if (call.err() != 0) return call.failed();
    InodePtr made;
    return call.done(
        tree_->inodes.create(inode_, name, Stat::Type::directory, (mode & 01777U) | 0700U, made));
  }
  Result<void> make_link(std::string_view name, std::string_view target) override {
    SSYNC_TRY_VOID(check_name(name));
    FakeCall call(*tree_, FakeOp::make_link, path(name));
    if (call.err() != 0) return call.failed();
    if (target.empty() || target.size() > 4095 || target.find('\0') != std::string_view::npos)
      return call.failed(EINVAL);
    if (!tree_->inodes.limits.symlinks) return call.failed(Errc::unsupported, EPERM);
    InodePtr made;
    if (const int err = tree_->inodes.create(inode_, name, Stat::Type::symlink, 0777, made); err != 0)
      return call.failed(err);
    made->target = target;
    return {};
  }
  Result<void> remove(std::string_view name) override {
    SSYNC_TRY_VOID(check_name(name));
    FakeCall call(*tree_, FakeOp::remove, path(name));
    if (call.err() != 0) return call.failed();
    return call.done(tree_->inodes.remove(*inode_, name));
  }
  Result<void> remove_directory(std::string_view name) override {
    SSYNC_TRY_VOID(check_name(name));
    FakeCall call(*tree_, FakeOp::remove_directory, path(name));
    if (call.err() != 0) return call.failed();
    return call.done(tree_->inodes.remove_directory(*inode_, name));
  }
  Result<void> rename(std::string_view name, fs::Directory& to, std::string_view new_name,
                      fs::Replace replace) override {
    SSYNC_TRY_VOID(check_name(name));
    SSYNC_TRY_VOID(check_name(new_name));
    auto* const target = dynamic_cast<FakeDirectory*>(&to);
    if (target == nullptr) return fail(Errc::invalid_argument, "renaming: not within one tree");
    FakeCall call(*tree_, FakeOp::rename, path(name), target->path(new_name));
    if (call.err() != 0) return call.failed();
    if (replace == fs::Replace::exchange && !tree_->inodes.limits.exchange)
      return call.failed(Errc::unsupported, EINVAL);
    const int err = tree_->inodes.rename(inode_, name, target->inode_, new_name, replace);
    if (replace == fs::Replace::exchange && err == EINVAL) return call.failed(Errc::unsupported, err);
    return call.done(err);
  }
  Result<std::unique_ptr<fs::Directory>> open_child(std::string_view name) override {
    SSYNC_TRY_VOID(check_name(name));
    FakeCall call(*tree_, FakeOp::open, path(name));
    if (call.err() != 0) return call.failed();
    const InodePtr found = find(name);
    if (!found) return call.failed(ENOENT);
    if (found->type != Stat::Type::directory) return call.failed(ENOTDIR);
    return std::make_unique<FakeDirectory>(tree_, found);
  }
  Result<void> set_mode(std::string_view name, std::uint16_t mode) override {
    return change(FakeOp::set_mode, name, [&](Inode& inode) {
      tree_->inodes.set_mode(inode, mode);
      return 0;
    });
  }
  Result<void> set_owner(std::string_view name, Owner owner) override {
    return change(FakeOp::set_owner, name, [&](Inode& inode) {
      if (owner.uid == FakeFile::kNobody || owner.gid == FakeFile::kNobody) return EINVAL;
      return tree_->inodes.set_owner(inode, owner);
    });
  }
  Result<void> set_mtime(std::string_view name, FileTime mtime) override {
    return change(FakeOp::set_mtime, name, [&](Inode& inode) {
      if (mtime.ns >= 1'000'000'000) return EINVAL;
      return tree_->inodes.set_mtime(inode, mtime);
    });
  }
  Result<void> strip_acl() override {
    FakeCall call(*tree_, FakeOp::strip_acl, path());
    return call.done(call.err());
  }
  Result<void> flush() override {
    FakeCall call(*tree_, FakeOp::flush, path());
    return call.done(call.err());
  }

 private:
  template <typename Action>
  Result<void> change(FakeOp op, std::string_view name, const Action& action) {
    if (!name.empty()) SSYNC_TRY_VOID(check_name(name));
    FakeCall call(*tree_, op, path(name));
    if (call.err() != 0) return call.failed();
    const InodePtr found = name.empty() ? inode_ : find(name);
    if (!found) return call.failed(ENOENT);
    return call.done(action(*found));
  }

  [[nodiscard]] InodePtr find(std::string_view name) const { return tree_->inodes.find(*inode_, name); }
  [[nodiscard]] std::string locked_path(std::string_view name) const {
    return join({Inodes::path_of(*inode_), name});
  }
  [[nodiscard]] std::string path(std::string_view name = {}) const {
    const std::lock_guard lock(tree_->mutex);
    return locked_path(name);
  }

  std::shared_ptr<FakeTree::Impl> tree_;
  InodePtr inode_;
};

std::unique_ptr<fs::Directory> fake_directory(std::shared_ptr<FakeTree::Impl> tree, InodePtr inode) {
  return std::make_unique<FakeDirectory>(std::move(tree), std::move(inode));
}

}  // namespace ssync::support
