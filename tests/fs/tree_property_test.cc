// Any sequence of operations ends the same on the real file system and on the fake: the same answers, the
// same tree.
#include <sys/stat.h>

#include <array>
#include <memory>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "tree_suite.h"

namespace ssync::fs {
namespace {

enum class Do : std::uint8_t {
  create,
  write,
  truncate,
  copy,
  make_directory,
  make_link,
  remove,
  remove_directory,
  rename,
  rename_new,
  exchange,
  set_mode,
  set_mtime,
  set_owner,
  open,
  read_link,
  list
};

struct Step {
  Do what;
  std::uint8_t path, to;  // which of kPaths
  std::uint16_t number;   // mode, size, offset
};

// Few enough to meet often, deep enough for a directory to go into itself.
constexpr std::array<std::string_view, 8> kPaths{"a", "b", "a/a", "a/b", "b/a", "a/a/a", "a/a/b", "b/a/a"};

std::ostream& operator<<(std::ostream& out, const Step& step) {
  return out << "{" << static_cast<int>(step.what) << " " << kPaths[step.path] << " " << kPaths[step.to]
             << " " << step.number << "}";
}

template <typename T>
std::string answer(const Result<T>& result) {
  return result ? "fine" : std::string(to_string(result.error().code));
}

std::string change_file(Directory& in, std::string_view name, const Step& step) {
  auto made = in.create_file(name, step.number & 07777U);
  if (!made) return answer(made);
  const Result<void> written = (*made)->write_at(step.number % 9000U, bytes("text"));
  if (step.what == Do::truncate) return answer((*made)->truncate(step.number % 5000U));
  return answer(written);
}

std::string copy(Directory& from_in, std::string_view from, Directory& to_in, std::string_view to) {
  auto opened = from_in.open_file(from);
  if (!opened) return answer(opened);
  auto made = to_in.create_file(to, 0600);
  if (!made) return answer(made);
  return answer((*made)->copy_content(**opened, {}));
}

std::string list(Directory& in) {
  NameList names;
  const Result<void> listed = in.list(names);
  return answer(listed) + std::to_string(names.size());
}

std::string carry_out(Tree& tree, const Step& step) {
  const PathView path = split(kPaths[step.path]);
  const PathView to = split(kPaths[step.to]);
  auto in = tree.open(path.location);
  if (!in) return answer(in);
  auto there = tree.open(to.location);
  if (!there) return answer(there);
  Directory& d = **in;
  switch (step.what) {
    case Do::create:
    case Do::write:
    case Do::truncate:
      return change_file(d, path.name, step);
    case Do::copy:
      return copy(d, path.name, **there, to.name);
    case Do::make_directory:
      return answer(d.make_directory(path.name, step.number & 07777U));
    case Do::make_link:
      return answer(d.make_link(path.name, kPaths[step.to]));
    case Do::remove:
      return answer(d.remove(path.name));
    case Do::remove_directory:
      return answer(d.remove_directory(path.name));
    case Do::rename:
      return answer(d.rename(path.name, **there, to.name, Replace::yes));
    case Do::rename_new:
      return answer(d.rename(path.name, **there, to.name, Replace::no));
    case Do::exchange:
      return answer(d.rename(path.name, **there, to.name, Replace::exchange));
    case Do::set_mode:
      return answer(d.set_mode(path.name, (step.number & 07777U) | 0700U));
    case Do::set_mtime:
      return answer(d.set_mtime(path.name, {step.number, 5}));
    case Do::set_owner:
      return answer(d.set_owner(path.name, {::geteuid(), ::getegid()}));
    case Do::open:
      return answer(tree.open(kPaths[step.path]));
    case Do::read_link:
      return answer(d.read_link(path.name));
    case Do::list:
      return list(d);
  }
  return "unknown";
}

void same_on_both(const std::vector<Step>& steps) {
  ::umask(0);  // as the programs do; the real make_directory() leaves it to set_mode()
  const TemporaryDirectory directory(memory_parent().empty() ? disk_parent() : memory_parent());
  Root root = Root::open(directory.path(), Root::Lock::no).value();
  support::FakeTree fake;
  for (const Step& step : steps) {
    RC_ASSERT(carry_out(root.tree(), step) == carry_out(fake, step));
    const support::DumpOptions options{.mtime = false, .root = false};
    RC_ASSERT(support::dump(root.tree(), options) == support::dump(fake, options));
  }
}

RC_GTEST_PROP(TreePropertyTest, RealAndFakeAnswerTheSame, ()) {
  const auto any_path = rc::gen::inRange<std::uint8_t>(0, kPaths.size());
  const auto any_step =
      rc::gen::construct<Step>(rc::gen::map(rc::gen::inRange(0, static_cast<int>(Do::list) + 1),
                                            [](int what) { return static_cast<Do>(what); }),
                               any_path, any_path, rc::gen::inRange<std::uint16_t>(0, 10'000));
  // Mostly directories first, so that the deeper paths exist.
  std::vector<Step> steps{
      {Do::make_directory, 0, 0, 0755}, {Do::make_directory, 2, 0, 0755}, {Do::make_directory, 1, 0, 0755}};
  const auto more = *rc::gen::container<std::vector<Step>>(any_step);
  steps.insert(steps.end(), more.begin(), more.end());
  same_on_both(steps);
}

}  // namespace
}  // namespace ssync::fs
