#include "fake_state.h"

#include <cerrno>
#include <utility>

#include "ssync/base/assert.h"
#include "ssync/fs/staging.h"

namespace ssync::support {
namespace {

constexpr std::string_view kNames[] = {
    "open",      "list",           "stat",        "read_link", "unmirrored",
    "open_file", "read",           "create_file", "write",     "truncate",
    "copy",      "make_directory", "make_link",   "remove",    "remove_directory",
    "rename",    "set_mode",       "set_owner",   "set_mtime", "strip_acl",
    "sync",      "flush"};

std::string shown(std::string_view path) {
  const std::string_view first = path.substr(0, path.find('/'));
  if (fs::is_staging_name(first)) return ".server-sync.*" + escape(path.substr(first.size()));
  return path.empty() ? "." : escape(path);
}

void check(int err) {
  SSYNC_ASSERT(err == 0);
}

}  // namespace

std::string_view name_of(FakeOp op) noexcept {
  return kNames[static_cast<std::size_t>(op)];
}

std::string to_string(const FakeOperation& operation) {
  std::string text(name_of(operation.op));
  if (operation.op != FakeOp::sync) text += " " + shown(operation.path);
  if (operation.op == FakeOp::rename) text += " -> " + shown(operation.to);
  if (operation.failed) text += " failed";
  return text;
}

FakeTree::Impl::Impl(const FakeLimits& limits) : inodes(limits) {
  volume.type = 0xFA4E;
  volume.id = 1;
  volume.type_name = "fake";
  volume.names_move_ctime = true;
  volume.bytes_available = std::uint64_t{1} << 40U;
}

int FakeTree::Impl::planned_failure(FakeOp op, std::string_view path) {
  if (is_change(op) && op != FakeOp::sync && inodes.limits.read_only) return EROFS;
  int err = 0;
  for (auto at = failures.begin(); at != failures.end();) {
    const bool matches = at->op ? *at->op == op && (!at->at_path || at->path == path) : is_change(op);
    const bool now = matches && (at->remaining == 0 || --at->remaining == 0);
    if (now && err == 0) err = at->err;
    at = now && !at->for_good ? failures.erase(at) : at + 1;
  }
  return err;
}

InodePtr FakeTree::Impl::at(std::string_view path) const {
  InodePtr inode = inodes.walk(path);
  SSYNC_ASSERT(inode != nullptr);
  return inode;
}

void FakeTree::Impl::add(const Node& node, const InodePtr& in) {
  inodes.erase(*in, node.name);
  InodePtr made;
  switch (node.type) {
    case Node::Type::file:
      check(inodes.create(in, node.name, fs::Stat::Type::file, node.mode, made));
      break;
    case Node::Type::directory:
      check(inodes.create(in, node.name, fs::Stat::Type::directory, node.mode, made));
      break;
    case Node::Type::symlink:
      check(inodes.create(in, node.name, fs::Stat::Type::symlink, 0777, made));
      break;
    case Node::Type::special:
      check(inodes.create(in, node.name, fs::Stat::Type::other, node.mode, made));
      break;
    case Node::Type::hard_link:
      return check(inodes.link(in, node.name, at(node.text)));
  }
  if (node.type == Node::Type::symlink) made->target = node.text;
  if (node.type == Node::Type::file) {
    check(inodes.write(*made, 0, std::as_bytes(std::span(node.text))));
    if (node.size > node.text.size()) inodes.truncate(*made, node.size);
  }
  for (const Node& child : node.children)
    add(child, made);
  if (node.owner) made->owner = *node.owner;
  inodes.set_mode(*made, node.mode);
  const int time_err = inodes.set_mtime(*made, node.mtime);
  SSYNC_ASSERT(time_err == 0);
}

FakeCall::FakeCall(FakeTree::Impl& tree, FakeOp op, std::string path, std::string to)
    : tree_(tree), operation_{op, std::move(path), std::move(to)} {
  std::function<void(const FakeOperation&)> hook;
  {
    const std::lock_guard lock(tree.mutex);
    if (!tree.quiet) hook = tree.hook;
  }
  if (hook) hook(operation_);
  lock_ = std::unique_lock(tree.mutex);
  if (tree.quiet) return;
  tree.operations.push_back(operation_);
  index_ = tree.operations.size() - 1;
  err_ = tree.planned_failure(operation_.op, operation_.path);
}

}  // namespace ssync::support
