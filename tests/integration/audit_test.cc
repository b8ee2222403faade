// Stores through a shared mapping that leave no trace in the stat.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <thread>

#include <gtest/gtest.h>

#include "harness.h"

namespace ssync::integration {
namespace {

class Mapping {
 public:
  Mapping(const stdfs::path& path, std::size_t size)
      : fd_(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644)), size_(size) {
    EXPECT_EQ(::ftruncate(fd_, static_cast<off_t>(size)), 0);
    memory_ = static_cast<char*>(::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd_, 0));
    EXPECT_NE(memory_, MAP_FAILED);
  }
  ~Mapping() {
    ::munmap(memory_, size_);
    ::close(fd_);
  }
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  void store(std::string_view text) const { std::memcpy(memory_, text.data(), text.size()); }

 private:
  const int fd_;
  const std::size_t size_;
  char* memory_ = nullptr;
};

class AuditTest : public ::testing::Test {
 protected:
  struct Stamp {
    std::int64_t mtime_s, mtime_ns, ctime_s, ctime_ns;
    friend bool operator==(const Stamp&, const Stamp&) = default;
  };
  [[nodiscard]] Stamp stamp() const {
    struct stat status {};
    EXPECT_EQ(::lstat(file_.c_str(), &status), 0);
    return {status.st_mtim.tv_sec, status.st_mtim.tv_nsec, status.st_ctim.tv_sec, status.st_ctim.tv_nsec};
  }
  /// Until the file's ctime is older than an age at which files are read again.
  void rest() const {
    struct timespec now {};
    EXPECT_TRUE(eventually([&] {
      EXPECT_EQ(::clock_gettime(CLOCK_REALTIME, &now), 0);
      const Stamp then = stamp();
      return now.tv_sec > then.ctime_s + 1 || (now.tv_sec == then.ctime_s + 1 && now.tv_nsec > then.ctime_ns);
    }));
  }
  /// A store that no stat shows; skips the test where every store shows.
  void store_without_a_trace(const Mapping& mapping) {
    const Stamp before = stamp();
    mapping.store("later");
    if (!(stamp() == before)) GTEST_SKIP() << "here a store moved the stat";
  }

  Bench bench_;
  const stdfs::path file_ = bench_.source() / "d" / "data.mdb";
};

TEST_F(AuditTest, AStoreWithoutATraceIsFoundByTheNextSync) {
  stdfs::create_directory(bench_.source() / "d");
  const Mapping mapping(file_, 65536);
  mapping.store("first");
  write_file(bench_.source() / "d" / "other", "stays as it is");
  bench_.start_server();
  EXPECT_EQ(bench_.sync().code, 0);
  store_without_a_trace(mapping);
  if (IsSkipped()) return;
  rest();
  const Finished found = bench_.sync();
  EXPECT_EQ(found.code, 0) << found.err;
  EXPECT_TRUE(read_file(bench_.mirror() / "d" / "data.mdb").starts_with("later"));
  EXPECT_EQ(found.event("sync_done")["transferred_files"].get<int>(), 1) << found.out;
  EXPECT_EQ(bench_.sync().event("sync_done")["transferred_files"].get<int>(), 0);
}

// Also when the size is no multiple of a page, and the whole list goes out.
TEST_F(AuditTest, AStoreWithoutATraceIsFoundAmongOthers) {
  stdfs::create_directory(bench_.source() / "d");
  const Mapping mapping(file_, 10'001);
  mapping.store("first");
  for (int i = 0; i < 50; ++i)
    write_file(bench_.source() / ("f" + std::to_string(i)), "some text " + std::to_string(i));
  bench_.start_server();
  EXPECT_EQ(bench_.sync({"--eager-digest"}).code, 0);
  store_without_a_trace(mapping);
  if (IsSkipped()) return;
  rest();
  EXPECT_EQ(bench_.sync({"--eager-digest"}).code, 0);
  EXPECT_TRUE(read_file(bench_.mirror() / "d" / "data.mdb").starts_with("later"));
}

}  // namespace
}  // namespace ssync::integration
