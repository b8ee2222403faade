#include "apply.h"

#include <utility>

namespace ssync::planner::test {
namespace {

std::string path_of(const Change& change) {
  return join(change.path());
}
std::string from_of(const Change& change) {
  return join(change.from()->path());
}

// Whether `node` is what the planner saw. Directories change their times while things change inside.
bool is_seen(const Node& node, const Seen& seen) {
  if (node.inode != seen.inode || node.values.kind != seen.values.kind) return false;
  if (node.values.kind == Kind::directory) return true;
  return node.values.size == seen.values.size && node.values.mtime == seen.values.mtime &&
         (node.links > 1) == (seen.links > 1);
}

}  // namespace

Applier::Applier(const Tree& source, Tree& mirror, TreeDigest& digest, const Options& options)
    : source_(source), mirror_(mirror), digest_(digest), options_(options), source_paths_(source.paths()) {}

std::string Applier::finish() const {
  return staged_.empty() ? "" : "left in staging: " + staged_.begin()->first;
}

// Parent there, path free or with what may be replaced.
std::string Applier::check_place(const Change& change) const {
  const std::string path = path_of(change);
  const Node* parent = mirror_.find(change.location);
  if (parent == nullptr || parent->values.kind != Kind::directory) return "no parent directory for " + path;
  const Node* there = mirror_.find(path);
  if (!change.at_path) return there == nullptr ? "" : "not free: " + path;
  if (there == nullptr) return "nothing at " + path + " though something was to be replaced";
  if (there->values.kind != change.wanted.kind) return "another kind at " + path;
  return is_seen(*there, *change.at_path) ? "" : "something else at " + path;
}

std::string Applier::check_content(const Change& change, const std::string& content) const {
  const std::string path = path_of(change);
  if (change.checksum && *change.checksum != checksum_of(content)) return "wrong checksum for " + path;
  if (change.digest && *change.digest != digest_of(content)) return "wrong digest for " + path;
  const Node* source = source_.find(path);
  if (source == nullptr || source_paths_.at(change.row) != path) return "wrong row for " + path;
  if (source->content != content) return "wrong content for " + path;
  if (options_.compare_content && !change.checksum) return "no checksum for " + path;
  return change.wanted == source->values ? "" : "wrong values for " + path;
}

std::string Applier::check_from(const Change& change) const {
  const std::string from = from_of(change);
  const Node* node = mirror_.find(from);
  if (node == nullptr) return "nothing at " + from;
  if (!change.from()->seen || !is_seen(*node, *change.from()->seen)) return "something else at " + from;
  const Node* there = mirror_.find(path_of(change));
  if (there != nullptr && there->inode == node->inode && change.op() != Op::stage_rename &&
      change.op() != Op::stage_copy) {
    return "both names of one inode: " + from;
  }
  return check_content(change, node->content);
}

// What a real directory does.
void Applier::touch(const std::string& path) {
  for (const std::string& directory : {std::string(split(path).location), std::string()}) {
    if (Node* node = mirror_.find(directory)) node->values.mtime = {9'999'999, 0};
  }
}

void Applier::fold(const std::string& path, const Node& node, const Values& wanted) {
  std::optional<Checksum> checksum;
  if (options_.compare_content && wanted.kind == Kind::file) checksum = checksum_of(node.content);
  const PathView view = split(path);
  digest_.add(view.location,
              row_hash(view.name, project(wanted, options_.attributes), node.target, checksum));
}

void Applier::place(const Change& change, Node node) {
  node.values = change.wanted;
  fold(path_of(change), node, change.wanted);
  mirror_.put(path_of(change), std::move(node));
  touch(path_of(change));
}

std::string Applier::create(const Change& change, Kind kind) {
  if (change.wanted.kind != kind) return "wrong kind for " + path_of(change);
  if (std::string wrong = check_place(change); !wrong.empty()) return wrong;
  Node node;
  node.values = change.wanted;
  node.target = change.target();
  node.inode = mirror_.new_inode();
  if (kind == Kind::file) {
    if (std::string wrong = check_content(change, ""); !wrong.empty()) return wrong;
  }
  if (kind == Kind::directory) {
    if (change.at_path) return "a directory made over something";
    node.values.mode = 0700;  // its own values come last
    mirror_.put(path_of(change), std::move(node));
    touch(path_of(change));
    return "";
  }
  place(change, std::move(node));
  return "";
}

// Other letters for what stands there; its content follows.
std::string Applier::respell(const Change& change) {
  const std::string from = from_of(change);
  const Node* node = mirror_.find(from);
  if (node == nullptr || !change.from()->seen || !is_seen(*node, *change.from()->seen))
    return "something else at " + from;
  if (mirror_.find(path_of(change)) != nullptr) return "not free: " + path_of(change);
  mirror_.put(path_of(change), mirror_.take(from));
  touch(from);
  return "";
}

std::string Applier::copy_or_move(const Change& change) {
  if (change.respells()) return respell(change);
  if (std::string wrong = check_place(change); !wrong.empty()) return wrong;
  if (std::string wrong = check_from(change); !wrong.empty()) return wrong;
  Node node = *mirror_.find(from_of(change));
  if (change.op() == Op::copy) {
    node.inode = mirror_.new_inode();
    node.links = 1;
  } else {
    node = mirror_.take(from_of(change));
    touch(from_of(change));
  }
  place(change, std::move(node));
  return "";
}

std::string Applier::move_directory(const Change& change) {
  if (std::string wrong = check_place(change); !wrong.empty()) return wrong;
  const std::string path = path_of(change), from = from_of(change);
  const Node* node = mirror_.find(from);
  if (node == nullptr || !change.from()->seen || !is_seen(*node, *change.from()->seen))
    return "not what was to be moved: " + from;
  if (node->values.kind != Kind::directory) return "no directory to move: " + from;
  if (change.at_path) return "a directory moved over something";
  touch(from);
  mirror_.move(from, path);
  touch(path);
  return "";
}

std::string Applier::exchange(const Change& change) {
  if (std::string wrong = check_place(change); !wrong.empty()) return wrong;
  if (std::string wrong = check_from(change); !wrong.empty()) return wrong;
  const std::string path = path_of(change), from = from_of(change);
  if (!change.at_path) return "nothing to exchange at " + path;
  const std::optional<Change::Exchange::Other>& back = std::get<Change::Exchange>(change.step).other;
  if (back && source_paths_.at(back->row) != from) return "wrong row for the other side of " + path;
  Node mine = mirror_.take(path), other = mirror_.take(from);
  if (!back) {  // on its way to a third path
    place(change, std::move(other));
    mirror_.put(from, std::move(mine));
    touch(from);
    return "";
  }
  if (mine.content != source_.find(from)->content) return "wrong content for " + from;
  if (back->checksum && *back->checksum != checksum_of(mine.content)) return "wrong checksum for " + from;
  if (options_.compare_content && !back->checksum) return "no checksum for " + from;
  place(change, std::move(other));
  mine.values = back->wanted;
  fold(from, mine, back->wanted);
  mirror_.put(from, std::move(mine));
  touch(from);
  return "";
}

std::string Applier::stage(const Change& change) {
  if (std::string wrong = check_from(change); !wrong.empty()) return wrong;
  if (change.at_path) return "staging does not touch the path";
  if (staged_.contains(path_of(change))) return "staged twice: " + path_of(change);
  const std::string from = from_of(change);
  Node node = *mirror_.find(from);
  if (change.op() == Op::stage_rename) {
    node = mirror_.take(from);
    touch(from);
  } else {
    node.inode = mirror_.new_inode();
    node.links = 1;
  }
  touch("");
  staged_.emplace(path_of(change), std::move(node));
  return "";
}

std::string Applier::publish(const Change& change) {
  const auto staged = staged_.find(path_of(change));
  if (staged == staged_.end()) return "not staged: " + path_of(change);
  if (std::string wrong = check_place(change); !wrong.empty()) return wrong;
  if (std::string wrong = check_content(change, staged->second.content); !wrong.empty()) return wrong;
  place(change, std::move(staged->second));
  staged_.erase(staged);
  return "";
}

std::string Applier::remove(const Change& change) {
  const std::string path = path_of(change);
  const Node* node = mirror_.find(path);
  if (node == nullptr) return "nothing to remove at " + path;
  if (!change.at_path || !is_seen(*node, *change.at_path)) return "not what was to be removed: " + path;
  if ((node->values.kind == Kind::directory) != (change.op() == Op::remove_directory))
    return "wrong kind of removal: " + path;
  if (mirror_.has_children(path)) return "not empty: " + path;
  mirror_.erase_all(path);
  touch(path);
  return "";
}

std::string Applier::request(const Change& change) {
  if (std::string wrong = check_place(change); !wrong.empty()) return wrong;
  const Node* source = source_.find(path_of(change));
  if (source == nullptr || source_paths_.at(change.row) != path_of(change))
    return "wrong row for " + path_of(change);
  Node node;
  node.content = source->content;
  node.inode = mirror_.new_inode();
  place(change, std::move(node));
  return "";
}

std::string Applier::set_metadata(const Change& change) {
  const std::string path = path_of(change);
  Node* node = mirror_.find(path);
  if (node == nullptr || node->values.kind != change.wanted.kind) return "nothing to set values on: " + path;
  if (change.at_path && !is_seen(*node, *change.at_path)) return "something else at " + path;
  if (change.wanted.kind == Kind::file) {
    if (std::string wrong = check_content(change, node->content); !wrong.empty()) return wrong;
  }
  const bool is_right =
      project(node->values, options_.attributes) == project(change.wanted, options_.attributes);
  using Purpose = Change::SetMetadata::Purpose;
  const bool is_record = change.is(Purpose::record);
  if (is_record && !is_right) return "only recorded, but not right: " + path;
  if (!is_record && change.wanted.kind == Kind::file && node->links > 1) {
    node->inode = mirror_.new_inode();
    node->links = 1;
    touch(path);
  }
  if (!is_record) node->values = change.wanted;
  if (!change.is(Purpose::restore)) fold(path, *node, change.wanted);
  return "";
}

std::string Applier::apply(const Change& change) {
  switch (change.op()) {
    case Op::make_directory:
      return create(change, Kind::directory);
    case Op::make_link:
      return create(change, Kind::symlink);
    case Op::make_empty:
      return create(change, Kind::file);
    case Op::copy:
    case Op::rename:
      return copy_or_move(change);
    case Op::exchange:
      return exchange(change);
    case Op::stage_rename:
    case Op::stage_copy:
      return stage(change);
    case Op::publish_staged:
      return publish(change);
    case Op::remove:
    case Op::remove_directory:
      return remove(change);
    case Op::request:
      return request(change);
    case Op::set_metadata:
      return set_metadata(change);
    case Op::rename_directory:
      return move_directory(change);
  }
  return "unexpected op";
}

}  // namespace ssync::planner::test
