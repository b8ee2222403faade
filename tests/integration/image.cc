#include "image.h"

#include <sys/mount.h>
#include <unistd.h>

#include <fstream>
#include <utility>

#include <gtest/gtest.h>

namespace ssync::integration {

Image::Image(stdfs::path file, std::uint64_t size_bytes, std::vector<std::string> make, stdfs::path place,
             std::string type)
    : file_(std::move(file)), place_(std::move(place)), type_(std::move(type)) {
  if (geteuid() != 0) {
    why_ = "mounting needs root";
    return;
  }
  std::ofstream(file_).close();
  stdfs::resize_file(file_, size_bytes);
  make.push_back(file_.string());
  if (const Finished made = run(make); made.code != 0) {
    why_ = make.front() + ": " + made.err;
    return;
  }
  mount();
}

Image::~Image() {
  if (mounted_) umount2(place_.c_str(), MNT_DETACH);
  std::error_code ignored;
  stdfs::remove(file_, ignored);
}

void Image::mount_again() {
  ASSERT_EQ(umount2(place_.c_str(), 0), 0);
  mounted_ = false;
  mount();
  ASSERT_TRUE(mounted_) << why_;
}

void Image::cut_power() {
  const stdfs::path left = file_.string() + ".left";
  stdfs::copy_file(file_, left);
  ASSERT_EQ(umount2(place_.c_str(), MNT_DETACH), 0);
  mounted_ = false;
  stdfs::remove(file_);  // whoever still writes to it does so in vain
  stdfs::rename(left, file_);
  mount();
  ASSERT_TRUE(mounted_) << why_;
}

void Image::mount() {
  const Finished mounted = run({"mount", "-o", "loop", "-t", type_, file_.string(), place_.string()});
  mounted_ = mounted.code == 0;
  if (!mounted_) why_ = "mount: " + mounted.err;
}

}  // namespace ssync::integration
