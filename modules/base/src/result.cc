#include "ssync/base/result.h"

#include <cerrno>
#include <cstring>

namespace ssync {

std::string_view to_string(Errc code) noexcept {
  switch (code) {
    case Errc::invalid_argument:
      return "invalid_argument";
    case Errc::not_found:
      return "not_found";
    case Errc::already_exists:
      return "already_exists";
    case Errc::not_directory:
      return "not_directory";
    case Errc::is_directory:
      return "is_directory";
    case Errc::not_empty:
      return "not_empty";
    case Errc::permission:
      return "permission";
    case Errc::no_space:
      return "no_space";
    case Errc::read_only:
      return "read_only";
    case Errc::cross_device:
      return "cross_device";
    case Errc::too_long:
      return "too_long";
    case Errc::io:
      return "io";
    case Errc::changed:
      return "changed";
    case Errc::corrupt:
      return "corrupt";
    case Errc::protocol:
      return "protocol";
    case Errc::version:
      return "version";
    case Errc::refused:
      return "refused";
    case Errc::busy:
      return "busy";
    case Errc::closed:
      return "closed";
    case Errc::timed_out:
      return "timed_out";
    case Errc::interrupted:
      return "interrupted";
    case Errc::unsupported:
      return "unsupported";
    case Errc::limit:
      return "limit";
    case Errc::lost:
      return "lost";
  }
  return "unknown";
}

// What a peer, a guard or a part of ours says has no errno: a file system that gives ENOTCONN or EPROTO has
// failed, and whoever takes that for the end of a queue of his own waits for ever.
Errc errc_of_errno(int err) noexcept {
  switch (err) {
    case EINVAL:
    case EBADF:
    case EFAULT:
      return Errc::invalid_argument;
    case ENOENT:
      return Errc::not_found;
    case EEXIST:
      return Errc::already_exists;
    case ENOTDIR:
      return Errc::not_directory;
    case EISDIR:
      return Errc::is_directory;
    case ENOTEMPTY:
      return Errc::not_empty;
    case EACCES:
    case EPERM:
      return Errc::permission;
    case ENOSPC:
    case EDQUOT:
      return Errc::no_space;
    case EROFS:
      return Errc::read_only;
    case EXDEV:
      return Errc::cross_device;
    // openat2(2) with RESOLVE_NO_SYMLINKS, and O_NOFOLLOW, say ELOOP too.
    case ELOOP:
    case ENAMETOOLONG:
      return Errc::too_long;
    case ESTALE:
      return Errc::changed;
    case EBUSY:
    case ETXTBSY:
    case EAGAIN:
    case EADDRINUSE:
      return Errc::busy;
    case ETIMEDOUT:
      return Errc::timed_out;
    case ENOSYS:
    case EOPNOTSUPP:
    case ENOTTY:
      return Errc::unsupported;
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case EFBIG:
    case EMLINK:
    case EOVERFLOW:
      return Errc::limit;
    default:
      return Errc::io;
  }
}

std::string Error::text() const {
  if (sys_errno == 0) return message;
  const char* words = strerrordesc_np(sys_errno);
  return message + ": " + (words != nullptr ? std::string(words) : "errno " + std::to_string(sys_errno));
}

Error Error::with_context(std::string_view what) && {
  return context(std::move(*this), what);
}

Error context(Error error, std::string_view what) {
  std::string message;
  message.reserve(what.size() + 2 + error.message.size());
  message.append(what).append(": ").append(error.message);
  error.message = std::move(message);
  return error;
}

Error errno_error(std::string_view operation_and_path, int err) {
  return Error{errc_of_errno(err), std::string(operation_and_path), err};
}

}  // namespace ssync
