#include "ssync/support/changes.h"

#include <stdlib.h>

#include <filesystem>

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

Change change_to(Op op, std::string_view path, fs::Tree& source, fs::Tree& mirror) {
  Change change;
  const PathView at = split(path);
  change.op = op;
  change.row = 0;
  change.location = at.location;
  change.name = at.name;
  const auto from = source.open(at.location).value();
  change.wanted = (at.name.empty() ? from->stat_self() : from->stat(at.name)).value().seen.values;
  if (change.wanted.kind == Kind::symlink) change.target = from->read_link(at.name).value();
  if (const auto to = mirror.open(at.location)) {
    if (const auto there = at.name.empty() ? (*to)->stat_self() : (*to)->stat(at.name))
      change.at_path = there->seen;
  }
  return change;
}

Change change_from(Op op, std::string_view from, std::string_view path, const Values& wanted,
                   fs::Tree& mirror) {
  Change change;
  change.op = op;
  change.row = 0;
  change.location = split(path).location;
  change.name = split(path).name;
  change.from_location = split(from).location;
  change.from_name = split(from).name;
  change.wanted = wanted;
  if (op != Op::publish_staged) change.at_from = seen(mirror, from);
  if (const auto there = mirror.open(change.location).value()->stat(change.name))
    change.at_path = there->seen;
  return change;
}

}  // namespace ssync::support
