#include "ssync/base/secret.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <new>
#include <utility>

#include "ssync/base/random.h"

namespace ssync {
namespace {

std::size_t page_bytes() noexcept {
  return static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace

Secret::Secret() {
  void* const page =
      ::mmap(nullptr, page_bytes(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) throw std::bad_alloc();
  // Neither is a condition for going on: an old kernel, or a small limit on locked memory.
  static_cast<void>(::madvise(page, page_bytes(), MADV_DONTDUMP));
  static_cast<void>(::mlock(page, page_bytes()));
  page_ = static_cast<std::byte*>(page);
}

Secret::Secret(std::span<const std::byte, kBytes> bytes) : Secret() {
  std::ranges::copy(bytes, page_);
}

Secret::Secret(Secret&& other) noexcept : page_(std::exchange(other.page_, nullptr)) {}

Secret& Secret::operator=(Secret&& other) noexcept {
  std::swap(page_, other.page_);
  return *this;
}

Secret::~Secret() {
  if (page_ == nullptr) return;
  wipe(bytes());
  ::munmap(page_, page_bytes());
}

Secret Secret::random() {
  Secret secret;
  fill_random(secret.bytes());
  return secret;
}

void wipe(std::span<std::byte> bytes) noexcept {
  if (!bytes.empty()) ::explicit_bzero(bytes.data(), bytes.size());
}

void forbid_core_dumps() noexcept {
  static_cast<void>(::prctl(PR_SET_DUMPABLE, 0));
}

}  // namespace ssync
