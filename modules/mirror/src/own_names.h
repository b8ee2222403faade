// Names in a mirror that are the server's own: what is staged, and where it keeps its state or log, if that
// is inside. Its scan skips them, so a list that has them would be taken for what is missing.
#pragma once

#include <string>
#include <vector>

#include "ssync/base/result.h"
#include "ssync/model/entry.h"
#include "ssync/model/tree_digest.h"

namespace ssync::mirror {

/// Thread safety: none.
class OwnNames {
 public:
  /// `left_out`: SyncRequest::leave_out, which outlives it.
  explicit OwnNames(const std::vector<std::string>& left_out) : left_out_(left_out) {}
  /// Errors: Errc::protocol, a name that no source of ours lists; Errc::refused, the source has an entry
  /// where the server keeps something.
  [[nodiscard]] Result<void> check(const RowBatch& batch) const;
  [[nodiscard]] Result<void> check(const std::vector<DirectorySum>& directories) const;

 private:
  [[nodiscard]] Result<void> check_path(std::string_view path) const;
  const std::vector<std::string>& left_out_;
};

}  // namespace ssync::mirror
