#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <cstring>
#include <span>
#include <string>
#include <utility>

#define XXH_STATIC_LINKING_ONLY
#include <xxhash.h>
#if defined(__x86_64__) && __has_include(<xxh_x86dispatch.h>)
#include <xxh_x86dispatch.h>
#endif

#include "ssync/base/unique_fd.h"

#include "floor.h"

namespace ssync::floor {
namespace {

constexpr std::size_t kBufferBytes = 512 * 1024;

enum class What : std::uint32_t { enter, directory, link, file };

/// Before each name; then comes a link's target or a file's content.
struct Head {
  What what = What::enter;
  std::uint32_t name_bytes = 0;
  std::uint64_t size = 0;
  mode_t mode = 0;
  struct timespec mtime {};
};

/// What a checksum is worth here: it was computed.
volatile std::uint64_t checksums = 0;

void add_checksum(Promises promises, const char* bytes, std::size_t size) {
  if (promises == Promises::kept) checksums = checksums ^ XXH3_128bits(bytes, size).low64;
}

void look_at(Promises promises, int file) {
  struct stat status {};
  if (promises == Promises::kept && ::fstat(file, &status) != 0) die("stat");
}

class Sender {
 public:
  Sender(UniqueFd socket, Promises promises) : socket_(std::move(socket)), promises_(promises) {}
  void send_tree(const char* source) {
    const UniqueFd root(open_directory(AT_FDCWD, source));
    std::vector<std::string> waiting{"."};
    while (!waiting.empty()) {
      const std::string path = std::exchange(waiting.back(), {});
      waiting.pop_back();
      send_directory(root.get(), path, waiting);
    }
    flush();
  }

 private:
  void flush() {
    for (std::size_t at = 0; at < used_;) {
      const ssize_t sent = ::send(socket_.get(), &buffer_[at], used_ - at, MSG_NOSIGNAL);
      if (sent <= 0) die("send");
      at += static_cast<std::size_t>(sent);
    }
    used_ = 0;
  }
  std::span<char> room() {
    if (used_ == buffer_.size()) flush();
    return std::span(buffer_).subspan(used_);
  }
  void put(const void* bytes, std::size_t size) {
    if (buffer_.size() - used_ < size) flush();
    std::memcpy(&buffer_[used_], bytes, size);
    used_ += size;
  }
  void put_head(What what, const std::string& name, const struct stat& status, std::uint64_t size) {
    const Head head{what, static_cast<std::uint32_t>(name.size()), size, status.st_mode & 07777U,
                    status.st_mtim};
    put(&head, sizeof head);
    put(name.data(), name.size());
  }
  void send_directory(int root, const std::string& path, std::vector<std::string>& waiting) {
    const UniqueFd directory(open_directory(root, path));
    put_head(What::enter, path, {}, 0);
    for (const Entry& entry : entries_of(directory.get())) {
      if (S_ISDIR(entry.status.st_mode)) {
        waiting.push_back(path + "/" + entry.name);
        put_head(What::directory, entry.name, entry.status, 0);
      } else if (S_ISLNK(entry.status.st_mode)) {
        char target[PATH_MAX];
        const ssize_t size = ::readlinkat(directory.get(), entry.name.c_str(), target, sizeof target);
        if (size < 0) die(entry.name);
        put_head(What::link, entry.name, entry.status, static_cast<std::uint64_t>(size));
        put(target, static_cast<std::size_t>(size));
      } else if (S_ISREG(entry.status.st_mode)) {
        send_file(directory.get(), entry);
      }
    }
  }
  void send_file(int directory, const Entry& entry) {
    const UniqueFd file(::openat(directory, entry.name.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
    if (!file) die(entry.name);
    look_at(promises_, file.get());
    const auto size = static_cast<std::uint64_t>(entry.status.st_size);
    put_head(What::file, entry.name, entry.status, size);
    for (std::uint64_t at = 0; at < size;) {
      std::span<char> space = room();
      space = space.first(static_cast<std::size_t>(std::min<std::uint64_t>(space.size(), size - at)));
      const ssize_t got = ::pread(file.get(), space.data(), space.size(), static_cast<off_t>(at));
      if (got <= 0) die(entry.name);
      add_checksum(promises_, space.data(), static_cast<std::size_t>(got));
      used_ += static_cast<std::size_t>(got);
      at += static_cast<std::uint64_t>(got);
    }
    look_at(promises_, file.get());
  }

  UniqueFd socket_;
  const Promises promises_;
  std::vector<char> buffer_ = std::vector<char>(kBufferBytes);
  std::size_t used_ = 0;
};

class Receiver {
 public:
  Receiver(UniqueFd socket, Promises promises) : socket_(std::move(socket)), promises_(promises) {}
  void receive_tree(const char* mirror) {
    root_ = UniqueFd(open_directory(AT_FDCWD, mirror));
    if (promises_ == Promises::kept) {
      if (::mkdirat(root_.get(), kStaging, 0700) != 0) die(kStaging);
      staging_ = UniqueFd(open_directory(root_.get(), kStaging));
    }
    while (at_ < end_ || fill()) {
      Head head;
      get(&head, sizeof head);
      std::string name(head.name_bytes, '\0');
      get(name.data(), name.size());
      make(head, std::move(name));
    }
    leave();
    if (staging_ && ::unlinkat(root_.get(), kStaging, AT_REMOVEDIR) != 0) die(kStaging);
  }

 private:
  static constexpr const char* kStaging = ".staging";

  bool fill() {
    const ssize_t got = ::recv(socket_.get(), buffer_.data(), buffer_.size(), 0);
    if (got < 0) die("recv");
    at_ = 0;
    end_ = static_cast<std::size_t>(got);
    return got > 0;
  }
  /// What is there of the next `size` bytes, at least one.
  std::span<const char> some(std::uint64_t size) {
    if (at_ == end_ && !fill()) die("the stream ended early");
    const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(end_ - at_, size));
    return std::span(buffer_).subspan(std::exchange(at_, at_ + count), count);
  }
  void get(void* into, std::size_t size) {
    for (auto* to = static_cast<char*>(into); size > 0;) {
      const std::span<const char> piece = some(size);
      std::memcpy(to, piece.data(), piece.size());
      to += piece.size();
      size -= piece.size();
    }
  }

  void make(const Head& head, std::string name) {
    switch (head.what) {
      case What::enter:
        leave();
        path_ = std::move(name);
        directory_ = UniqueFd(open_directory(root_.get(), path_));
        return;
      case What::directory:
        has_others_ = true;
        if (::mkdirat(directory_.get(), name.c_str(), head.mode) != 0) die(name);
        return;
      case What::link:
        has_others_ = true;
        return make_link(head, name);
      case What::file:
        return make_file(head, std::move(name));
    }
  }
  void make_link(const Head& head, const std::string& name) {
    std::string target(head.size, '\0');
    get(target.data(), target.size());
    const struct timespec times[2] = {{0, UTIME_OMIT}, head.mtime};
    if (::symlinkat(target.c_str(), directory_.get(), name.c_str()) != 0 ||
        ::utimensat(directory_.get(), name.c_str(), times, AT_SYMLINK_NOFOLLOW) != 0)
      die(name);
  }
  void make_file(const Head& head, std::string name) {
    const UniqueFd file(
        ::openat(place_of_files(), name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, head.mode));
    if (!file) die(name);
    for (std::uint64_t at = 0; at < head.size;) {
      const std::span<const char> piece = some(head.size - at);
      add_checksum(promises_, piece.data(), piece.size());
      if (::pwrite(file.get(), piece.data(), piece.size(), static_cast<off_t>(at)) !=
          static_cast<ssize_t>(piece.size()))
        die(name);
      at += piece.size();
    }
    const struct timespec times[2] = {{0, UTIME_OMIT}, head.mtime};
    if (::futimens(file.get(), times) != 0) die(name);
    look_at(promises_, file.get());
    if (staging_) staged_names_.push_back(std::move(name));
  }
  int place_of_files() {
    if (!staging_) return directory_.get();
    if (!staged_) {
      staged_name_ = std::to_string(staged_count_++);
      if (::mkdirat(staging_.get(), staged_name_.c_str(), 0755) != 0) die(staged_name_);
      staged_ = UniqueFd(open_directory(staging_.get(), staged_name_));
    }
    return staged_.get();
  }
  /// Gives what was staged its names: the directory as a whole, where nothing else is in it.
  void leave() {
    if (staged_ && !has_others_ && path_ != ".") {
      if (::renameat(staging_.get(), staged_name_.c_str(), root_.get(), path_.c_str()) != 0) die(path_);
    } else if (staged_) {
      for (const std::string& name : staged_names_)
        if (::renameat(staged_.get(), name.c_str(), directory_.get(), name.c_str()) != 0) die(name);
      if (::unlinkat(staging_.get(), staged_name_.c_str(), AT_REMOVEDIR) != 0) die(staged_name_);
    }
    staged_.reset();
    staged_names_.clear();
    has_others_ = false;
  }

  UniqueFd socket_;
  const Promises promises_;
  UniqueFd root_, directory_, staging_;
  UniqueFd staged_;  ///< where the files of the present directory are made
  std::string path_, staged_name_;
  std::vector<std::string> staged_names_;
  std::uint64_t staged_count_ = 0;
  bool has_others_ = false;  ///< the present directory has more than files
  std::vector<char> buffer_ = std::vector<char>(kBufferBytes);
  std::size_t at_ = 0, end_ = 0;
};

std::pair<UniqueFd, UniqueFd> connection() {
  const UniqueFd listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  struct sockaddr_in address {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const generic = reinterpret_cast<struct sockaddr*>(&address);
  UniqueFd one(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (::bind(listener.get(), generic, size) != 0 || ::listen(listener.get(), 1) != 0 ||
      ::getsockname(listener.get(), generic, &size) != 0 || ::connect(one.get(), generic, size) != 0)
    die("loopback");
  UniqueFd other(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
  if (!other) die("accept");
  return {std::move(one), std::move(other)};
}

}  // namespace

void copy(const char* source, const char* mirror, Promises promises) {
  ::umask(0);
  std::pair<UniqueFd, UniqueFd> ends = connection();
  // Each closes the other's end, so that the stream ends with its sender.
  in_two_processes(
      [&] {
        ends.first.reset();
        Receiver(std::move(ends.second), promises).receive_tree(mirror);
      },
      [&] {
        ends.second.reset();
        Sender(std::move(ends.first), promises).send_tree(source);
      });
}

}  // namespace ssync::floor
