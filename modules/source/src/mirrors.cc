#include "ssync/source/mirrors.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>
#include <variant>

#include "ssync/net/transport.h"
#include "ssync/session/lister.h"

#include "connect_to.h"
#include "failed.h"

namespace ssync::source {
namespace {

using Clock = std::chrono::steady_clock;
using session::client::ListEffects;

constexpr auto kTickMax = std::chrono::milliseconds(100);

/// One question, and what it asks of the transport.
class Asking {
 public:
  Asking(net::ClientTransport& transport, std::chrono::milliseconds connect)
      : transport_(transport), lister_(connect) {}

  [[nodiscard]] Result<ListedMirrors> run() {
    lister_.start(Clock::now());
    while (!outcome_)
      SSYNC_TRY_VOID(round());
    return *std::move(outcome_);
  }

 private:
  [[nodiscard]] Result<void> round() {
    const auto until = std::clamp<std::chrono::nanoseconds>(lister_.next_deadline() - Clock::now(),
                                                            std::chrono::milliseconds(0), kTickMax);
    SSYNC_TRY(const net::Ready ready,
              transport_.wait(std::chrono::ceil<std::chrono::milliseconds>(until), {}));
    if (!connected_ && transport_.connected()) {
      connected_ = true;
      carry_out(lister_.on_connected(Clock::now()));
    }
    while (ready.control && !outcome_) {
      SSYNC_TRY(std::optional<wire::Frames> frames, transport_.receive_control());
      if (!frames) break;
      Result<wire::Reply> reply = wire::decode_reply(std::move(*frames));
      carry_out(reply ? lister_.on_reply(std::move(*reply), Clock::now())
                      : lister_.on_malformed(reply.error()));
    }
    if (ready.disconnected && !outcome_) carry_out(lister_.on_disconnected(transport_.disconnect_reason()));
    if (!outcome_) carry_out(lister_.on_tick(Clock::now()));
    return {};
  }

  void carry_out(ListEffects effects) {
    for (session::client::ListEffect& effect : effects) {
      if (auto* const send = std::get_if<session::client::Send>(&effect)) {
        if (const Result<void> sent = transport_.send_control(std::move(send->frames)); !sent)
          carry_out(lister_.on_disconnected(sent.error().text()));
      } else if (auto* const listed = std::get_if<session::client::Listed>(&effect)) {
        outcome_.emplace().mirrors = std::move(listed->mirrors);
      } else {
        const auto& failed = std::get<session::client::Failed>(effect);
        outcome_ = ListedMirrors{{}, code_of(failed), failed.text};
      }
    }
  }

  net::ClientTransport& transport_;
  session::client::Lister lister_;
  bool connected_ = false;
  std::optional<ListedMirrors> outcome_;
};

}  // namespace

ListedMirrors list_mirrors(const Options& options) {
  net::Context context;
  const auto ask = [&]() -> Result<ListedMirrors> {
    SSYNC_TRY(const auto transport,
              net::ClientTransport::connect(context, connect_to(options, true), nullptr));
    return Asking(*transport, options.connect).run();
  };
  Result<ListedMirrors> listed = ask();
  if (!listed) return {{}, ExitCode::socket, listed.error().text()};
  return *std::move(listed);
}

}  // namespace ssync::source
