#include "random_trees.h"

#include <array>
#include <random>
#include <string>

namespace ssync::planner::test {
namespace {

// Few names and contents, so that edits meet: equal sizes with other bytes, equal contents in many places.
std::string path_for(std::uint8_t number) {
  static constexpr std::array<const char*, 5> kNames{"a", "a-", "b", "c", "d"};
  std::string path = kNames[number % 5U];
  number = static_cast<std::uint8_t>(number / 5U);
  if (number % 5U > 1) path += std::string("/") + kNames[number % 5U];
  number = static_cast<std::uint8_t>(number / 5U);
  if (number % 5U > 2) path += std::string("/") + kNames[number % 5U];
  return path;
}

std::string content_for(std::uint8_t number) {
  static constexpr std::array<const char*, 8> kContents{"",   "1",  "2",         "11",
                                                        "22", "33", "long text", "text long"};
  return kContents[number % 8U];
}

std::string parent_of(const std::string& path) {
  return std::string(split(path).location);
}

// Whether something may be put at `path`: all above it are directories or free.
bool is_reachable(const Tree& tree, const std::string& path) {
  for (std::string above = parent_of(path); !above.empty(); above = parent_of(above)) {
    const Node* node = tree.find(above);
    if (node != nullptr && node->values.kind != Kind::directory) return false;
  }
  return true;
}

void create(Tree& tree, std::uint8_t what, const std::string& path, std::uint8_t content,
            std::uint8_t mtime) {
  if (!is_reachable(tree, path)) return;
  if (tree.has(path)) tree.erase_all(path);
  if (what == 0) tree.dir(path);
  if (what == 1) tree.link(path, content_for(static_cast<std::uint8_t>(content | 1U)));
  if (what > 1) tree.file(path, content_for(content), 1000 + mtime % 3);
}

void move(Tree& tree, const std::string& from, const std::string& to) {
  if (!tree.has(from) || is_at_or_below(to, from) || is_at_or_below(from, to) || !is_reachable(tree, to))
    return;
  if (tree.has(to)) tree.erase_all(to);
  tree.move(from, to);
}

void swap(Tree& tree, const std::string& a, const std::string& b) {
  if (!tree.has(a) || !tree.has(b) || is_at_or_below(a, b) || is_at_or_below(b, a)) return;
  tree.move(a, "swapped");
  tree.move(b, a);
  tree.move("swapped", b);
}

void hard_link(Tree& tree, const std::string& from, const std::string& to) {
  Node* node = tree.find(from);
  if (node == nullptr || node->values.kind != Kind::file || tree.has(to) || !is_reachable(tree, to)) return;
  node->links = 2;
  const Node other = *node;
  tree.put(to, other);
}

void edit_one(Tree& tree, const Edit& edit) {
  const auto& [what, x, y, z] = edit;
  const std::string a = path_for(x), b = path_for(y);
  Node* node = tree.find(a);
  switch (what % 10U) {
    case 0:
    case 1:
    case 2:
    case 3:
      return create(tree, what % 10U, a, y, z);
    case 4:
      if (node != nullptr) tree.erase_all(a);
      return;
    case 5:
      return move(tree, a, b);
    case 6:
      return swap(tree, a, b);
    case 7:
      if (node != nullptr && node->values.kind != Kind::symlink) node->values.mode ^= 0111;
      return;
    case 8:
      if (node != nullptr) node->values.mtime.s = 1000 + z % 3;
      return;
    default:
      return hard_link(tree, a, b);
  }
}

void stir(Tree& tree, const Edit& edit) {
  const auto& [what, x, y, z] = edit;
  const std::vector<std::string> paths = tree.paths();
  if (paths.size() < 2) return;
  const std::string& a = paths[1 + x % (paths.size() - 1)];
  const std::string& b = paths[1 + y % (paths.size() - 1)];
  const std::string beside = join({parent_of(a), "new" + std::to_string(z % 3)});
  const std::string mark = std::to_string(z);
  switch (what % 9U) {
    case 0:
      return tree.erase_all(a);
    case 1:
      tree.erase_all(a);
      tree.file(a, "text " + mark);
      return;
    case 2:
      if (!tree.has(beside)) tree.file(beside, "news " + mark);
      return;
    case 3:
      return move(tree, a, beside);
    case 4:
      return move(tree, a, b);
    case 5:
      return move(tree, a, "out" + mark);
    case 6:
      return swap(tree, a, b);
    case 7:
      tree.erase_all(a);
      tree.link(a, mark);
      return;
    default:
      tree.erase_all(a);
      tree.file(a, "");
      return;
  }
}

bool may_pass_unread(const Node& source, const Node& mirror) {
  return !source.doubt && !mirror.doubt && mirror.wanted && source.values.size == mirror.wanted->size &&
         source.values.mtime == mirror.wanted->mtime;
}

void give_source_knowledge(Tree& source, const Tree& before, std::mt19937_64& random) {
  const std::vector<std::string> old_paths = before.paths();
  for (const std::string& path : source.paths()) {
    Node& node = *source.find(path);
    if (node.values.kind != Kind::file) continue;
    node.links = 1;
    node.doubt = random() % 2 == 0;
    node.knows_checksum = random() % 3 == 0;
    node.knows_digest = random() % 3 == 0;
    if (random() % 2 != 0) continue;
    // Where something of this content was if there is such a place, else anywhere.
    std::string from = old_paths[random() % old_paths.size()];
    for (const std::string& old : old_paths) {
      const Node& candidate = *before.find(old);
      if (candidate.inode == node.inode && candidate.content == node.content && old != path) from = old;
    }
    if (from.empty()) continue;
    const bool is_proven = random() % 2 == 0;
    const Node& old = *before.find(from);
    const bool is_true = is_proven || old.values.kind != Kind::file;
    node.origin = Node::From{from, checksum_of(is_true ? node.content : old.content), is_proven};
  }
}

void give_mirror_knowledge(Tree& mirror, const Tree& source, std::mt19937_64& random) {
  for (const std::string& path : mirror.paths()) {
    Node& node = *mirror.find(path);
    if (random() % 3 != 0) node.wanted = node.values;
    if (node.values.kind != Kind::file) continue;
    node.doubt = random() % 4 == 0;
    node.knows_checksum = !node.doubt && random() % 2 == 0;
    node.knows_digest = !node.doubt && random() % 2 == 0;
    const Node* other = source.find(path);
    if (other == nullptr || other->content == node.content || !may_pass_unread(*other, node)) continue;
    // What differs without a sign of it is no case that a sync could see.
    node.doubt = true;
    node.knows_checksum = node.knows_digest = false;
  }
}

}  // namespace

void edit(Tree& tree, const std::vector<Edit>& edits) {
  for (const Edit& one : edits)
    edit_one(tree, one);
}

Trees make_moved_trees(const std::vector<Edit>& common,
                       const std::vector<std::pair<std::uint8_t, std::uint8_t>>& moves,
                       const std::vector<Edit>& edits, const std::vector<Edit>& stirs) {
  Tree before;
  for (const auto& [what, x, y, z] : common) {
    for (const std::uint8_t place : {x, y, z}) {
      const std::string path = path_for(place);
      if (path.size() > 1 && !before.has(path)) create(before, what % 16U == 0 ? 0 : 2, path, what, what);
    }
  }
  std::uint64_t number = 0;
  for (const std::string& path : before.paths()) {
    Node& node = *before.find(path);
    if (node.values.kind == Kind::file) node.content = "file " + std::to_string(number++);
    node.values.size = node.content.size();
    node.links = 1;
    node.inode = before.new_inode();
  }
  Trees trees{before, before};
  trees.mirror.settle_mirror();
  for (const auto& [from, to] : moves)
    move(trees.source, path_for(from), path_for(to) + (to % 4 != 0 ? "+" : ""));
  for (const Edit& one : edits) {
    if (std::get<0>(one) % 10U != 9U) edit_one(trees.source, one);  // a source is listed without hard links
  }
  for (const Edit& one : stirs)
    stir(trees.source, one);
  for (const std::string& path : trees.source.paths()) {
    Node& node = *trees.source.find(path);
    const Node* here = before.find(path);
    node.doubt = node.values.kind == Kind::file && here != nullptr && here->content != node.content;
    for (const std::string& old : before.paths()) {
      const Node& candidate = *before.find(old);
      if (node.values.kind == Kind::file && candidate.inode == node.inode &&
          candidate.content == node.content && old != path)
        node.origin = Node::From{old, checksum_of(node.content), true};
    }
  }
  for (const std::string& path : trees.mirror.paths())
    trees.mirror.find(path)->knows_checksum = true;
  return trees;
}

Trees make_trees(const std::vector<Edit>& common, const std::vector<Edit>& source,
                 const std::vector<Edit>& mirror, Knowledge knowledge, std::uint64_t salt) {
  Tree before;
  edit(before, common);
  Trees trees{before, before};
  edit(trees.source, source);
  edit(trees.mirror, mirror);
  std::mt19937_64 random(salt);
  for (const std::string& path : trees.mirror.paths()) {
    Node& node = *trees.mirror.find(path);
    const Node* other = trees.source.find(path);
    node.wanted = node.values;
    const bool looks_same = other != nullptr && may_pass_unread(*other, node);
    if (looks_same && other->content != node.content) ++node.values.mtime.ns, node.wanted = node.values;
  }
  if (knowledge == Knowledge::some) {
    for (const std::string& path : trees.mirror.paths())
      trees.mirror.find(path)->wanted.reset();
    give_source_knowledge(trees.source, before, random);
    give_mirror_knowledge(trees.mirror, trees.source, random);
  }
  return trees;
}

}  // namespace ssync::planner::test
