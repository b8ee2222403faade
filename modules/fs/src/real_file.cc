#include "real_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <limits>

#include "c_name.h"
#include "copy.h"
#include "metadata.h"
#include "stat.h"

namespace ssync::fs {
namespace {

// The system's offsets are signed; what a peer says is checked here before it becomes negative.
constexpr std::uint64_t kOffsetMax = std::numeric_limits<off_t>::max();

}  // namespace

RealFile::~RealFile() {
  if (unflushed_ == nullptr) return;
  if (Result<void> flushed = flush(); !flushed) unflushed_->failed(std::move(flushed).error());
}

Result<std::size_t> RealFile::read_at(std::uint64_t offset, std::span<std::byte> into) {
  if (offset > kOffsetMax) return std::size_t{0};
  std::size_t done = 0;
  while (done < into.size()) {
    const ssize_t got =
        ::pread(fd_.get(), into.data() + done, into.size() - done, static_cast<off_t>(offset + done));
    if (got == 0) break;
    if (got > 0) {
      done += static_cast<std::size_t>(got);
    } else if (errno != EINTR) {
      return failed("reading", "", errno);
    }
  }
  return done;
}

Result<void> RealFile::write_at(std::uint64_t offset, std::span<const std::byte> from) {
  if (offset > kOffsetMax || from.size() > kOffsetMax - offset) return failed("writing", "", EFBIG);
  while (!from.empty()) {
    const ssize_t put = ::pwrite(fd_.get(), from.data(), from.size(), static_cast<off_t>(offset));
    // Zero bytes without an errno would be a loop without end.
    if (put == 0) return failed("writing", "", EIO);
    if (put > 0) {
      offset += static_cast<std::size_t>(put);
      from = from.subspan(static_cast<std::size_t>(put));
    } else if (errno != EINTR) {
      return failed("writing", "", errno);
    }
  }
  return {};
}

Result<void> RealFile::truncate(std::uint64_t size) {
  if (size > kOffsetMax) return failed("setting the size", "", EFBIG);
  while (::ftruncate(fd_.get(), static_cast<off_t>(size)) != 0) {
    if (errno != EINTR) return failed("setting the size", "", errno);
  }
  return {};
}

Result<std::optional<File::Range>> RealFile::next_data(std::uint64_t offset, std::uint64_t size) {
  if (offset >= size || offset > kOffsetMax) return std::optional<Range>{};
  const off_t begin = ::lseek(fd_.get(), static_cast<off_t>(offset), SEEK_DATA);
  if (begin < 0 && errno == ENXIO) return std::optional<Range>{};
  if (begin < 0 && (errno == EINVAL || errno == EOPNOTSUPP)) return Range{offset, size};
  if (begin < 0) return failed("looking for data", "", errno);
  if (static_cast<std::uint64_t>(begin) >= size) return std::optional<Range>{};
  // ENXIO here: the file was cut since; the reader will notice.
  const off_t end = ::lseek(fd_.get(), begin, SEEK_HOLE);
  const std::uint64_t limit = end > begin ? std::min(static_cast<std::uint64_t>(end), size) : size;
  return Range{static_cast<std::uint64_t>(begin), limit};
}

Result<Stat> RealFile::stat() {
  if (opened_) return *std::exchange(opened_, std::nullopt);
  Stat got;
  if (const int err = stat_fd(fd_.get(), WithBirth::no, got); err != 0)
    return failed("reading the attributes", "", err);
  return got;
}

Result<void> RealFile::set_mode(std::uint16_t mode) {
  if (::fchmod(fd_.get(), mode & 07777U) != 0) return failed("setting the mode", "", errno);
  return {};
}

Result<void> RealFile::set_owner(Owner owner) {
  SSYNC_TRY_VOID(check_owner(owner));
  if (::fchown(fd_.get(), owner.uid, owner.gid) != 0) return failed("setting the owner", "", errno);
  return {};
}

Result<void> RealFile::set_mtime(FileTime mtime) {
  SSYNC_TRY_VOID(check_mtime(mtime));
  if (::futimens(fd_.get(), times_of(mtime, atime_).data()) != 0)
    return failed("setting the time", "", errno);
  return {};
}

Result<void> RealFile::flush() {
  if (::fsync(fd_.get()) != 0) return failed("flushing", "", errno);
  return {};
}

Result<void> RealFile::copy_content(File& from, const std::function<bool(std::uint64_t)>& progress) {
  auto* const source = dynamic_cast<RealFile*>(&from);
  if (source == nullptr) return fail(Errc::invalid_argument, "copying: not a file of the same kind of tree");
  return copy_file(*source, *this, progress);
}

}  // namespace ssync::fs
