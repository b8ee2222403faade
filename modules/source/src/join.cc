#include "ssync/source/join.h"

#include <chrono>
#include <optional>
#include <utility>
#include <variant>

#include "ssync/net/transport.h"
#include "ssync/wire/codec.h"

#include "connect_to.h"
#include "failed.h"

namespace ssync::source {
namespace {

using Clock = std::chrono::steady_clock;

constexpr auto kTick = std::chrono::milliseconds(100);

JoinedServer failed(ExitCode code, std::string text) {
  return {{}, 0, code, std::move(text)};
}

JoinedServer outcome_of(Result<wire::Reply> reply) {
  if (!reply) return failed(ExitCode::stream, "the server broke the protocol: " + reply.error().text());
  if (auto* const joined = std::get_if<wire::Joined>(&reply->body))
    return {std::move(joined->name), joined->data_port, ExitCode::ok, {}};
  if (auto* const error = std::get_if<wire::ErrorReply>(&reply->body))
    return failed(ExitCode::start, "the server said: " + error->text);
  return failed(ExitCode::stream, "the server broke the protocol: a reply that does not fit");
}

}  // namespace

JoinedServer join(const Options& options, const net::PublicKey& own) {
  net::Context context;
  auto transport = net::ClientTransport::connect(context, connect_to(options, true), nullptr);
  if (!transport) return failed(ExitCode::socket, transport.error().text());
  net::ClientTransport& server = **transport;
  bool asked = false;
  for (const auto until = Clock::now() + options.connect; Clock::now() < until;) {
    const Result<net::Ready> ready = server.wait(kTick, {});
    if (!ready) return failed(ExitCode::socket, ready.error().text());
    if (server.connected() && !std::exchange(asked, true)) {
      if (const auto sent = server.send_control(wire::encode(wire::Request{1, {}, wire::Join{own.bytes}}));
          !sent)
        return failed(ExitCode::socket, sent.error().text());
    }
    Result<std::optional<wire::Frames>> frames = server.receive_control();
    if (!frames) return failed(ExitCode::stream, frames.error().text());
    if (*frames) return outcome_of(wire::decode_reply(**std::move(frames)));
    if (!ready->disconnected) continue;
    const bool denied = server.is_refused();
    return failed(denied ? ExitCode::start : ExitCode::socket,
                  denied
                      ? "the server does not know this invitation: it was used, its time is over, or it is "
                        "of another server"
                      : server.disconnect_reason());
  }
  return failed(ExitCode::timeout, "the server did not answer in time");
}

}  // namespace ssync::source
