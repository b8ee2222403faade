// What a program says of an index that cannot be used.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace ssync::index {

/// Says each trouble once, until it is another one or none. Thread safety: one thread at a time.
class TroubleNews {
 public:
  struct News {
    bool is_over = false;  ///< good news
    std::string text;
  };
  /// `trouble`: Index::trouble() now. nullopt: it was said.
  [[nodiscard]] std::optional<News> take(std::string_view trouble);

 private:
  std::string said_;
};

}  // namespace ssync::index
