#include "ssync/base/leave_anyway.h"

#include <unistd.h>

#include <cstdio>
#include <thread>

namespace ssync {

void leave_anyway(std::chrono::milliseconds limit, ExitCode code, std::string text) {
  std::thread([limit, code, text = std::move(text)] {
    std::this_thread::sleep_for(limit);
    std::fprintf(stderr, "%s; left without waiting for it\n", text.c_str());
    ::_exit(to_int(code));
  }).detach();
}

}  // namespace ssync
