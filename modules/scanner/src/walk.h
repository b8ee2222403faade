// What the threads that read directories share.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>
#include <vector>

#include "ssync/fs/tree.h"
#include "ssync/index/index.h"
#include "ssync/scanner/scanner.h"

#include "budget.h"
#include "frontier.h"
#include "name_trust.h"

namespace ssync::scanner {

/// Reads directories. Thread safety: any thread; what it refers to outlives it.
class Walk {
 public:
  /// What a thread that reads keeps from directory to directory, for its memory.
  struct Scratch {
    std::vector<std::string_view> names;
    std::vector<index::Record> records;
    std::vector<bool> keep_record;
  };

  /// `root` is the file system of the tree's root.
  Walk(fs::Tree& tree, const index::Index& idx, const Options& options, const fs::Volume& root,
       const Frontier& frontier);
  /// Always gives a finding; when the frontier was stopped meanwhile, an incomplete one. `scratch` is the
  /// calling thread's.
  [[nodiscard]] std::unique_ptr<Finding> read(Task task, Scratch& scratch);

 private:
  struct Reading;

  /// Gives back what is kept for a directory that was found: it will not be read, or be found again.
  void let_go(const Child& child);

  fs::Tree& tree_;
  const index::Index& index_;
  const Options& options_;
  const fs::StableFields root_stable_;
  const Frontier& frontier_;
  const NameTrust trust_;
  Budget handles_, names_;
};

}  // namespace ssync::scanner
