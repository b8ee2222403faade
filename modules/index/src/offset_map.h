#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace ssync::index {

/// 64-bit hash -> non-zero number, 16 bytes a slot, open addressing. Several entries of one hash may live
/// side by side: the caller tells them apart. Nothing is ever taken out. Keys are hashes already, so their
/// low bits choose the slot.
class OffsetMap {
 public:
  /// The value of the first entry with this key for which `is_it(value)`; nullptr if there is none. Valid
  /// until insert().
  template <typename IsIt>
  [[nodiscard]] std::uint64_t* find(std::uint64_t key, IsIt&& is_it) noexcept {
    if (slots_.empty()) return nullptr;
    for (std::size_t i = start(key); slots_[i].value != 0; i = (i + 1) & (slots_.size() - 1))
      if (slots_[i].key == key && is_it(slots_[i].value)) return &slots_[i].value;
    return nullptr;
  }
  void insert(std::uint64_t key, std::uint64_t value) {
    // Grows at 7/8 full.
    if ((used_ + 1) * 8 > slots_.size() * 7) grow();
    place(key, value);
    ++used_;
  }
  [[nodiscard]] std::size_t size() const noexcept { return used_; }
  void clear() noexcept {
    slots_ = {};
    used_ = 0;
  }

 private:
  struct Slot {
    std::uint64_t key = 0, value = 0;
  };
  [[nodiscard]] std::size_t start(std::uint64_t key) const noexcept {
    return static_cast<std::size_t>(key) & (slots_.size() - 1);
  }
  void place(std::uint64_t key, std::uint64_t value) noexcept {
    std::size_t i = start(key);
    while (slots_[i].value != 0)
      i = (i + 1) & (slots_.size() - 1);
    slots_[i] = {key, value};
  }
  void grow() {
    std::vector<Slot> old = std::exchange(slots_, std::vector<Slot>(slots_.empty() ? 64 : slots_.size() * 2));
    for (const Slot& slot : old)
      if (slot.value != 0) place(slot.key, slot.value);
  }

  std::vector<Slot> slots_;  // size: 0 or a power of two
  std::size_t used_ = 0;
};

}  // namespace ssync::index
