#include "ssync/support/fake_tree.h"

#include <cerrno>
#include <utility>

#include "ssync/base/assert.h"

#include "fake_state.h"

namespace ssync::support {
namespace {

using fs::Stat;

void check(int err) {
  SSYNC_ASSERT(err == 0);
}

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text));
}

}  // namespace

FakeTree::FakeTree(const std::vector<Node>& nodes, FakeLimits limits)
    : impl_(std::make_shared<Impl>(limits)) {
  for (const Node& node : nodes)
    impl_->add(node, impl_->inodes.root());
  const int err = impl_->inodes.set_mtime(*impl_->inodes.root(), kBuiltMtime);
  SSYNC_ASSERT(err == 0);
  impl_->durable = impl_->inodes.clone_root();
}

FakeTree::~FakeTree() = default;

Result<std::unique_ptr<fs::Directory>> FakeTree::open(std::string_view location) {
  SSYNC_TRY_VOID(check_location(location));
  FakeCall call(*impl_, FakeOp::open, std::string(location));
  if (call.err() != 0) return call.failed();
  InodePtr at = impl_->inodes.root();
  for (std::string_view rest = location; !rest.empty();) {
    const std::size_t slash = std::min(rest.find('/'), rest.size());
    at = impl_->inodes.find(*at, rest.substr(0, slash));
    if (!at) return call.failed(ENOENT);
    if (at->type != Stat::Type::directory) return call.failed(ENOTDIR);
    rest.remove_prefix(std::min(slash + 1, rest.size()));
  }
  return fake_directory(impl_, at);
}

Result<fs::Volume> FakeTree::volume() {
  const std::lock_guard lock(impl_->mutex);
  return impl_->volume;
}

Result<void> FakeTree::sync() {
  FakeCall call(*impl_, FakeOp::sync, "");
  if (call.err() != 0) return call.failed();
  impl_->durable = impl_->inodes.clone_root();
  return {};
}

Result<void> FakeTree::look_at_root() {
  FakeCall call(*impl_, FakeOp::list, "");
  if (call.err() != 0) return call.failed();
  return {};
}

FileTime FakeTree::clock() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->inodes.clock;
}

void FakeTree::tick(std::chrono::nanoseconds by) {
  const std::lock_guard lock(impl_->mutex);
  FileTime& clock = impl_->inodes.clock;
  const std::int64_t ns = std::int64_t{clock.ns} + by.count();
  clock.s += ns / 1'000'000'000;
  clock.ns = static_cast<std::uint32_t>(ns % 1'000'000'000);
}

void FakeTree::set_limits(const FakeLimits& limits) {
  const std::lock_guard lock(impl_->mutex);
  impl_->inodes.limits = limits;
}

void FakeTree::set_volume(const fs::Volume& volume) {
  const std::lock_guard lock(impl_->mutex);
  impl_->volume = volume;
}

void FakeTree::set_answers(FakeAnswers answers) {
  const std::lock_guard lock(impl_->mutex);
  impl_->answers = std::move(answers);
}

void FakeTree::add(const Node& node, std::string_view location) {
  const std::lock_guard lock(impl_->mutex);
  impl_->add(node, impl_->at(location));
}

void FakeTree::write(std::string_view path, std::string_view content) {
  const std::lock_guard lock(impl_->mutex);
  const InodePtr inode = impl_->at(path);
  impl_->inodes.truncate(*inode, 0);
  check(impl_->inodes.write(*inode, 0, bytes_of(content)));
}

void FakeTree::append(std::string_view path, std::string_view content) {
  const std::lock_guard lock(impl_->mutex);
  const InodePtr inode = impl_->at(path);
  check(impl_->inodes.write(*inode, inode->size, bytes_of(content)));
}

void FakeTree::erase(std::string_view path) {
  const std::lock_guard lock(impl_->mutex);
  const PathView parts = split(path);
  impl_->inodes.erase(*impl_->at(parts.location), parts.name);
}

void FakeTree::move(std::string_view from, std::string_view to) {
  const std::lock_guard lock(impl_->mutex);
  const PathView old_path = split(from);
  const PathView new_path = split(to);
  check(impl_->inodes.rename(impl_->at(old_path.location), old_path.name, impl_->at(new_path.location),
                             new_path.name, fs::Replace::yes));
}

void FakeTree::chmod(std::string_view path, std::uint16_t mode) {
  const std::lock_guard lock(impl_->mutex);
  impl_->inodes.set_mode(*impl_->at(path), mode);
}

void FakeTree::set_unmirrored(std::string_view path, std::uint8_t bits) {
  const std::lock_guard lock(impl_->mutex);
  Inode& inode = *impl_->at(path);
  inode.unmirrored = bits;
  inode.ctime = impl_->inodes.now();
}

void FakeTree::touch(std::string_view path, FileTime mtime) {
  const std::lock_guard lock(impl_->mutex);
  const int err = impl_->inodes.set_mtime(*impl_->at(path), mtime);
  SSYNC_ASSERT(err == 0);
}

namespace {

void set_device(Inode& inode, std::uint64_t device) {
  inode.device = device;
  for (auto& [key, child] : inode.children)
    set_device(*child.inode, device);
}

void add_to_device(Inode& inode, std::uint64_t number) {
  inode.device += number;
  for (auto& [key, child] : inode.children)
    add_to_device(*child.inode, number);
}

}  // namespace

void FakeTree::mount(std::string_view path, const fs::Volume& volume) {
  const std::lock_guard lock(impl_->mutex);
  const InodePtr inode = impl_->at(path);
  SSYNC_ASSERT(inode->type == Stat::Type::directory);
  inode->mounted = volume;
  set_device(*inode, 1'000 + inode->number);
}

void FakeTree::unmount(std::string_view path) {
  const std::lock_guard lock(impl_->mutex);
  const InodePtr inode = impl_->at(path);
  SSYNC_ASSERT(inode->mounted && !path.empty());
  inode->mounted.reset();
  inode->children.clear();
  set_device(*inode, impl_->at(split(path).location)->device);
}

void FakeTree::reboot() {
  constexpr std::uint64_t kStep = 100'000;
  const std::lock_guard lock(impl_->mutex);
  add_to_device(*impl_->inodes.root(), kStep);
}

bool FakeTree::exists(std::string_view path) const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->inodes.walk(path) != nullptr;
}

Stat FakeTree::stat(std::string_view path) const {
  const std::lock_guard lock(impl_->mutex);
  return Inodes::stat(*impl_->at(path), true);
}

std::string FakeTree::read(std::string_view path) const {
  const std::lock_guard lock(impl_->mutex);
  const InodePtr inode = impl_->at(path);
  std::string content(inode->size, '\0');
  content.resize(impl_->inodes.read(*inode, 0, std::as_writable_bytes(std::span(content))));
  return content;
}

std::string FakeTree::dump(const DumpOptions& options) {
  const auto set_quiet = [&](bool quiet) {
    const std::lock_guard lock(impl_->mutex);
    impl_->quiet = quiet;
  };
  set_quiet(true);
  std::string text = support::dump(*this, options);
  set_quiet(false);
  return text;
}

void FakeTree::fail_nth(std::uint64_t n, int err) {
  SSYNC_ASSERT(n > 0);
  const std::lock_guard lock(impl_->mutex);
  impl_->failures.push_back({.remaining = n, .err = err});
}

void FakeTree::fail_nth(FakeOp op, std::uint64_t n, int err) {
  SSYNC_ASSERT(n > 0);
  const std::lock_guard lock(impl_->mutex);
  impl_->failures.push_back({.op = op, .remaining = n, .err = err});
}

void FakeTree::fail_from(std::uint64_t n, int err) {
  SSYNC_ASSERT(n > 0);
  const std::lock_guard lock(impl_->mutex);
  impl_->failures.push_back({.remaining = n, .err = err, .for_good = true});
}

void FakeTree::fail_at(FakeOp op, std::string_view path, int err) {
  const std::lock_guard lock(impl_->mutex);
  impl_->failures.push_back(
      {.op = op, .path = std::string(path), .err = err, .for_good = true, .at_path = true});
}

void FakeTree::clear_failures() {
  const std::lock_guard lock(impl_->mutex);
  impl_->failures.clear();
}

void FakeTree::lose_unsynced() {
  const std::lock_guard lock(impl_->mutex);
  impl_->inodes.restore_root(impl_->durable);
}

void FakeTree::lose_unsynced_content() {
  const std::lock_guard lock(impl_->mutex);
  impl_->inodes.restore_content(impl_->durable);
}

std::vector<FakeOperation> FakeTree::operations() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->operations;
}

std::vector<std::string> FakeTree::changes() const {
  const std::lock_guard lock(impl_->mutex);
  std::vector<std::string> texts;
  for (const FakeOperation& operation : impl_->operations) {
    if (is_change(operation.op)) texts.push_back(to_string(operation));
  }
  return texts;
}

std::uint64_t FakeTree::change_count() const {
  return changes().size();
}

void FakeTree::clear_operations() {
  const std::lock_guard lock(impl_->mutex);
  impl_->operations.clear();
}

void FakeTree::on_operation(std::function<void(const FakeOperation&)> hook) {
  const std::lock_guard lock(impl_->mutex);
  impl_->hook = std::move(hook);
}

}  // namespace ssync::support
