#include "walk.h"

#include <utility>

#include "reading.h"

namespace ssync::scanner {

namespace {

constexpr std::size_t kHandlesKept = 128;
constexpr std::size_t kNamesKept = 256 * 1024;

/// More than this of a large directory's memory is not kept for the next.
constexpr std::size_t kScratchRows = 4096;

}  // namespace

Walk::Walk(fs::Tree& tree, const index::Index& idx, const Options& options, const fs::Volume& root,
           const Frontier& frontier)
    : tree_(tree),
      index_(idx),
      options_(options),
      root_stable_(fs::stable_of(root)),
      frontier_(frontier),
      trust_(idx, options.believe_names ? NameTrust::Believe::yes : NameTrust::Believe::no),
      handles_(tree.worth_keeping(kHandlesKept)),
      names_(kNamesKept) {}

void Walk::let_go(const Child& child) {
  if (child.handle) handles_.give(1);
  if (child.names) names_.give(child.names->size());
}

std::unique_ptr<Finding> Walk::read(Task task, Scratch& scratch) {
  Reading reading(*this, task, scratch);
  if (task.child.descend) reading.read();
  if (scratch.names.capacity() > kScratchRows || scratch.records.capacity() > kScratchRows) scratch = {};
  reading.finding->block.location = std::move(task.location);
  reading.finding->block.storage = reading.storage;
  return std::move(reading.finding);
}

}  // namespace ssync::scanner
