#include "real_directory.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <cstddef>
#include <cstring>
#include <utility>

#include "ssync/base/descriptors.h"

#include "real_file.h"
#include "stat.h"
#include "volume.h"

namespace ssync::fs {
namespace {

// Fewer system calls than readdir(3) with its 32 KiB. On the stack, as listing is what every scanning thread
// does all the time.
constexpr std::size_t kListBytes = 64 * 1024;

constexpr std::size_t kTargetBytesMax = PATH_MAX - 1;

constexpr const char* kDefaultAcl = "system.posix_acl_default";
constexpr const char* kAccessAcl = "system.posix_acl_access";

/// True also when there was none. errno says why not.
bool remove_acl(int fd, const char* attribute) noexcept {
  return ::fremovexattr(fd, attribute) == 0 || errno == ENODATA || errno == EOPNOTSUPP;
}

bool is_dots(const char* name) noexcept {
  return name[0] == '.' && (name[1] == '\0' || (name[1] == '.' && name[2] == '\0'));
}

/// Calls visit(name) for each of the records but "." and "..".
template <typename Visit>
void for_each_name(std::span<const char> records, Visit visit) {
  while (!records.empty()) {
    const char* const record = records.data();
    std::uint16_t length = 0;
    std::memcpy(&length, record + offsetof(struct dirent64, d_reclen), sizeof length);
    const char* const name = record + offsetof(struct dirent64, d_name);
    if (!is_dots(name)) visit(std::string_view(name));
    records = records.subspan(length);
  }
}

void add_names(std::span<const char> records, NameList& into) {
  // Most directories fit into the first read; room for one piece after the other would be made far too often.
  if (into.size() == 0) {
    std::size_t names = 0;
    std::size_t bytes = 0;
    for_each_name(records, [&](std::string_view name) {
      ++names;
      bytes += name.size();
    });
    into.reserve(names, bytes);
  }
  for_each_name(records, [&](std::string_view name) { into.add(name); });
}

}  // namespace

Result<void> RealDirectory::list(NameList& into) {
  if (std::exchange(was_listed_, true) && ::lseek(fd_.get(), 0, SEEK_SET) < 0)
    return failed("listing", "", errno);
  alignas(struct dirent64) std::array<char, kListBytes>
      buffer;  // NOLINT(cppcoreguidelines-pro-type-member-init)
  for (;;) {
    const ssize_t got = ::getdents64(fd_.get(), buffer.data(), buffer.size());
    if (got == 0) return {};
    if (got > 0) {
      add_names(std::span<const char>(buffer).first(static_cast<std::size_t>(got)), into);
    } else if (errno != EINTR) {
      return failed("listing", "", errno);
    }
  }
}

bool RealDirectory::is_mount_by_device(const Stat& child) {
  if (!device_) {
    Stat self;
    device_ = stat_fd(fd_.get(), WithBirth::no, self) == 0 ? self.seen.device : child.seen.device;
  }
  return *device_ != child.seen.device;
}

Result<Stat> RealDirectory::stat(std::string_view name) {
  CName entry;
  SSYNC_TRY_VOID(entry.set(name));
  Stat got;
  bool knows_mounts = false;
  if (const int err = stat_entry(fd_.get(), entry.get(), WithBirth::no, got, knows_mounts); err != 0) {
    return failed("reading the attributes of", name, err);
  }
  if (!knows_mounts && got.type == Stat::Type::directory) got.mount_point = is_mount_by_device(got);
  return got;
}

Result<Stat> RealDirectory::stat_self() {
  Stat got;
  if (const int err = stat_fd(fd_.get(), WithBirth::yes, got); err != 0) {
    return failed("reading the attributes of", ".", err);
  }
  return got;
}

Result<std::string> RealDirectory::read_link(std::string_view name) {
  CName entry;
  SSYNC_TRY_VOID(entry.set(name));
  std::array<char, PATH_MAX> target;  // NOLINT(cppcoreguidelines-pro-type-member-init)
  const ssize_t got = ::readlinkat(fd_.get(), entry.get(), target.data(), target.size());
  if (got < 0 && errno == EINVAL) return failed("reading the link", name, EINVAL, Errc::changed);
  if (got < 0) return failed("reading the link", name, errno);
  // No longer target can be made through a system call; a file system that has one cannot be mirrored.
  if (static_cast<std::size_t>(got) > kTargetBytesMax) return failed("reading the link", name, ENAMETOOLONG);
  return std::string(target.data(), static_cast<std::size_t>(got));
}

Result<std::unique_ptr<File>> RealDirectory::open_file(std::string_view name) {
  CName entry;
  SSYNC_TRY_VOID(entry.set(name));
  constexpr int kFlags = O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC;
  UniqueFd fd(open_with_patience([&] { return ::openat(fd_.get(), entry.get(), kFlags); }));
  if (!fd) {
    // A link is there now, or a socket (or a device without driver).
    const bool other_kind = errno == ELOOP || errno == ENXIO || errno == ENODEV;
    return other_kind ? failed("opening", name, errno, Errc::changed) : failed("opening", name, errno);
  }
  Stat opened;
  if (const int err = stat_fd(fd.get(), WithBirth::no, opened); err != 0) return failed("opening", name, err);
  if (opened.type != Stat::Type::file)
    return fail(Errc::changed, "opening " + escape(name) + ": it is no regular file any more");
  return std::make_unique<RealFile>(std::move(fd), opened);
}

const Habits& RealDirectory::habits() {
  if (!habits_) habits_ = tree_.habits_of(fd_.get());
  return *habits_;
}

Result<void> RealDirectory::attributes_changed(std::string_view name) {
  return unflushed() == nullptr ? Result<void>() : tree_.changed(location_, name);
}

// A default ACL takes the place of the umask and may mask any bit.
bool RealDirectory::has_default_acl() {
  if (!has_default_acl_) has_default_acl_ = ::fgetxattr(fd_.get(), kDefaultAcl, nullptr, 0) > 0;
  return *has_default_acl_;
}

Result<std::unique_ptr<File>> RealDirectory::create_file(std::string_view name, std::uint16_t mode) {
  CName entry;
  SSYNC_TRY_VOID(entry.set(name));
  SSYNC_TRY_VOID(tree_.may_change());
  const mode_t wanted = mode & 07777U;
  constexpr int kFlags = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC;
  UniqueFd fd(open_with_patience([&] { return ::openat(fd_.get(), entry.get(), kFlags, wanted); }));
  if (!fd) return failed("creating", name, errno);
  // open(2) may also leave out setgid, when the directory has it.
  const bool masked = (wanted & (tree_.umask() | S_ISGID)) != 0 || has_default_acl();
  // What the default ACL put into the file goes first: with an ACL, the group's bits are its mask.
  if ((masked && has_default_acl() && !remove_acl(fd.get(), kAccessAcl)) ||
      (masked && ::fchmod(fd.get(), wanted) != 0)) {
    const int err = errno;
    ::unlinkat(fd_.get(), entry.get(), 0);
    return failed("creating", name, err);
  }
  SSYNC_TRY_VOID(names_changed());
  return std::make_unique<RealFile>(std::move(fd), std::nullopt, unflushed(), atime());
}

Result<void> RealDirectory::make_directory(std::string_view name, std::uint16_t mode) {
  CName entry;
  SSYNC_TRY_VOID(entry.set(name));
  SSYNC_TRY_VOID(tree_.may_change());
  const mode_t wanted = (mode & 01777U) | S_IRWXU;
  if (::mkdirat(fd_.get(), entry.get(), wanted) != 0) return failed("making the directory", name, errno);
  SSYNC_TRY_VOID(names_changed());
  if (has_default_acl()) {
    SSYNC_TRY(const auto made, open_child(name));
    SSYNC_TRY_VOID(made->strip_acl());
    return made->set_mode("", static_cast<std::uint16_t>(wanted));
  }
  // Only what we need to go on matters here; the final mode comes later.
  if ((tree_.umask() & S_IRWXU) != 0) return set_mode(name, static_cast<std::uint16_t>(wanted));
  return {};
}

Result<void> RealDirectory::make_link(std::string_view name, std::string_view target) {
  CName entry;
  SSYNC_TRY_VOID(entry.set(name));
  SSYNC_TRY_VOID(tree_.may_change());
  if (target.empty() || target.size() > kTargetBytesMax || target.find('\0') != std::string_view::npos) {
    return fail(Errc::invalid_argument,
                "making the link " + escape(name) + ": target is empty, too long or has a NUL byte");
  }
  if (::symlinkat(std::string(target).c_str(), fd_.get(), entry.get()) != 0) {
    // The manual's EPERM: this file system has no links.
    return errno == EPERM ? failed("making the link", name, EPERM, Errc::unsupported)
                          : failed("making the link", name, errno);
  }
  return names_changed();
}

Result<void> RealDirectory::remove(std::string_view name) {
  CName entry;
  SSYNC_TRY_VOID(entry.set(name));
  SSYNC_TRY_VOID(tree_.may_change());
  if (::unlinkat(fd_.get(), entry.get(), 0) != 0) return failed("removing", name, errno);
  return names_changed();
}

Result<void> RealDirectory::remove_directory(std::string_view name) {
  CName entry;
  SSYNC_TRY_VOID(entry.set(name));
  SSYNC_TRY_VOID(tree_.may_change());
  if (::unlinkat(fd_.get(), entry.get(), AT_REMOVEDIR) != 0) {
    // POSIX lets a file system say either.
    return failed("removing the directory", name, errno == EEXIST ? ENOTEMPTY : errno);
  }
  return names_changed();
}

// Where the file system has no RENAME_NOREPLACE (NFS, some FUSE): look, then rename. Whatever appears in
// between is replaced.
Result<void> RealDirectory::rename_checking_first(const CName& from, const RealDirectory& to,
                                                  const CName& onto) const {
  struct stat there {};
  if (::fstatat(to.fd_.get(), onto.get(), &there, AT_SYMLINK_NOFOLLOW) == 0)
    return failed("renaming", from.get(), EEXIST);
  if (errno != ENOENT || ::renameat(fd_.get(), from.get(), to.fd_.get(), onto.get()) != 0) {
    return failed("renaming", from.get(), errno);
  }
  return {};
}

// What is remembered to be flushed goes with it.
Result<void> RealDirectory::renamed(std::string_view name, RealDirectory& to, std::string_view new_name,
                                    Replace replace) {
  Unflushed* const remembered = unflushed();
  if (remembered == nullptr) return {};
  // After an exchange each name stands for what the other stood for: what is still to be flushed of both is
  // flushed first.
  if (replace == Replace::exchange)
    SSYNC_TRY_VOID(tree_.sync());
  else
    remembered->moved({location_, name}, {to.location_, new_name});
  SSYNC_TRY_VOID(names_changed());
  return to.names_changed();
}

Result<void> RealDirectory::rename(std::string_view name, Directory& to, std::string_view new_name,
                                   Replace replace) {
  CName from;
  CName onto;
  SSYNC_TRY_VOID(from.set(name));
  SSYNC_TRY_VOID(onto.set(new_name));
  SSYNC_TRY_VOID(tree_.may_change());
  auto* const target = dynamic_cast<RealDirectory*>(&to);
  if (target == nullptr)
    return fail(Errc::invalid_argument, "renaming " + escape(name) + ": not within one tree");
  unsigned flags = 0;
  if (replace == Replace::no) flags = RENAME_NOREPLACE;
  if (replace == Replace::exchange) flags = RENAME_EXCHANGE;
  if (::renameat2(fd_.get(), from.get(), target->fd_.get(), onto.get(), flags) == 0)
    return renamed(name, *target, new_name, replace);
  const int err = errno;
  if (flags != 0 && (err == EINVAL || err == ENOSYS)) {
    if (replace == Replace::no) {
      SSYNC_TRY_VOID(rename_checking_first(from, *target, onto));
      return renamed(name, *target, new_name, replace);
    }
    // EINVAL is also a directory into itself, which no caller asks for.
    return failed("exchanging", name, err, Errc::unsupported);
  }
  return failed("renaming", name, err == EEXIST && replace != Replace::no ? ENOTEMPTY : err);
}

Result<std::unique_ptr<Directory>> RealDirectory::open_child(std::string_view name) {
  CName entry;
  SSYNC_TRY_VOID(entry.set(name));
  constexpr int kFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
  UniqueFd fd(open_with_patience([&] { return ::openat(fd_.get(), entry.get(), kFlags); }));
  if (!fd) return failed("opening", name, errno == ELOOP ? ENOTDIR : errno);
  return std::make_unique<RealDirectory>(tree_, std::move(fd),
                                         tree_.remembers() ? join({location_, name}) : std::string());
}

Result<Volume> RealDirectory::volume() {
  return volume_of(fd_.get());
}

Result<void> RealDirectory::strip_acl() {
  SSYNC_TRY_VOID(tree_.may_change());
  for (const char* attribute : {kDefaultAcl, kAccessAcl}) {
    if (!remove_acl(fd_.get(), attribute)) return failed("removing the ACL of", ".", errno);
  }
  has_default_acl_ = false;
  return attributes_changed({});
}

Result<void> RealDirectory::flush() {
  if (::fsync(fd_.get()) != 0) return failed("flushing", ".", errno);
  return {};
}

}  // namespace ssync::fs
