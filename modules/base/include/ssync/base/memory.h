#pragma once

#include <cstddef>

namespace ssync {

/// For a program that takes and frees blocks of up to `block_bytes` all the time: free memory of up to
/// `keep_bytes` per arena stays with the process, instead of going back to the system, which clears every
/// page before it gives it again. Larger blocks are mapped and unmapped one by one, and so never lie about.
/// Call it when the program begins; process-wide. Without effect where malloc is not glibc's. Source:
/// mallopt(3).
void keep_freed_memory(std::size_t block_bytes, std::size_t keep_bytes) noexcept;

/// Three heaps at most for all threads together; glibc makes one for each thread, up to eight for each
/// processor, and what one thread frees of another's stays in that one's. Worth it where threads come and go.
/// Call it when the program begins; process-wide. Without effect where malloc is not glibc's. Source:
/// mallopt(3).
void share_heaps() noexcept;

}  // namespace ssync
