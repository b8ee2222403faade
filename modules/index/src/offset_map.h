#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace ssync::index {

/// 64-bit hash -> non-zero number, 14 to 21 bytes an entry, open addressing. One hash may have several
/// entries, and only 38 bits of a hash are kept: `is_it` has to tell entries apart. Nothing is ever taken
/// out. Keys are hashes already, so their bits choose the slot. Grown part by part: at no time are there two
/// copies of all.
class OffsetMap {
 public:
  /// The value of the first entry with this key for which `is_it(value)`; nullptr if there is none. Valid
  /// until insert().
  template <typename IsIt>
  [[nodiscard]] std::uint64_t* find(std::uint64_t key, IsIt&& is_it) noexcept {
    Part& part = part_of(key);
    if (part.values.empty()) return nullptr;
    const std::uint32_t tag = tag_of(key);
    for (std::size_t i = part.start(tag); part.values[i] != 0; i = part.after(i))
      if (part.tags[i] == tag && is_it(part.values[i])) return &part.values[i];
    return nullptr;
  }
  void insert(std::uint64_t key, std::uint64_t value) {
    Part& part = part_of(key);
    // Grows at 7/8 full.
    if ((part.used + 1) * 8 > part.values.size() * 7) part.grow();
    part.place(tag_of(key), value);
    ++part.used;
    ++used_;
  }
  [[nodiscard]] std::size_t size() const noexcept { return used_; }
  void clear() noexcept {
    parts_ = {};
    used_ = 0;
  }

 private:
  static constexpr std::size_t kParts = 64;
  struct Part {
    std::vector<std::uint32_t> tags;
    std::vector<std::uint64_t> values;  // beside tags; 0: free
    std::size_t used = 0;

    [[nodiscard]] std::size_t start(std::uint32_t tag) const noexcept {
      return static_cast<std::size_t>((std::uint64_t{tag} * values.size()) >> 32U);
    }
    [[nodiscard]] std::size_t after(std::size_t slot) const noexcept {
      return slot + 1 == values.size() ? 0 : slot + 1;
    }
    void place(std::uint32_t tag, std::uint64_t value) noexcept {
      std::size_t i = start(tag);
      while (values[i] != 0)
        i = after(i);
      tags[i] = tag;
      values[i] = value;
    }
    void grow() {
      const std::size_t size = std::max<std::size_t>(16, values.size() + values.size() / 2);
      const std::vector<std::uint32_t> old_tags = std::exchange(tags, std::vector<std::uint32_t>(size));
      const std::vector<std::uint64_t> old = std::exchange(values, std::vector<std::uint64_t>(size));
      for (std::size_t i = 0; i < old.size(); ++i)
        if (old[i] != 0) place(old_tags[i], old[i]);
    }
  };
  [[nodiscard]] Part& part_of(std::uint64_t key) noexcept { return parts_[key >> 58U]; }
  static std::uint32_t tag_of(std::uint64_t key) noexcept { return static_cast<std::uint32_t>(key); }

  std::array<Part, kParts> parts_;
  std::size_t used_ = 0;
};

}  // namespace ssync::index
