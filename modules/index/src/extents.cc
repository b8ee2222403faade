#include "extents.h"

#include <algorithm>

#include "state_files.h"

namespace ssync::index {

std::optional<FileBytes> Extents::read(std::uint64_t offset, std::size_t count, Access access) const {
  if (offset > end_ || count > end_ - offset) return std::nullopt;
  std::shared_ptr<const Extent> found;
  {
    MutexLock lock(mutex_);
    for (const std::shared_ptr<const Extent>& extent : kept_)
      if (extent && extent->holds(offset, count)) found = extent;
  }
  if (!found) {
    found = load(offset, count, access);
    if (!found) return std::nullopt;
    if (access == Access::in_order) {
      MutexLock lock(mutex_);
      kept_[next_] = found;
      next_ = (next_ + 1) % kKept;
    }
  }
  const ByteSpan bytes(found->bytes() + (offset - found->begin), count);
  return FileBytes{std::move(found), bytes};
}

std::shared_ptr<const Extents::Extent> Extents::load(std::uint64_t offset, std::size_t count,
                                                     Access access) const {
  const std::size_t ahead = access == Access::in_order ? kExtentBytes : kRandomBytes;
  auto extent = std::make_shared<Extent>();
  extent->begin = offset;
  extent->size = static_cast<std::size_t>(std::min<std::uint64_t>(std::max(count, ahead), end_ - offset));
  std::optional<Buffer> pooled;
  if (access == Access::in_order && extent->size <= kExtentBytes) pooled = pool_.try_take();
  extent->buffer = pooled ? *std::move(pooled) : Buffer::allocate(extent->size);
  const std::span<std::byte> room = extent->buffer.writable().first(extent->size);
  const Result<std::size_t> got =
      read_at(fd_, offset, {reinterpret_cast<std::uint8_t*>(room.data()), room.size()});
  if (!got || *got < count) return nullptr;
  extent->size = *got;
  return extent;
}

}  // namespace ssync::index
