#include "inode_runs.h"

#include <algorithm>
#include <utility>

namespace ssync::index {
namespace {

constexpr std::size_t kMergeBytes = 4 * 1024 * 1024;  // of all runs' buffers together
constexpr std::size_t kLeastBytes = 4 * 1024;         // of one

bool is_before(const InodeRef& a, const InodeRef& b) noexcept {
  // Offsets of one inode ascend without their device's tag.
  return a.inode != b.inode ? a.inode < b.inode
                            : (a.block_and_device & kOffsetMax) < (b.block_and_device & kOffsetMax);
}

}  // namespace

/// Reads one run.
class InodeRuns::Cursor {
 public:
  /// The refs [begin, end) of the file.
  Cursor(int fd, std::uint64_t begin, std::uint64_t end, std::size_t buffer_bytes)
      : fd_(fd), next_(begin), end_(end), bytes_(buffer_bytes / kInodeBytes * kInodeBytes) {}

  /// To the next one, at first to the first. False: there is none.
  [[nodiscard]] Result<bool> advance() {
    if (in_.left() == 0) {
      if (next_ == end_) return false;
      const auto refs = std::min<std::uint64_t>(end_ - next_, bytes_.size() / kInodeBytes);
      const auto block = std::span(bytes_).first(static_cast<std::size_t>(refs) * kInodeBytes);
      SSYNC_TRY(const std::size_t got, read_at(fd_, next_ * kInodeBytes, block));
      if (got != block.size()) return fail(Errc::corrupt, "a temporary file of the index has become shorter");
      next_ += refs;
      in_ = In(block);
    }
    ref_.inode = in_.fixed<std::uint64_t>();
    ref_.block_and_device = in_.fixed<std::uint64_t>();
    return true;
  }
  [[nodiscard]] const InodeRef& ref() const noexcept { return ref_; }

 private:
  int fd_;
  std::uint64_t next_, end_;
  std::vector<std::uint8_t> bytes_;
  In in_;
  InodeRef ref_;
};

Result<void> InodeRuns::add(const InodeRef& ref) {
  held_.push_back(ref);
  return held_.size() < kRunRefs ? Result<void>() : write_run();
}

void InodeRuns::sort_held() {
  std::sort(held_.begin(), held_.end(), is_before);
}

Result<void> InodeRuns::write_run() {
  if (!fd_) {
    const std::string name = files_.base_name() + ".inodes";
    SSYNC_TRY(fd_, files_.create_temporary(name));
    // Nobody else needs its name, and so nothing of it stays, whatever ends this process.
    SSYNC_TRY_VOID(files_.remove(StateFiles::temporary_name(name)));
  }
  sort_held();
  Out bytes;
  bytes.ensure(held_.size() * kInodeBytes);
  for (const InodeRef& ref : held_) {
    bytes.fixed(ref.inode);
    bytes.fixed(ref.block_and_device);
  }
  if (Result<void> written = write_all(fd_.get(), bytes.view()); !written)
    return fail(context(std::move(written).error(), "writing beside " + files_.path_of(files_.base_name())));
  written_ += held_.size();
  run_ends_.push_back(written_);
  held_.clear();
  return {};
}

Result<void> InodeRuns::take(const std::function<Result<void>(const InodeRef&)>& visit) {
  if (!run_ends_.empty()) {
    if (!held_.empty()) SSYNC_TRY_VOID(write_run());
    held_ = std::vector<InodeRef>();  // its memory, too
    return merge(visit);
  }
  sort_held();
  for (const InodeRef& ref : std::exchange(held_, {}))
    SSYNC_TRY_VOID(visit(ref));
  return {};
}

Result<void> InodeRuns::merge(const std::function<Result<void>(const InodeRef&)>& visit) {
  const std::size_t buffer = std::max(kLeastBytes, kMergeBytes / run_ends_.size());
  std::vector<Cursor> cursors;
  cursors.reserve(run_ends_.size());
  std::uint64_t begin = 0;
  for (const std::uint64_t end : std::exchange(run_ends_, {})) {
    cursors.emplace_back(fd_.get(), begin, end, buffer);
    SSYNC_TRY([[maybe_unused]] const bool is_any, cursors.back().advance());
    begin = end;
  }
  // A heap of the cursors that have something left, the least on top.
  const auto is_after = [](const Cursor* a, const Cursor* b) { return is_before(b->ref(), a->ref()); };
  std::vector<Cursor*> heap;
  heap.reserve(cursors.size());
  for (Cursor& cursor : cursors)
    heap.push_back(&cursor);
  std::make_heap(heap.begin(), heap.end(), is_after);
  while (!heap.empty()) {
    std::pop_heap(heap.begin(), heap.end(), is_after);
    SSYNC_TRY_VOID(visit(heap.back()->ref()));
    SSYNC_TRY(const bool goes_on, heap.back()->advance());
    if (goes_on) {
      std::push_heap(heap.begin(), heap.end(), is_after);
    } else {
      heap.pop_back();
    }
  }
  written_ = 0;
  fd_ = UniqueFd();
  return {};
}

}  // namespace ssync::index
