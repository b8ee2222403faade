#include "backlog.h"

#include <algorithm>

#include "connection.h"

namespace ssync::net {

std::uint64_t Backlog::look(int fd) noexcept {
  const std::uint64_t received = traffic_of(fd).received;
  taken_ = std::min(taken_, received);
  last_ = received - taken_;
  return last_;
}

BacklogTimer::Look BacklogTimer::due(SteadyTime now) noexcept {
  if (now < next()) return Look::none;
  looked_ = now;
  if (now - looked_all_ < kLookAtBacklogs) return Look::much;
  looked_all_ = now;
  return Look::all;
}

}  // namespace ssync::net
