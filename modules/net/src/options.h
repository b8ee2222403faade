// Socket options: the countermeasures to what libzmq does by default. proto-spec/09 gives the reason for
// each.
#pragma once

#include <cstddef>

#include <zmq.hpp>

#include "ssync/base/result.h"

#include "context.h"

namespace ssync::net {

enum class Channel : std::uint8_t { control, data };
enum class Ipv6 : bool { off, on };

[[nodiscard]] Result<zmq::socket_t> make_router(Context::Impl& context, Channel channel, Ipv6 ipv6);
[[nodiscard]] Result<zmq::socket_t> make_dealer(Context::Impl& context, Channel channel, Ipv6 ipv6);
[[nodiscard]] Result<zmq::socket_t> make_xpub(Context::Impl& context);
[[nodiscard]] Result<zmq::socket_t> make_sub(Context::Impl& context);

}  // namespace ssync::net
