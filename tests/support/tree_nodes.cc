#include "ssync/support/tree_nodes.h"

#include <algorithm>
#include <span>

#include <fmt/format.h>

#include "ssync/base/text.h"
#include "ssync/fs/staging.h"

namespace ssync::support {
namespace {

Result<void> build_metadata(fs::Directory& in, const Node& node) {
  if (node.owner) SSYNC_TRY_VOID(in.set_owner(node.name, *node.owner));
  SSYNC_TRY_VOID(in.set_mode(node.name, node.mode));
  return in.set_mtime(node.name, node.mtime);
}

Result<void> build_one(fs::Tree& tree, const Node& node, std::string_view location) {
  SSYNC_TRY(const auto in, tree.open(location));
  switch (node.type) {
    case Node::Type::directory:
      SSYNC_TRY_VOID(in->make_directory(node.name, node.mode));
      SSYNC_TRY_VOID(build(tree, node.children, join({location, node.name})));
      break;
    case Node::Type::symlink:
      SSYNC_TRY_VOID(in->make_link(node.name, node.text));
      break;
    case Node::Type::file: {
      SSYNC_TRY(const auto made, in->create_file(node.name, node.mode));
      SSYNC_TRY_VOID(made->write_at(0, std::as_bytes(std::span(node.text))));
      if (node.size > node.text.size()) SSYNC_TRY_VOID(made->truncate(node.size));
      break;
    }
    default:
      return fail(Errc::unsupported, "only a FakeTree builds " + node.name);
  }
  return build_metadata(*in, node);
}

class Dumper {
 public:
  Dumper(fs::Tree& tree, const DumpOptions& options) : tree_(tree), options_(options) {}

  std::string run() {
    directory("");
    return std::move(text_);
  }

 private:
  void directory(const std::string& location) {
    const auto opened = tree_.open(location);
    if (!opened) return line(location, opened.error().text());
    if (location.empty() && options_.root) {
      const auto self = (*opened)->stat_self();
      line("", self ? values(*self) : self.error().text());
    }
    fs::NameList names;
    if (const auto listed = (*opened)->list(names); !listed) line(location, listed.error().text());
    std::vector<std::string> sorted;
    for (std::size_t i = 0; i < names.size(); ++i)
      sorted.emplace_back(names[i]);
    std::ranges::sort(sorted);
    std::vector<std::string> below;
    for (const std::string& name : sorted) {
      if (!options_.staging && location.empty() && fs::is_staging_name(name)) continue;
      if (entry(**opened, location, name)) below.push_back(join({location, name}));
    }
    for (const std::string& next : below)
      directory(next);
  }

  // True for a directory.
  bool entry(fs::Directory& in, const std::string& location, const std::string& name) {
    const auto stat = in.stat(name);
    const std::string path = join({location, name});
    if (!stat) {
      line(path, stat.error().text());
      return false;
    }
    std::string text = values(*stat);
    if (stat->type == fs::Stat::Type::file) text += " " + content(path);
    if (stat->type == fs::Stat::Type::symlink) {
      const auto target = in.read_link(name);
      text += " -> " + (target ? escape(*target) : target.error().text());
    }
    line(path, text);
    return stat->type == fs::Stat::Type::directory;
  }

  [[nodiscard]] std::string values(const fs::Stat& stat) const {
    static constexpr const char* kKinds[] = {"file", "dir", "link", "other"};
    const Values& has = stat.seen.values;
    const bool is_link = stat.type == fs::Stat::Type::symlink;
    std::string text = kKinds[static_cast<std::size_t>(stat.type)];
    if (options_.mode) text += is_link ? " -" : fmt::format(" {:04o}", has.mode);
    text += stat.type == fs::Stat::Type::file ? fmt::format(" {}", has.size) : " -";
    if (options_.mtime) text += fmt::format(" {}.{:09}", has.mtime.s, has.mtime.ns);
    if (options_.owner) text += fmt::format(" {}:{}", has.owner.uid, has.owner.gid);
    return text;
  }

  std::string content(const std::string& path) {
    const auto bytes = read_file(tree_, path);
    if (!bytes) return bytes.error().text();
    const auto printable = [](char c) { return c >= ' ' && c <= '~' && c != '"'; };
    if (bytes->size() <= 40 && std::ranges::all_of(*bytes, printable)) return "\"" + *bytes + "\"";
    std::uint64_t hash = 14695981039346656037U;  // FNV-1a
    for (const char byte : *bytes)
      hash = (hash ^ static_cast<unsigned char>(byte)) * 1099511628211U;
    return fmt::format("fnv:{:016x}", hash);
  }

  void line(std::string_view path, const std::string& what) {
    std::string shown = path.empty() ? "." : escape(path);
    const std::string_view first = path.substr(0, path.find('/'));
    if (fs::is_staging_name(first)) shown = ".server-sync.*" + shown.substr(first.size());
    text_ += shown + " " + what + "\n";
  }

  fs::Tree& tree_;
  const DumpOptions& options_;
  std::string text_;
};

}  // namespace

Node file(std::string name, std::string content) {
  return Node{.type = Node::Type::file, .name = std::move(name), .text = std::move(content)};
}

Node link(std::string name, std::string target) {
  return Node{.type = Node::Type::symlink, .name = std::move(name), .text = std::move(target), .mode = 0};
}

Node special(std::string name) {
  return Node{.type = Node::Type::special, .name = std::move(name)};
}

Node hard_link(std::string name, std::string path) {
  return Node{.type = Node::Type::hard_link, .name = std::move(name), .text = std::move(path)};
}

Result<void> build(fs::Tree& tree, const std::vector<Node>& nodes, std::string_view location) {
  for (const Node& node : nodes)
    SSYNC_TRY_VOID(build_one(tree, node, location));
  return {};
}

std::string dump(fs::Tree& tree, const DumpOptions& options) {
  return Dumper(tree, options).run();
}

Result<std::string> read_file(fs::Tree& tree, std::string_view path) {
  const PathView parts = split(path);
  SSYNC_TRY(const auto in, tree.open(parts.location));
  SSYNC_TRY(const auto opened, in->open_file(parts.name));
  SSYNC_TRY(const fs::Stat stat, opened->stat());
  std::string content(stat.seen.values.size, '\0');
  SSYNC_TRY(const std::size_t got, opened->read_at(0, std::as_writable_bytes(std::span(content))));
  content.resize(got);
  return content;
}

}  // namespace ssync::support
