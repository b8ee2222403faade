#include "fuse_mount.h"

#include <sys/mount.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <csignal>

#include <gtest/gtest.h>

namespace ssync::integration {
namespace {

constexpr unsigned long kFuse = 0x65735546;

}  // namespace

std::string FuseMount::missing() {
  if (::access("/dev/fuse", R_OK | W_OK) != 0) return "no /dev/fuse that can be used here";
  if (::geteuid() != 0) return "only root may mount here";
  if (!stdfs::exists("/usr/bin/bindfs")) return "no bindfs";
  return {};
}

FuseMount::FuseMount(stdfs::path below, stdfs::path at, std::vector<std::string> options)
    : below_(std::move(below)), at_(std::move(at)), options_(std::move(options)) {
  mount();
}

FuseMount::~FuseMount() {
  if (daemon_) thaw();
  unmount();
}

bool FuseMount::mounted() const {
  struct statfs got {};
  return ::statfs(at_.c_str(), &got) == 0 && static_cast<unsigned long>(got.f_type) == kFuse;
}

void FuseMount::mount() {
  std::vector<std::string> command{"/usr/bin/bindfs", "-f"};
  command.insert(command.end(), options_.begin(), options_.end());
  command.push_back(below_);
  command.push_back(at_);
  const stdfs::path log = at_.string() + ".bindfs";
  daemon_ = std::make_unique<Process>(command, Process::Files{log.string() + ".out", log.string() + ".err"});
  EXPECT_TRUE(eventually([this] { return mounted(); })) << daemon_->err();
}

void FuseMount::die() {
  daemon_->signal(SIGKILL);
  EXPECT_TRUE(daemon_->wait(std::chrono::seconds(10)));
}

void FuseMount::freeze() const {
  daemon_->signal(SIGSTOP);
}

void FuseMount::thaw() const {
  daemon_->signal(SIGCONT);
}

void FuseMount::unmount() {
  ::umount2(at_.c_str(), MNT_DETACH);
  if (daemon_) daemon_->signal(SIGKILL);
  daemon_.reset();
}

}  // namespace ssync::integration
