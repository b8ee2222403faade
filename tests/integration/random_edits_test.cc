// A random tree, random edits on either side, a sync after each, judged each time. SSYNC_SEED repeats a run,
// SSYNC_STEPS makes it longer.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <random>

#include <gtest/gtest.h>

#include "harness.h"

namespace ssync::integration {
namespace {

/// Edits a tree at random. Everything follows from the seed and the tree.
class Editor {
 public:
  explicit Editor(std::uint64_t seed) : random_(seed) {}

  std::string edit(const stdfs::path& root) {
    const std::vector<stdfs::path> all = entries(root);
    switch (pick(14)) {
      case 0:
        return create_file(root);
      case 1:
        return create_directory(root);
      case 2:
        return create_link(root);
      case 3:
        return with_file(all, "modify", [&](const stdfs::path& path) { write_file(path, content()); });
      case 4:
        return with_file(all, "append",
                         [&](const stdfs::path& path) { write_file(path, read_file(path) + content()); });
      case 5:
        return with_file(all, "truncate", [&](const stdfs::path& path) {
          stdfs::resize_file(path, stdfs::file_size(path) / 2);
        });
      case 6:
        return with_file(all, "edit in place, times restored",
                         [&](const stdfs::path& path) { disguise(path); });
      case 7:
        return with_any(all, "rename", [&](const stdfs::path& path) { rename(root, path); });
      case 8:
        return swap(all);
      case 9:
        return with_any(all, "replace kind", [&](const stdfs::path& path) { replace(path); });
      case 10:
        return with_any(all, "chmod", [&](const stdfs::path& path) { change_mode(path); });
      case 11:
        return with_any(all, "touch", [&](const stdfs::path& path) {
          set_mtime(path, static_cast<std::int64_t>(pick(2'000'000'000)),
                    static_cast<std::int64_t>(pick(1'000'000'000)));
        });
      case 12:
        return with_any(all, "delete", [&](const stdfs::path& path) { stdfs::remove_all(path); });
      default:
        return with_file(all, "copy",
                         [&](const stdfs::path& path) { write_file(fresh(root), read_file(path)); });
    }
  }
  std::uint64_t pick(std::uint64_t below) { return below == 0 ? 0 : random_() % below; }

 private:
  static std::vector<stdfs::path> entries(const stdfs::path& root) {
    std::vector<stdfs::path> found;
    for (const auto& entry : stdfs::recursive_directory_iterator(root))
      found.push_back(entry.path());
    std::sort(found.begin(), found.end());  // the order of a directory is not repeatable
    return found;
  }
  static bool is_file(const stdfs::path& path) { return stdfs::is_regular_file(stdfs::symlink_status(path)); }
  static bool is_directory(const stdfs::path& path) {
    return stdfs::is_directory(stdfs::symlink_status(path));
  }

  std::string content() {
    const std::uint64_t sizes[] = {0, 1, 100, 4096, 70'000, 700'000};
    return random_bytes(pick(6), sizes[pick(6)]);  // few seeds: equal contents turn up
  }
  stdfs::path directory(const stdfs::path& root) {
    std::vector<stdfs::path> found{root};
    for (const stdfs::path& path : entries(root)) {
      if (is_directory(path)) found.push_back(path);
    }
    return found[pick(found.size())];
  }
  stdfs::path fresh(const stdfs::path& root) {
    static const char* const names[] = {"a", "b", "c", "a-b", "a.b", "\xc3\xa9", "\xff", "sp ace"};
    const stdfs::path parent = directory(root);
    for (;;) {
      stdfs::path path = parent / (std::string(names[pick(8)]) + std::to_string(pick(40)));
      if (!stdfs::exists(stdfs::symlink_status(path))) return path;
    }
  }
  std::string create_file(const stdfs::path& root) {
    const stdfs::path path = fresh(root);
    write_file(path, content());
    return "create " + path.string();
  }
  std::string create_directory(const stdfs::path& root) {
    const stdfs::path path = fresh(root);
    stdfs::create_directory(path);
    return "mkdir " + path.string();
  }
  std::string create_link(const stdfs::path& root) {
    const stdfs::path path = fresh(root);
    stdfs::create_symlink("target" + std::to_string(pick(5)), path);
    return "link " + path.string();
  }
  template <typename Do>
  std::string with_file(const std::vector<stdfs::path>& all, const std::string& what, Do&& act) {
    std::vector<stdfs::path> files;
    std::copy_if(all.begin(), all.end(), std::back_inserter(files), is_file);
    return with_any(files, what, act);
  }
  template <typename Do>
  std::string with_any(const std::vector<stdfs::path>& all, const std::string& what, Do&& act) {
    if (all.empty()) return what + " nothing";
    const stdfs::path path = all[pick(all.size())];
    act(path);
    return what + " " + path.string();
  }
  void disguise(const stdfs::path& path) {
    std::string bytes = read_file(path);
    if (bytes.empty()) return;
    const Times before = mtime_of(path);
    bytes[pick(bytes.size())] ^= 0x55;
    write_file(path, bytes);
    set_mtime(path, before.s, before.ns);
  }
  void rename(const stdfs::path& root, const stdfs::path& path) {
    const stdfs::path to = fresh(root);
    if (to.string().starts_with(path.string() + "/")) return;  // not into itself
    stdfs::rename(path, to);
  }
  std::string swap(const std::vector<stdfs::path>& all) {
    if (all.size() < 2) return "swap nothing";
    const stdfs::path one = all[pick(all.size())];
    const stdfs::path other = all[pick(all.size())];
    const std::string names = one.string() + " and " + other.string();
    const bool nested =
        one.string().starts_with(other.string() + "/") || other.string().starts_with(one.string() + "/");
    if (one == other || nested) return "swap nothing";
    if (renameat2(AT_FDCWD, one.c_str(), AT_FDCWD, other.c_str(), RENAME_EXCHANGE) != 0)
      throw std::runtime_error("swap " + names);
    return "swap " + names;
  }
  void replace(const stdfs::path& path) {
    const bool was_directory = is_directory(path);
    stdfs::remove_all(path);
    if (was_directory || pick(2) == 0) {
      write_file(path, content());
    } else {
      stdfs::create_directory(path);
      write_file(path / "inside", content());
    }
  }
  void change_mode(const stdfs::path& path) {
    if (stdfs::is_symlink(stdfs::symlink_status(path))) return;
    // Always usable by us, so that edits go on when the tests do not run as root.
    chmod(path.c_str(),
          static_cast<mode_t>((is_directory(path) ? 0700U : 0600U) | static_cast<unsigned>(pick(01000))));
  }

  std::mt19937_64 random_;
};

void mirror_random_edits(int default_steps, const std::vector<std::string>& options) {
  const char* named = std::getenv("SSYNC_SEED");
  const char* length = std::getenv("SSYNC_STEPS");
  const std::uint64_t seed = named != nullptr ? std::strtoull(named, nullptr, 10) : std::random_device{}();
  const int steps = length != nullptr ? std::atoi(length) : default_steps;
  std::printf("SSYNC_SEED=%llu SSYNC_STEPS=%d\n", static_cast<unsigned long long>(seed), steps);
  std::fflush(stdout);
  Bench bench;
  bench.start_server();
  Editor editor(seed);
  for (int i = 0; i < 30; ++i)
    editor.edit(bench.source());
  std::string history;
  for (int step = 0; step < steps; ++step) {
    const bool on_mirror = step > 0 && editor.pick(4) == 0;
    history += std::to_string(step) + ": " + editor.edit(on_mirror ? bench.mirror() : bench.source()) + "\n";
    const Finished done = bench.sync(options);
    const std::string differences = bench.differences();
    ASSERT_TRUE(done.code == 0 && differences.empty())
        << "seed " << seed << ", exit " << done.code << "\n"
        << history << differences << done.out << done.err << bench.server().err();
  }
}

TEST(RandomEditsTest, EveryEditIsMirroredByTheNextSync) {
  mirror_random_edits(200, {"--no-fsync"});
}

TEST(RandomEditsTest, AlsoWhenAllContentIsCompared) {
  mirror_random_edits(40, {"--no-fsync", "--checksum"});
}

TEST(RandomEditsTest, AlsoWithMd5DigestsSentWithEveryRow) {
  mirror_random_edits(40, {"--no-fsync", "--digest=md5", "--eager-digest"});
}

}  // namespace
}  // namespace ssync::integration
