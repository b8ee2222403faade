// Single records of the index, cheaply when they are asked for in order.
#pragma once

#include <optional>
#include <string>

#include "sync_context.h"

namespace ssync::mirror {

/// Thread safety: one thread at a time. Requires: no base is committed meanwhile.
class IndexReader {
 public:
  explicit IndexReader(SharedIndex& index) : index_(index) {}
  [[nodiscard]] std::optional<index::Record> find(PathView path);

 private:
  SharedIndex& index_;
  // Where it was asked last: who asks in order is answered from one cursor.
  std::string location_, name_;
  std::optional<index::Index::Cursor> cursor_;
};

}  // namespace ssync::mirror
