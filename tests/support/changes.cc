#include "ssync/support/changes.h"

#include <stdlib.h>

#include <filesystem>
#include <utility>
#include <variant>

#include "ssync/base/assert.h"
#include "ssync/model/path.h"

namespace ssync::support {

TemporaryRoot::TemporaryRoot() {
  path_ = (std::filesystem::temp_directory_path() / "transfer-XXXXXX").string();
  SSYNC_ASSERT(::mkdtemp(path_.data()) != nullptr);
  root_ = fs::Root::open(path_, fs::Root::Lock::no).value();
}

TemporaryRoot::~TemporaryRoot() {
  root_.reset();
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

Seen seen(fs::Tree& tree, std::string_view path) {
  const PathView at = split(path);
  const auto directory = tree.open(at.location).value();
  return (at.name.empty() ? directory->stat_self() : directory->stat(at.name)).value().seen;
}

namespace {

template <std::size_t... kIndices>
Change::Step step_at(std::size_t index, std::index_sequence<kIndices...>) {
  Change::Step step;
  (void)((index == kIndices && (step.emplace<kIndices>(), true)) || ...);
  return step;
}

}  // namespace

Change::Step step_of(Op op) {
  return step_at(static_cast<std::size_t>(op) - 1,
                 std::make_index_sequence<std::variant_size_v<Change::Step>>());
}

Change change_to(Op op, std::string_view path, fs::Tree& source, fs::Tree& mirror) {
  Change change;
  const PathView at = split(path);
  change.step = step_of(op);
  change.row = 0;
  change.location = at.location;
  change.name = at.name;
  const auto from = source.open(at.location).value();
  change.wanted = (at.name.empty() ? from->stat_self() : from->stat(at.name)).value().seen.values;
  if (auto* link = std::get_if<Change::MakeLink>(&change.step))
    link->target = from->read_link(at.name).value();
  if (const auto to = mirror.open(at.location)) {
    if (const auto there = at.name.empty() ? (*to)->stat_self() : (*to)->stat(at.name))
      change.at_path = there->seen;
  }
  return change;
}

Change change_from(Op op, std::string_view from, std::string_view path, const Values& wanted,
                   fs::Tree& mirror) {
  Change change;
  change.step = step_of(op);
  change.row = 0;
  change.location = split(path).location;
  change.name = split(path).name;
  change.wanted = wanted;
  if (Change::From* const at = change.from()) {
    at->location = split(from).location;
    at->name = split(from).name;
    at->seen = seen(mirror, from);
  }
  if (const auto there = mirror.open(change.location).value()->stat(change.name))
    change.at_path = there->seen;
  return change;
}

}  // namespace ssync::support
