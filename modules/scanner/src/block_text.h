// What the views of a block point into.
#pragma once

#include <cstddef>
#include <cstring>
#include <memory_resource>
#include <string_view>

#include "ssync/fs/tree.h"

namespace ssync::scanner {

/// The texts of one block, kept as long as it. Views into it stay valid until it is destroyed.
struct BlockText {
  /// `text_bytes`: how much will be kept, roughly.
  explicit BlockText(std::size_t text_bytes) : texts(text_bytes) {}
  [[nodiscard]] std::string_view keep(std::string_view text) {
    if (text.empty()) return {};
    auto* const copy = static_cast<char*>(texts.allocate(text.size(), 1));
    std::memcpy(copy, text.data(), text.size());
    return {copy, text.size()};
  }

  fs::NameList names;  ///< as listed
  std::pmr::monotonic_buffer_resource texts;
};

}  // namespace ssync::scanner
