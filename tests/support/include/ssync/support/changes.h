// Changes by hand, for the tests of what carries them out.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "ssync/fs/tree.h"
#include "ssync/model/change.h"

namespace ssync::support {

/// A directory on the real file system, removed at the end.
class TemporaryRoot {
 public:
  TemporaryRoot();
  ~TemporaryRoot();
  TemporaryRoot(const TemporaryRoot&) = delete;
  TemporaryRoot& operator=(const TemporaryRoot&) = delete;
  [[nodiscard]] fs::Tree& tree() { return root_->tree(); }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
  std::optional<fs::Root> root_;
};

[[nodiscard]] Seen seen(fs::Tree& tree, std::string_view path);

/// The step with this number, with nothing in it.
[[nodiscard]] Change::Step step_of(Op op);

/// A change of `op` that makes `path` what `source` has there, with `at_path` from `mirror`. Row 0.
[[nodiscard]] Change change_to(Op op, std::string_view path, fs::Tree& source, fs::Tree& mirror);
/// The same filled from `from`, whose content is in the mirror.
[[nodiscard]] Change change_from(Op op, std::string_view from, std::string_view path, const Values& wanted,
                                 fs::Tree& mirror);

}  // namespace ssync::support
