// Copies content inside the kernel where it can: a reflink shares the blocks and costs nothing;
// copy_file_range saves the way through user space (and shares blocks on NFS and some others); reading and
// writing works everywhere.
#include "copy.h"

#include <linux/fs.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>

#include "c_name.h"

namespace ssync::fs {
namespace {

constexpr std::uint64_t kProgressBytes = std::uint64_t{64} << 20U;
constexpr std::size_t kBufferBytes = 256 * 1024;

class Copy {
 public:
  Copy(RealFile& from, RealFile& to, const std::function<bool(std::uint64_t)>& progress)
      : from_(from), to_(to), progress_(progress) {}

  Result<void> run() {
    SSYNC_TRY(const Stat stat, from_.stat());
    const std::uint64_t size = stat.seen.values.size;
    if (size == 0) return report(0);
    if (::ioctl(to_.fd(), FICLONE, from_.fd()) == 0) return report(size);
    // Whatever the reason was, one that matters (no space, I/O) comes again below.
    SSYNC_TRY_VOID(to_.truncate(size));
    std::uint64_t at = 0;
    while (at < size) {
      SSYNC_TRY(const std::optional<File::Range> range, from_.next_data(at, size));
      if (!range) break;
      SSYNC_TRY_VOID(copy_range(*range));
      at = range->end;
    }
    // A hole at the end, as well as a cut: the latter must not pass as the former.
    SSYNC_TRY(const Stat after, from_.stat());
    if (after.seen.values.size < size) return became_shorter();
    return report(size);
  }

 private:
  static tl::unexpected<Error> became_shorter() {
    return fail(Errc::changed, "copying: the file became shorter");
  }

  Result<void> report(std::uint64_t done) {
    if (progress_ && !progress_(done)) return fail(Errc::interrupted, "copying: stopped");
    return {};
  }

  Result<void> copy_range(File::Range range) {
    while (range.begin < range.end) {
      const std::uint64_t want = std::min(range.end - range.begin, kProgressBytes);
      SSYNC_TRY(const std::uint64_t done, copy_some(range.begin, want));
      if (done == 0) return became_shorter();
      range.begin += done;
      if (range.begin - reported_ >= kProgressBytes || range.begin == range.end) {
        reported_ = range.begin;
        SSYNC_TRY_VOID(report(reported_));
      }
    }
    return {};
  }

  // Zero at the end of the file.
  Result<std::uint64_t> copy_some(std::uint64_t offset, std::uint64_t want) {
    while (in_kernel_) {
      auto in = static_cast<off_t>(offset);
      auto out = in;
      const ssize_t done = ::copy_file_range(from_.fd(), &in, to_.fd(), &out, want, 0);
      if (done > 0) return static_cast<std::uint64_t>(done);
      if (done < 0 && errno == EINTR) continue;
      if (done < 0 && (errno == ENOSPC || errno == EDQUOT || errno == EIO))
        return failed("copying", "", errno);
      // Not between these two file systems, or a kernel that answers 0 for what it cannot do (5.3 to 5.18).
      in_kernel_ = false;
    }
    return read_and_write(offset, want);
  }

  Result<std::uint64_t> read_and_write(std::uint64_t offset, std::uint64_t want) {
    if (!buffer_) buffer_ = std::make_unique<std::array<std::byte, kBufferBytes>>();
    const std::span<std::byte> into =
        std::span<std::byte>(*buffer_).first(std::min<std::uint64_t>(want, kBufferBytes));
    SSYNC_TRY(const std::size_t got, from_.read_at(offset, into));
    SSYNC_TRY_VOID(to_.write_at(offset, into.first(got)));
    return std::uint64_t{got};
  }

  RealFile& from_;
  RealFile& to_;
  const std::function<bool(std::uint64_t)>& progress_;
  std::unique_ptr<std::array<std::byte, kBufferBytes>> buffer_;
  std::uint64_t reported_ = 0;
  bool in_kernel_ = true;
};

}  // namespace

Result<void> copy_file(RealFile& from, RealFile& to, const std::function<bool(std::uint64_t)>& progress) {
  return Copy(from, to, progress).run();
}

}  // namespace ssync::fs
