#include "context.h"

#include <sys/random.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>

#include "ssync/base/assert.h"

namespace ssync::net {
namespace {

// libzmq makes the routing ids of a ROUTER's peers from rand() and never seeds it. Whoever can guess the next
// one claims it, and the next connection then ends the process with a failed assertion (proto-spec/09).
void seed_routing_ids() noexcept {
  unsigned seed = 0;
  ssize_t got = 0;
  do {
    got = ::getrandom(&seed, sizeof seed, 0);
  } while (got < 0 && errno == EINTR);
  SSYNC_ASSERT(got == static_cast<ssize_t>(sizeof seed));
  std::srand(seed);  // NOLINT(cert-msc51-cpp): rand() is what libzmq uses
}

}  // namespace

Context::Context(int io_threads) : impl_(std::make_unique<Impl>(std::clamp(io_threads, 1, 16))) {
  seed_routing_ids();
}

Context::~Context() = default;

}  // namespace ssync::net
