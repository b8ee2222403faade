// What a FakeTree keeps, and how one operation goes: shared by the tree and its handles.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "ssync/base/text.h"
#include "ssync/support/fake_tree.h"

#include "fake_inodes.h"

namespace ssync::support {

struct PlannedFailure {
  std::optional<FakeOp> op;  // empty: any change
  std::string path;          // with `at_path`
  std::uint64_t remaining = 0;
  int err = 0;
  bool for_good = false;
  bool at_path = false;
};

/// The enumerator's name.
[[nodiscard]] std::string_view name_of(FakeOp op) noexcept;

struct FakeTree::Impl {
  explicit Impl(const FakeLimits& limits);

  /// The errno that a test wants here; 0 for none.
  int planned_failure(FakeOp op, std::string_view path);
  /// Asserts that it is there.
  [[nodiscard]] InodePtr at(std::string_view path) const;
  void add(const Node& node, const InodePtr& in);

  mutable std::mutex mutex;
  Inodes inodes;
  fs::Volume volume;
  FakeAnswers answers;
  InodePtr durable;
  std::vector<PlannedFailure> failures;
  std::vector<FakeOperation> operations;
  std::function<void(const FakeOperation&)> hook;
  bool quiet = false;  // dump() looks without being seen
};

/// One operation: told to the hook, locked, recorded, and failed when a test said so.
class FakeCall {
 public:
  FakeCall(FakeTree::Impl& tree, FakeOp op, std::string path, std::string to = {});

  /// Before anything was done.
  [[nodiscard]] int err() const noexcept { return err_; }
  [[nodiscard]] tl::unexpected<Error> failed() { return failed(err_); }
  [[nodiscard]] tl::unexpected<Error> failed(int err) { return failed(errno_error(text(), err)); }
  [[nodiscard]] tl::unexpected<Error> failed(Errc code, int err) { return failed(Error{code, text(), err}); }
  [[nodiscard]] tl::unexpected<Error> failed(Error error) {
    if (index_) tree_.operations[*index_].failed = true;
    return fail(std::move(error));
  }
  [[nodiscard]] Result<void> done(int err) {
    if (err != 0) return failed(err);
    return {};
  }

 private:
  [[nodiscard]] std::string text() const {
    return std::string(name_of(operation_.op)) + " " +
           (operation_.path.empty() ? "." : escape(operation_.path));
  }

  FakeTree::Impl& tree_;
  FakeOperation operation_;
  std::unique_lock<std::mutex> lock_;
  std::optional<std::size_t> index_;
  int err_ = 0;
};

[[nodiscard]] std::unique_ptr<fs::Directory> fake_directory(std::shared_ptr<FakeTree::Impl> tree,
                                                            InodePtr inode);

}  // namespace ssync::support
