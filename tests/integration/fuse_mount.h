// A FUSE file system that a test can kill, freeze and mount twice.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "harness.h"

namespace ssync::integration {

/// bindfs: `below` seen at `at`. Unmounted, and its daemon killed, by the destructor.
class FuseMount {
 public:
  /// Why none can be had here; empty: it can.
  [[nodiscard]] static std::string missing();
  /// Both directories must exist. Waits until it is mounted.
  FuseMount(stdfs::path below, stdfs::path at, std::vector<std::string> options = {});
  ~FuseMount();
  FuseMount(const FuseMount&) = delete;
  FuseMount& operator=(const FuseMount&) = delete;
  [[nodiscard]] bool mounted() const;
  /// KILL: every call on it gives ENOTCONN from now on.
  void die();
  /// STOP: no call on it returns until thaw().
  void freeze() const;
  void thaw() const;
  /// The dead mount is taken away; mount() puts a new one there.
  void unmount();
  void mount();

 private:
  const stdfs::path below_, at_;
  const std::vector<std::string> options_;
  std::unique_ptr<Process> daemon_;
};

}  // namespace ssync::integration
