#pragma once

namespace ssync::fs {

/// Whether a file system that is gone answers with this errno. One path of a file system that is well may
/// give it too, so the root has to be looked at.
[[nodiscard]] bool may_be_lost(int sys_errno) noexcept;

inline constexpr const char* kLostRemedy = "the file system is gone (mount it again)";

}  // namespace ssync::fs
