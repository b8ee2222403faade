#include "tree.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <utility>

#include <fmt/format.h>
#include <xxhash.h>

#include "ssync/base/assert.h"
#include "ssync/base/text.h"

namespace ssync::planner::test {
namespace {

bool is_inside(const std::string& path, const std::string& directory) {
  return path != directory && is_at_or_below(path, directory);
}

std::string parent_of(const std::string& path) {
  return std::string(split(path).location);
}

}  // namespace

Checksum checksum_of(std::string_view content) {
  XXH128_canonical_t canonical;
  XXH128_canonicalFromHash(&canonical, XXH3_128bits(content.data(), content.size()));
  Checksum checksum{};
  std::memcpy(checksum.data(), canonical.digest, checksum.size());
  return checksum;
}

Digest digest_of(std::string_view content) {
  Digest digest;
  const XXH128_hash_t low = XXH3_128bits_withSeed(content.data(), content.size(), 1);
  const XXH128_hash_t high = XXH3_128bits_withSeed(content.data(), content.size(), 2);
  std::memcpy(digest.bytes.data(), &low, 16);
  std::memcpy(digest.bytes.data() + 16, &high, 16);
  return digest;
}

Tree::Tree() {
  Node root;
  root.values.kind = Kind::directory;
  root.values.mode = 0755;
  root.values.mtime = {1000, 0};
  root.inode = 1;
  nodes_.emplace("", std::move(root));
}

Node& Tree::put(const std::string& path, Node node) {
  if (!path.empty() && !has(parent_of(path))) dir(parent_of(path));
  return nodes_[path] = std::move(node);
}

Node& Tree::dir(const std::string& path, std::uint16_t mode) {
  Node node;
  node.values.kind = Kind::directory;
  node.values.mode = mode;
  node.values.mtime = {1000, 0};
  node.inode = new_inode();
  return put(path, std::move(node));
}

Node& Tree::file(const std::string& path, std::string content, std::int64_t mtime) {
  Node node;
  node.values.kind = Kind::file;
  node.values.mode = 0644;
  node.values.mtime = {mtime, 7};
  node.values.size = content.size();
  node.content = std::move(content);
  node.inode = new_inode();
  return put(path, std::move(node));
}

Node& Tree::link(const std::string& path, std::string target, std::int64_t mtime) {
  Node node;
  node.values.kind = Kind::symlink;
  node.values.mtime = {mtime, 0};
  node.target = std::move(target);
  node.inode = new_inode();
  return put(path, std::move(node));
}

Node& Tree::special(const std::string& path, std::uint64_t which) {
  Node node;
  node.values.kind = Kind::special;
  node.values.size = which;
  node.inode = new_inode();
  return put(path, std::move(node));
}

Node& Tree::unreadable(const std::string& path) {
  Node node;
  node.values.kind = Kind::unreadable;
  return put(path, std::move(node));
}

Node* Tree::find(const std::string& path) {
  const auto at = nodes_.find(path);
  return at == nodes_.end() ? nullptr : &at->second;
}

const Node* Tree::find(const std::string& path) const {
  const auto at = nodes_.find(path);
  return at == nodes_.end() ? nullptr : &at->second;
}

bool Tree::has_children(const std::string& path) const {
  return std::any_of(nodes_.begin(), nodes_.end(),
                     [&](const auto& item) { return is_inside(item.first, path); });
}

void Tree::erase_all(const std::string& path) {
  SSYNC_ASSERT(!path.empty());
  std::erase_if(nodes_, [&](const auto& item) { return is_at_or_below(item.first, path); });
}

void Tree::move(const std::string& from, const std::string& to) {
  SSYNC_ASSERT(has(from) && !has(to) && !is_at_or_below(to, from));
  std::vector<std::pair<std::string, Node>> moved;
  for (const auto& [path, node] : nodes_) {
    if (is_at_or_below(path, from)) moved.emplace_back(to + path.substr(from.size()), node);
  }
  erase_all(from);
  for (auto& [path, node] : moved)
    put(path, std::move(node));
}

Node Tree::take(const std::string& path) {
  Node node = std::move(nodes_.at(path));
  nodes_.erase(path);
  return node;
}

std::vector<std::string> Tree::paths() const {
  std::vector<std::string> paths;
  for (const auto& item : nodes_)
    paths.push_back(item.first);
  std::sort(paths.begin(), paths.end(),
            [](const std::string& a, const std::string& b) { return compare_rows(split(a), split(b)) < 0; });
  return paths;
}

void Tree::settle_mirror() {
  for (auto& [path, node] : nodes_) {
    node.wanted = node.values;
    node.doubt = false;
    node.knows_checksum = node.values.kind == Kind::file;
  }
}

std::string Tree::text() const {
  std::string text;
  for (const std::string& path : paths()) {
    const Node& node = *find(path);
    text += fmt::format("'{}' kind {} mode {:o} mtime {} '{}{}' inode {} links {}{}{}{}{}\n", path,
                        static_cast<int>(node.values.kind), node.values.mode, node.values.mtime.s,
                        node.content, node.target, node.inode, node.links, node.doubt ? " doubt" : "",
                        node.knows_checksum ? " checksum" : "", node.knows_digest ? " digest" : "",
                        node.wanted ? " wanted" : "");
    if (node.origin)
      text += fmt::format("    from '{}'{}\n", node.origin->path, node.origin->proven ? " proven" : "");
  }
  return text;
}

Row row(RowId id, std::string_view location, std::string_view name, Kind kind) {
  Row made;
  made.id = id;
  made.location = location;
  made.name = name;
  made.values.kind = kind;
  return made;
}

std::vector<RowBatch> list(const Tree& tree, std::size_t batch_rows) {
  std::vector<RowBatch> batches(1);
  RowId id = 0;
  for (const std::string& path : tree.paths()) {
    if (batches.back().rows.size() == batch_rows) batches.emplace_back();
    // A batch's views must not outlive it; its text is freed with it, so that a planner that keeps views is
    // found out.
    const Node& node = *tree.find(path);
    std::string text = path + node.target + (node.origin ? node.origin->path : "");
    Buffer storage = Buffer::copy_of(std::as_bytes(std::span<const char>(text)));
    auto owner =
        std::make_shared<std::pair<Buffer, Buffer>>(std::move(storage), std::move(batches.back().storage));
    const auto bytes = owner->first.bytes();
    const std::string_view all(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    batches.back().storage = Buffer::adopt(owner, owner->first.writable());
    Row row;
    row.location = split(all.substr(0, path.size())).location;
    row.name = split(all.substr(0, path.size())).name;
    row.target = all.substr(path.size(), node.target.size());
    row.id = id++;
    row.values = node.values;
    row.doubt = node.doubt;
    if (node.knows_checksum) row.checksum = checksum_of(node.content);
    if (node.knows_digest) row.digest = digest_of(node.content);
    if (node.origin) {
      const PathView from = split(all.substr(path.size() + node.target.size()));
      row.origin = Origin{from.location, from.name, node.origin->checksum, node.origin->proven};
    }
    batches.back().rows.push_back(row);
  }
  batches.back().last = true;
  return batches;
}

Seen seen_of(const Node& node) {
  Seen seen;
  seen.values = node.values;
  seen.device = 5;
  seen.inode = node.inode;
  seen.links = node.links;
  return seen;
}

std::vector<ScanBlock> scan(const Tree& tree) {
  std::vector<ScanBlock> blocks;
  std::map<std::string, std::size_t> block_of;
  std::vector<std::string> directories;
  const std::vector<std::string> paths = tree.paths();
  for (const std::string& path : paths) {
    if (tree.find(path)->values.kind == Kind::directory) directories.push_back(path);
  }
  std::sort(directories.begin(), directories.end(),
            [](const std::string& a, const std::string& b) { return compare_locations(a, b) < 0; });
  for (const std::string& path : directories) {
    block_of[path] = blocks.size();
    blocks.emplace_back().location = path;
  }
  blocks.front().self = seen_of(*tree.find(""));
  for (const std::string& path : paths) {
    if (path.empty()) continue;
    const Node& node = *tree.find(path);
    ScanBlock& block = blocks[block_of.at(parent_of(path))];
    auto text = std::make_shared<std::pair<std::pair<std::string, std::string>, std::shared_ptr<const void>>>(
        std::pair(std::string(split(path).name), node.target), block.storage);
    ScannedEntry entry;
    entry.name = text->first.first;
    entry.target = text->first.second;
    block.storage = text;
    entry.seen = seen_of(node);
    entry.doubt = node.doubt;
    entry.retry = node.retry;
    entry.wanted = node.wanted;
    if (node.knows_checksum) entry.checksum = checksum_of(node.content);
    entry.has_digest = node.knows_digest;
    if (node.values.kind == Kind::unreadable) {
      Problem problem;
      problem.location = parent_of(path);
      problem.name = split(path).name;
      problem.text = "lstat";
      problem.subtree = true;
      block.problems.push_back(std::move(problem));
    }
    block.entries.push_back(entry);
  }
  return blocks;
}

}  // namespace ssync::planner::test
