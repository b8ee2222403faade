#pragma once

#include <atomic>
#include <cstdint>

#include <zmq.hpp>

#include "ssync/net/transport.h"

namespace ssync::net {

struct Context::Impl {
  explicit Impl(int threads) : io_threads(threads), zmq(threads) {}

  const int io_threads;
  zmq::context_t zmq;
  std::atomic<std::uint64_t> watches{0};  ///< names the inproc endpoints of socket monitors

  /// I/O threads for control and for data, as ZMQ_AFFINITY: a reply does not wait behind 16 MiB of payload.
  [[nodiscard]] std::uint64_t control_affinity() const noexcept { return io_threads > 1 ? 1U : 0U; }
  [[nodiscard]] std::uint64_t data_affinity() const noexcept {
    return io_threads > 1 ? ((std::uint64_t{1} << io_threads) - 1) & ~std::uint64_t{1} : 0U;
  }
};

}  // namespace ssync::net
