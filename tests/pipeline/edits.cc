#include "edits.h"

#include <array>
#include <functional>
#include <ostream>
#include <string>

#include "ssync/model/path.h"

namespace ssync::pipeline_test {
namespace {

using fs::Stat;
using support::FakeTree;

constexpr std::size_t kHoleBytes = 20'000;

std::string content(unsigned number) {
  // Sizes and beginnings repeat, so that neither tells contents apart.
  switch (number % 8) {
    case 0:
      return {};
    case 1:
      return "one";
    case 2:
      return "two";
    case 3:
      return "a longer text";
    case 4:
      return std::string(5000, 'x');
    case 5:
      return std::string(4999, 'x') + "y";
    case 6:
      return std::string(9001, 'z');
    default:
      return "hole" + std::string(kHoleBytes, '\0');
  }
}

FileTime mtime_of(const std::string& text, unsigned variant) {
  const auto hash = static_cast<std::int64_t>(std::hash<std::string>{}(text) % 1'000'000);
  return {1'500'000'000 + hash, variant % 3 * 7};
}

bool is(const FakeTree& tree, std::string_view path, Stat::Type type) {
  return tree.exists(path) && tree.stat(path).type == type;
}

/// A path whose parent is a directory that exists.
std::string place(const FakeTree& tree, unsigned number) {
  static constexpr std::array<std::string_view, 3> kNames = {"a", "a-", "b\n"};
  std::string path;
  for (unsigned depth = number % 3 + 1; depth > 0; --depth) {
    number /= 3;
    path = join({path, kNames[number % 3]});
    if (!is(tree, path, Stat::Type::directory)) break;
  }
  return path;
}

void put(FakeTree& tree, const std::string& path, support::Node node) {
  node.name = split(path).name;
  tree.add(node, split(path).location);
}

void put_file(FakeTree& tree, const std::string& path, unsigned value) {
  std::string text = content(value);
  const FileTime mtime = mtime_of(text, value);
  const std::size_t size = text.size();
  if (size > kHoleBytes) text.resize(size - kHoleBytes);
  put(tree, path,
      support::file({}, text).with_size(size).with_mtime(mtime).with_mode(value % 2 == 0 ? 0644 : 0700));
}

void write(FakeTree& tree, const std::string& path, unsigned value) {
  if (!is(tree, path, Stat::Type::file)) return;
  tree.write(path, content(value));
  tree.touch(path, mtime_of(content(value), value));
}

void disguise(FakeTree& tree, const std::string& path) {
  if (!is(tree, path, Stat::Type::file)) return;
  std::string text = tree.read(path);
  const FileTime mtime = tree.stat(path).seen.values.mtime;
  if (text.empty()) return;
  text.back() = text.back() == '!' ? '?' : '!';
  tree.write(path, text);
  tree.touch(path, mtime);
}

void hard_link(FakeTree& tree, const std::string& path, const std::string& to) {
  if (path == to || !is(tree, to, Stat::Type::file) || tree.exists(path)) return;
  put(tree, path, support::hard_link({}, to));
}

/// Mostly inside of a directory that is there, rather than in its place: else trees stay small.
std::string inside(const FakeTree& tree, const std::string& path, unsigned value) {
  if (value % 8 == 0 || !is(tree, path, Stat::Type::directory)) return path;
  return join({path, value % 2 == 0 ? "c" : "d"});
}

void make_directory(FakeTree& tree, const std::string& path, unsigned value) {
  const std::string at = inside(tree, path, value);
  if (tree.exists(at) && (value % 8 != 0 || is(tree, at, Stat::Type::directory))) return;
  put(tree, at, support::dir({}));
}

bool nested(const std::string& a, const std::string& b) {
  return is_at_or_below(a, b) || is_at_or_below(b, a);
}

void move(FakeTree& tree, const std::string& from, const std::string& to) {
  if (nested(from, to) || !tree.exists(from)) return;
  if (tree.exists(to)) tree.erase(to);
  tree.move(from, to);
}

void swap(FakeTree& tree, const std::string& a, const std::string& b) {
  if (nested(a, b) || !tree.exists(a) || !tree.exists(b)) return;
  tree.move(a, "aside");
  tree.move(b, a);
  tree.move("aside", b);
}

void touch(FakeTree& tree, const std::string& path, unsigned value) {
  if (!tree.exists(path)) return;
  const bool file = is(tree, path, Stat::Type::file);
  tree.touch(path, mtime_of(file ? tree.read(path) : std::string(), value));
}

void chmod(FakeTree& tree, const std::string& path, unsigned value) {
  static constexpr std::array<std::uint16_t, 4> kModes = {0755, 0600, 0400, 02751};
  if (is(tree, path, Stat::Type::file) || is(tree, path, Stat::Type::directory))
    tree.chmod(path, kModes[value % 4]);
}

void edit_one(FakeTree& tree, const Edit& edit, Disguise disguised) {
  using Kind = Edit::Kind;
  const std::string path = place(tree, edit.path);
  const std::string other = place(tree, edit.other);
  switch (edit.kind) {
    case Kind::put:
      return put_file(tree, inside(tree, path, edit.value), edit.value);
    case Kind::write:
      return write(tree, path, edit.value);
    case Kind::disguise:
      return disguised == Disguise::yes ? disguise(tree, path) : void();
    case Kind::link:
      return put(tree, inside(tree, path, edit.value), support::link({}, edit.value % 2 == 0 ? "a" : "../b"));
    case Kind::hard_link:
      return hard_link(tree, path, other);
    case Kind::make_directory:
      return make_directory(tree, path, edit.value);
    case Kind::erase:
      return tree.exists(path) ? tree.erase(path) : void();
    case Kind::move:
      return move(tree, path, inside(tree, other, edit.value));
    case Kind::swap:
      return swap(tree, path, other);
    case Kind::chmod:
      return chmod(tree, path, edit.value);
    case Kind::touch:
      return touch(tree, path, edit.value);
  }
}

}  // namespace

std::ostream& operator<<(std::ostream& out, const Edit& edit) {
  static constexpr std::array<std::string_view, 11> kNames = {
      "put", "write", "disguise", "link", "hard_link", "mkdir", "erase", "move", "swap", "chmod", "touch"};
  return out << kNames[static_cast<std::size_t>(edit.kind)] << ' ' << edit.path << ' ' << edit.other << ' '
             << edit.value << (edit.tick ? " tick" : "");
}

void edit(FakeTree& tree, const std::vector<Edit>& edits, Disguise disguise) {
  for (const Edit& one : edits) {
    edit_one(tree, one, disguise);
    if (one.tick) tree.tick();
  }
}

}  // namespace ssync::pipeline_test

namespace rc {

Gen<ssync::pipeline_test::Edit> Arbitrary<ssync::pipeline_test::Edit>::arbitrary() {
  using ssync::pipeline_test::Edit;
  using Kind = Edit::Kind;
  const auto kinds = gen::weightedElement<Kind>({{8, Kind::put},
                                                 {1, Kind::write},
                                                 {1, Kind::disguise},
                                                 {1, Kind::link},
                                                 {1, Kind::hard_link},
                                                 {4, Kind::make_directory},
                                                 {1, Kind::erase},
                                                 {3, Kind::move},
                                                 {2, Kind::swap},
                                                 {1, Kind::chmod},
                                                 {1, Kind::touch}});
  // Three digits of base 3 and one for the depth.
  const auto paths = gen::noShrink(gen::inRange(0U, 81U));
  return gen::construct<Edit>(kinds, paths, paths, gen::inRange(0U, 24U), gen::arbitrary<bool>());
}

}  // namespace rc
