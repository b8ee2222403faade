#include "ssync/index/trouble.h"

namespace ssync::index {

std::optional<TroubleNews::News> TroubleNews::take(std::string_view trouble) {
  if (trouble == said_) return std::nullopt;
  said_ = trouble;
  if (said_.empty()) return News{true, "The index can be used again"};
  return News{false,
              "the index cannot be used: " + said_ +
                  ". Syncing goes on without it: what it does not know is compared anew the next time"};
}

}  // namespace ssync::index
