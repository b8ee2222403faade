#pragma once

namespace ssync::fs {

/// An errno that a file system gives which is gone; as a rule for every path in it, sometimes for one.
[[nodiscard]] bool may_be_lost(int sys_errno) noexcept;

inline constexpr const char* kLostRemedy = "the file system is gone (mount it again)";

}  // namespace ssync::fs
