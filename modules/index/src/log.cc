#include "log.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include <fmt/format.h>

namespace ssync::index {

namespace {

// Lowest bits of a value in the map.
enum Mark : std::uint64_t { kRecord = 1, kRemoved = 2, kUnreadable = 3 };
constexpr std::uint64_t kMarkMask = 3;

constexpr std::uint64_t map_value(std::uint64_t offset, Mark mark) noexcept {
  return (offset << 2) | mark;
}
constexpr std::uint64_t offset_of(std::uint64_t value) noexcept {
  return value >> 2;
}

/// A file's bytes through one buffer that moves forward.
class Window {
 public:
  Window(int fd, std::uint64_t size) : fd_(fd), size_(size) {}
  [[nodiscard]] std::uint64_t size() const noexcept { return size_; }
  /// Requires: [offset, offset + count) is in the file, count at most kBytes. Empty when the disk fails.
  [[nodiscard]] ByteSpan at(std::uint64_t offset, std::size_t count) {
    if (offset < begin_ || offset + count > begin_ + filled_) {
      buffer_.resize(kBytes);
      const Result<std::size_t> got = read_at(fd_, offset, buffer_);
      begin_ = offset;
      filled_ = got ? *got : 0;
      if (filled_ < count) return {};
    }
    return ByteSpan(buffer_).subspan(static_cast<std::size_t>(offset - begin_), count);
  }

 private:
  static constexpr std::size_t kBytes = 1024 * 1024;
  static_assert(kBytes > kLogFrameBytes + kLogPayloadMax);

  int fd_;
  std::uint64_t size_;
  std::uint64_t begin_ = 0;
  std::size_t filled_ = 0;
  std::vector<std::uint8_t> buffer_;
};

/// Two processes may append to one log (one source, two mirrors); a lock keeps records whole. Where a file
/// system has no locks, a mixed-up record fails its checksum.
class FileLock {
 public:
  explicit FileLock(int fd) : fd_(fd) {
    while (::flock(fd_, LOCK_EX) != 0 && errno == EINTR) {
    }
  }
  ~FileLock() { ::flock(fd_, LOCK_UN); }
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

 private:
  int fd_;
};

}  // namespace

Result<std::unique_ptr<Log>> Log::open(const StateFiles& files, std::uint64_t generation,
                                       std::shared_ptr<Damage> damage) {
  std::unique_ptr<Log> log(new Log(files, generation, std::move(damage)));
  SSYNC_TRY_VOID(log->replay());
  return log;
}

Result<void> Log::replay() {
  MutexLock lock(mutex_);
  Result<UniqueFd> opened = files_.open_existing(files_.log_name(), O_RDWR | O_APPEND);
  if (!opened && (opened.error().code == Errc::permission || opened.error().code == Errc::read_only)) {
    read_only_ = opened.error();
    opened = files_.open_existing(files_.log_name(), O_RDONLY);
  }
  if (!opened && opened.error().code == Errc::corrupt) {
    damage_->add("the log of the index is no file");
    return {};
  }
  SSYNC_TRY(UniqueFd fd, std::move(opened));
  if (!fd) return {};
  const FileLock file_lock(fd.get());
  SSYNC_TRY(const std::uint64_t size, size_of(fd.get()));
  std::array<std::uint8_t, kLogHeadBytes> head{};
  const Result<std::size_t> got = read_at(fd.get(), 0, head);
  const std::optional<std::uint64_t> generation =
      got && *got == head.size() ? parse_log_head(head) : std::optional<std::uint64_t>();
  if (!generation) damage_->add("the log of the index does not start as one of this version");
  if (!generation || *generation != generation_) return {};
  fd_ = std::move(fd);
  return replay_frames(size);
}

// A record counts when it and its frame are whole. What is not, with nothing whole behind it, is an append
// that a crash cut short: cut off. In the middle it is damage. Then a path whose frame is whole is unknown;
// if that is lost too, the base, or an older record, answers for the path: it tells the truth about a stat
// that the entry has no more.
Result<void> Log::replay_frames(std::uint64_t file_size) {
  Window window(fd_.get(), file_size);
  std::vector<LogFrame> unreadable;
  std::uint64_t lost_since = 0;  // 0: nothing lost since the last whole record
  end_ = kLogHeadBytes;
  for (std::uint64_t at = kLogHeadBytes; at + kLogFrameBytes <= file_size;) {
    const ByteSpan head = window.at(at, kLogFrameBytes);
    if (head.empty()) break;  // the disk fails: as if the log ended here
    const std::optional<LogFrame> frame = parse_frame(head, generation_);
    if (!frame || frame->length > file_size - at - kLogFrameBytes) {
      if (lost_since == 0) lost_since = at;
      ++at;
      continue;
    }
    const ByteSpan payload = window.at(at + kLogFrameBytes, frame->length);
    if (payload.size() != frame->length || payload_checksum(payload) != frame->payload_checksum) {
      if (lost_since == 0) lost_since = at;
      unreadable.push_back(*frame);
    } else {
      if (lost_since != 0) {
        damage_->add(fmt::format("the log of the index is damaged at byte {}", lost_since));
        for (const LogFrame& lost : unreadable)
          if (lost.kind != LogKind::header) map_.insert(lost.hash, map_value(at, kUnreadable));
      }
      unreadable.clear();
      lost_since = 0;
      if (frame->kind == LogKind::header) {
        replay_header(payload);
      } else {
        replay_entry(*frame, payload, at);
      }
      end_ = at + kLogFrameBytes + frame->length;
    }
    at += kLogFrameBytes + frame->length;
  }
  known_end_ = end_;
  empty_.store(map_.size() == 0, std::memory_order_release);
  // On failure (a read-only log) the tail stays; appending will say so.
  if (end_ < file_size && ::ftruncate(fd_.get(), static_cast<off_t>(end_)) != 0) return {};
  return {};
}

void Log::replay_header(ByteSpan payload) {
  In in(payload);
  Header header;
  if (decode_header(in, header) && in.left() == 0) {
    header_ = std::move(header);
  } else {
    damage_->add("a header in the log of the index makes no sense");
  }
}

void Log::replay_entry(const LogFrame& frame, ByteSpan payload, std::uint64_t offset) const {
  LogEntry entry;
  const bool valid = parse_entry(payload, frame.kind, entry) &&
                     path_hash(location_hash(entry.path.location), entry.path.name) == frame.hash;
  if (valid) {
    // The path's views point into the payload, which remember() does not move.
    remember(frame.hash, entry.path, frame.kind, offset);
  } else {
    map_.insert(frame.hash, map_value(offset, kUnreadable));
  }
}

void Log::remember(std::uint64_t hash, PathView path, LogKind kind, std::uint64_t offset) const {
  const std::uint64_t value = map_value(offset, kind == LogKind::record ? kRecord : kRemoved);
  // The analysis does not see that the lambda runs here, with the mutex held.
  std::uint64_t* known = map_.find(hash, [&](std::uint64_t other) SSYNC_NO_THREAD_SAFETY_ANALYSIS {
    LogEntry entry;
    if ((other & kMarkMask) == kUnreadable || !read(offset_of(other), entry)) return true;
    return entry.path == path;
  });
  if (known != nullptr) {
    *known = value;
  } else {
    map_.insert(hash, value);
  }
}

// Puts into the table what was appended while nobody asked; another process may have appended in front of
// that.
void Log::catch_up() const {
  unasked_ = 0;
  if (known_end_ < end_) {
    Window window(fd_.get(), end_);
    catch_up(end_, [&](std::uint64_t at, std::size_t count) { return window.at(at, count); });
  }
  catch_up(end_ + pending_.size(), [&](std::uint64_t at, std::size_t count) SSYNC_NO_THREAD_SAFETY_ANALYSIS {
    return pending_.view().subspan(static_cast<std::size_t>(at - end_), count);
  });
}

template <typename BytesAt>
void Log::catch_up(std::uint64_t end, BytesAt&& bytes_at) const {
  while (known_end_ + kLogFrameBytes <= end) {
    const std::uint64_t at = known_end_;
    const ByteSpan head = bytes_at(at, kLogFrameBytes);
    if (head.empty()) {  // the disk fails: nobody knows any more of which paths there was something
      if (!std::exchange(lost_, true)) damage_->add(fmt::format("the log cannot be read at byte {}", at));
      break;
    }
    const std::optional<LogFrame> frame = parse_frame(head, generation_);
    if (!frame || frame->length > end - at - kLogFrameBytes) {
      ++known_end_;  // another process's, cut off
      continue;
    }
    if (frame->kind != LogKind::header) {
      const ByteSpan payload = bytes_at(at + kLogFrameBytes, frame->length);
      if (payload.size() == frame->length && payload_checksum(payload) == frame->payload_checksum) {
        replay_entry(*frame, payload, at);
      } else {
        map_.insert(frame->hash, map_value(at, kUnreadable));
      }
    }
    known_end_ = at + kLogFrameBytes + frame->length;
  }
  known_end_ = end;
}

bool Log::read_bytes(std::uint64_t offset, std::span<std::uint8_t> into) const {
  if (offset >= end_) {
    const std::uint64_t begin = offset - end_;
    if (begin > pending_.size() || into.size() > pending_.size() - begin) return false;
    std::copy_n(pending_.view().begin() + static_cast<std::ptrdiff_t>(begin), into.size(), into.begin());
    return true;
  }
  return read_file(offset, into);
}

bool Log::read_file(std::uint64_t offset, std::span<std::uint8_t> into) const {
  if (into.size() > window_.size()) {
    const Result<std::size_t> got = read_at(fd_.get(), offset, into);
    return got && *got == into.size();
  }
  if (offset < window_begin_ || offset + into.size() > window_begin_ + window_size_) {
    const Result<std::size_t> got = read_at(fd_.get(), offset, window_);
    window_begin_ = offset;
    window_size_ = got ? *got : 0;
    if (into.size() > window_size_) return false;
  }
  std::copy_n(window_.begin() + static_cast<std::ptrdiff_t>(offset - window_begin_), into.size(),
              into.begin());
  return true;
}

// The entry's views point into payload_.
std::optional<LogFrame> Log::read(std::uint64_t offset, LogEntry& entry) const {
  std::array<std::uint8_t, kLogFrameBytes> head{};
  if (!read_bytes(offset, head)) return std::nullopt;
  const std::optional<LogFrame> frame = parse_frame(head, generation_);
  if (!frame || frame->kind == LogKind::header) return std::nullopt;
  payload_.resize(frame->length);
  if (!read_bytes(offset + kLogFrameBytes, payload_) ||
      payload_checksum(payload_) != frame->payload_checksum || !parse_entry(payload_, frame->kind, entry))
    return std::nullopt;
  return frame;
}

Log::Found Log::find(std::uint64_t hash, PathView path, Record& record) const {
  MutexLock lock(mutex_);
  catch_up();
  Found found = Found::none;
  LogEntry entry;
  // The analysis does not see that the lambda runs here, with the mutex held.
  const std::uint64_t* value = map_.find(hash, [&](std::uint64_t candidate) SSYNC_NO_THREAD_SAFETY_ANALYSIS {
    if ((candidate & kMarkMask) == kUnreadable || !read(offset_of(candidate), entry)) {
      found = Found::unreadable;
      return true;
    }
    return entry.path == path;
  });
  if (value == nullptr) return lost_ ? Found::unreadable : Found::none;
  if (found == Found::unreadable) return found;
  if (entry.removed) return Found::removed;
  record = entry.record;
  return Found::record;
}

std::optional<Header> Log::header() const {
  MutexLock lock(mutex_);
  return header_;
}

std::uint64_t Log::size_bytes() const {
  MutexLock lock(mutex_);
  return end_ - kLogHeadBytes + pending_.size();
}

std::uint64_t Log::mark() const {
  MutexLock lock(mutex_);
  return end_ + pending_.size();
}

Result<void> Log::append(PathView path, const Record* record) {
  MutexLock lock(mutex_);
  const std::size_t before = pending_.size();
  append_entry(pending_, path, record, generation_);
  if (known_end_ == end_ + before && unasked_ < kUnasked) {
    const std::uint64_t hash = path_hash(location_hash(path.location), path.name);
    remember(hash, path, record != nullptr ? LogKind::record : LogKind::removed, end_ + before);
    known_end_ = end_ + pending_.size();
  }
  ++unasked_;
  empty_.store(false, std::memory_order_release);
  return after_append(before);
}

Result<void> Log::append_header(const Header& header) {
  MutexLock lock(mutex_);
  const std::size_t before = pending_.size();
  SSYNC_TRY_VOID(append_header_frame(pending_, header, generation_));
  if (known_end_ == end_ + before) known_end_ = end_ + pending_.size();
  header_ = header;
  return after_append(before);
}

// Writes when a good deal is pending. A disk that is full just now is no reason to stop, until too much has
// come together.
Result<void> Log::after_append(std::size_t before) {
  if (before / kPendingFlush == pending_.size() / kPendingFlush) return {};
  Result<void> written = write_pending();
  return pending_.size() > kPendingMax ? written : Result<void>{};
}

Result<void> Log::flush(Index::Durable durable) {
  MutexLock lock(mutex_);
  SSYNC_TRY_VOID(write_pending());
  if (durable == Index::Durable::no || !unflushed_) return {};
  SSYNC_TRY_VOID(sync_file(fd_.get()));
  SSYNC_TRY_VOID(files_.sync_directory());
  unflushed_ = false;
  return {};
}

Result<void> Log::open_for_appending() {
  SSYNC_TRY(UniqueFd fd, files_.create_temporary(files_.log_name()));
  std::array<std::uint8_t, kLogHeadBytes> head{};
  put_log_head(head.data(), generation_);
  SSYNC_TRY_VOID(write_all(fd.get(), head));
  if (::fcntl(fd.get(), F_SETFL, O_APPEND) != 0) return fail(errno_error("fcntl F_SETFL", errno));
  SSYNC_TRY_VOID(files_.replace(files_.log_name()));
  fd_ = std::move(fd);
  window_size_ = 0;
  return {};
}

Result<void> Log::write_pending() {
  if (pending_.size() == 0) return {};
  const auto in_context = [&](Error error) {
    return fail(context(std::move(error), "writing " + files_.path_of(files_.log_name())));
  };
  if (fd_ && read_only_) return in_context(*read_only_);
  if (!fd_) {
    if (Result<void> opened = open_for_appending(); !opened) return in_context(std::move(opened).error());
  }
  const FileLock file_lock(fd_.get());
  SSYNC_TRY(const std::uint64_t size, size_of(fd_.get()));
  if (size != end_) {
    move_pending(end_, size);
    end_ = size;
  }
  if (Result<void> written = write_all(fd_.get(), pending_.view()); !written) {
    // A part that stays behind would be damage in the middle once more is appended; it fails its checksum
    // then.
    if (::ftruncate(fd_.get(), static_cast<off_t>(end_)) != 0)
      damage_->add("a cut-off record stays in the log");
    return in_context(std::move(written).error());
  }
  end_ += pending_.size();
  pending_.clear();
  unflushed_ = true;
  return {};
}

// Another process appended before us: what is pending will lie further on than was thought.
void Log::move_pending(std::uint64_t from, std::uint64_t to) {
  for (std::size_t at = 0; at < pending_.size();) {
    const std::optional<LogFrame> frame = parse_frame(pending_.view().subspan(at), generation_);
    SSYNC_ASSERT(frame.has_value());
    std::uint64_t* value =
        map_.find(frame->hash, [&](std::uint64_t candidate) { return offset_of(candidate) == from + at; });
    if (value != nullptr) *value = ((to + at) << 2) | (*value & kMarkMask);
    at += kLogFrameBytes + frame->length;
  }
  if (known_end_ > from) known_end_ += to - from;
}

// The new log is another one, filled from what is left of this one; so memory does not depend on how much
// that is. What cannot be written stays pending, and is the Error at the end.
Result<void> Log::restart(std::uint64_t generation, std::uint64_t mark, const Header* header) {
  MutexLock lock(mutex_);
  map_.clear();
  Log next(files_, generation, damage_);
  Result<void> written;
  const auto keep_error = [&](Result<void> appended) {
    if (!appended && written) written = std::move(appended);
  };
  if (header != nullptr) keep_error(next.append_header(*header));
  LogEntry entry;
  for (std::uint64_t at = mark; at < end_ + pending_.size();) {
    const std::optional<LogFrame> frame = read(at, entry);
    if (!frame) {  // a header, or (another process appended too) not the start of a frame
      ++at;
      continue;
    }
    keep_error(next.append(entry.path, entry.removed ? nullptr : &entry.record));
    at += kLogFrameBytes + frame->length;
  }
  keep_error(next.flush(Index::Durable::no));
  const bool has_file = next.take_over_by(*this);
  if (!has_file && written) return files_.remove(files_.log_name());
  return written;
}

// `other` is locked by the caller. True when there is a file.
bool Log::take_over_by(Log& other) SSYNC_NO_THREAD_SAFETY_ANALYSIS {
  other.generation_ = generation_;
  other.fd_ = std::move(fd_);
  other.read_only_ = std::move(read_only_);
  other.end_ = end_;
  other.pending_ = std::move(pending_);
  other.header_ = std::move(header_);
  other.map_ = std::move(map_);
  other.known_end_ = known_end_;
  other.unasked_ = unasked_;
  other.lost_ = lost_;
  other.empty_.store(empty_.load(std::memory_order_relaxed), std::memory_order_release);
  other.window_size_ = 0;
  other.unflushed_ = unflushed_;
  return static_cast<bool>(other.fd_);
}

}  // namespace ssync::index
