#pragma once

// Errors as values: every function that may fail for a reason outside the program returns Result<T>.
//
//   Result<std::size_t> size_of(const Path& path) {
//     SSYNC_TRY(UniqueFd fd, open_below(root, path));
//     SSYNC_TRY_VOID(check_regular(fd));
//     ...
//   }

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include <tl/expected.hpp>

#include "ssync/base/assert.h"

namespace ssync {

/// The kinds of failure that callers treat differently. The exact reason is in Error's text and sys_errno.
/// Values are not stored or sent; `wire` has its own codes.
enum class Errc : std::uint8_t {
  invalid_argument,  ///< the caller asked for something that makes no sense
  not_found,         ///< no such path or name
  already_exists,    ///< the path is taken
  not_directory,     ///< a directory was needed
  is_directory,      ///< anything but a directory was needed
  not_empty,         ///< the directory has entries
  permission,        ///< the system denies it to this user
  no_space,          ///< disk full or quota reached
  read_only,         ///< read-only file system
  cross_device,      ///< rename, link or resolution over a mount
  too_long,          ///< a name or path over its limit, or too many links on the way
  io,                ///< the device or system failed; also every errno not listed
  changed,           ///< it is not what it was when looked at before
  corrupt,           ///< stored bytes do not check out
  protocol,          ///< the peer broke the protocol
  version,           ///< the peer or a file speaks a version unknown here
  refused,           ///< the peer, or a guard of ours, says no
  busy,              ///< in use by somebody else; may work later
  closed,            ///< the queue, connection or thread has ended
  timed_out,         ///< the deadline has passed
  interrupted,       ///< asked to stop
  unsupported,       ///< the system or peer lacks it
  limit,             ///< over a bound that is ours (memory, count, size, open files)
  lost,              ///< a whole tree: its file system is gone, or is somebody else's by now
};

/// The enumerator's name: "no_space".
[[nodiscard]] std::string_view to_string(Errc code) noexcept;

/// Why something failed. A value; used by one thread at a time.
struct [[nodiscard]] Error {
  Errc code = Errc::io;
  /// Context from the outside in, "staging a/b.txt: rename". Paths are escaped by whoever puts
  /// them in (text.h), so the text can be shown as it is.
  std::string message;
  /// The errno behind it; 0 when there was none.
  int sys_errno = 0;

  /// `message`, and with an errno ": " and the system's words for it (English in every locale):
  /// "staging a/b.txt: rename: No space left on device".
  [[nodiscard]] std::string text() const;

  /// The same error with "`what`: " in front of its message.
  [[nodiscard]] Error with_context(std::string_view what) &&;

  friend bool operator==(const Error&, const Error&) = default;
};

/// `error` with "`what`: " in front of its message; reads well with Result::map_error.
[[nodiscard]] Error context(Error error, std::string_view what);

/// The Errc for an errno value; Errc::io for those that have none of their own. Never one that only a peer or
/// a part of this program says: protocol, version, refused, closed, interrupted, corrupt, lost.
[[nodiscard]] Errc errc_of_errno(int err) noexcept;

/// Error of a failed system call. `operation_and_path`: "rename a/b.txt". `err`: errno, saved by the caller
/// before it calls anything else.
[[nodiscard]] Error errno_error(std::string_view operation_and_path, int err);

/// A T, or the Error that kept it from being made. tl::expected 1.0 is not [[nodiscard]] as a class and an
/// alias cannot add it, so every function that returns a Result carries [[nodiscard]] itself.
template <typename T = void>
using Result = tl::expected<T, Error>;

/// Converts to any failed Result: `return fail(Errc::limit, "more than 4096 levels")`.
[[nodiscard]] inline tl::unexpected<Error> fail(Errc code, std::string message) {
  return tl::unexpected<Error>(Error{code, std::move(message), 0});
}
[[nodiscard]] inline tl::unexpected<Error> fail(Error error) {
  return tl::unexpected<Error>(std::move(error));
}

}  // namespace ssync

#define SSYNC_CONCAT_INNER_(a, b) a##b
#define SSYNC_CONCAT_(a, b) SSYNC_CONCAT_INNER_(a, b)
#define SSYNC_TRY_INNER_(result, declaration, ...)              \
  auto result = (__VA_ARGS__);                                  \
  if (!result) return ::ssync::fail(std::move(result).error()); \
  declaration = *std::move(result)
#define SSYNC_TRY_VOID_INNER_(result, ...) \
  if (auto result = (__VA_ARGS__); !result) return ::ssync::fail(std::move(result).error())

/// SSYNC_TRY(auto x, expr): evaluates a Result<T>; returns its Error from this function, or initializes (or
/// assigns: SSYNC_TRY(x, expr)) with its value. Two statements: needs braces under `if`.
#define SSYNC_TRY(declaration, ...) \
  SSYNC_TRY_INNER_(SSYNC_CONCAT_(ssync_result_, __LINE__), declaration, __VA_ARGS__)

/// SSYNC_TRY_VOID(expr): the same for Result<void>, or when the value is not wanted. One statement.
#define SSYNC_TRY_VOID(...)                                                     \
  do {                                                                          \
    SSYNC_TRY_VOID_INNER_(SSYNC_CONCAT_(ssync_result_, __LINE__), __VA_ARGS__); \
  } while (false)
