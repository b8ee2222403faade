// A client that does as a test likes, with real servers.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "ssync/net/transport.h"
#include "ssync/wire/codec.h"
#include "ssync/wire/data.h"
#include "ssync/wire/messages.h"

#include "harness.h"

namespace ssync::hostile {

class ScriptedClient {
 public:
  struct Options {
    std::optional<net::PublicKey> server_key;  ///< with it, the client shows a key of its own
    std::shared_ptr<const net::KeyPair> own;
  };
  /// Returns when it is connected.
  ScriptedClient(net::Context& context, const integration::Bench& bench, const Options& options);
  ScriptedClient(net::Context& context, const integration::Bench& bench)
      : ScriptedClient(context, bench, Options{}) {}

  /// Says hello and attaches its data connection. A failure of the test when it is not welcome.
  void greet();
  /// The reply to a request, or nullopt when none came within 5 s or the connection broke.
  std::optional<wire::ReplyBody> ask(wire::RequestBody body);
  std::optional<wire::ReplyBody> receive();
  bool send(wire::RequestBody body);
  void send_data(const wire::DataHead& head, Buffer payload);
  /// One message with these segments and this payload, numbered and within credit. False: no credit came
  /// within 5 s, or the connection broke.
  bool send_segments(std::vector<wire::Segment> segments, std::string_view payload);
  /// Asks for the next wish, acknowledging the last one.
  std::optional<wire::ReplyBody> next();
  /// The first wish of this type; nullopt when an error or nothing comes instead.
  template <typename Wish>
  std::optional<Wish> next_of() {
    if (early_error_) error_ = std::exchange(early_error_, std::nullopt);
    for (int waits = 0; waits < kWaits && !error_;) {
      auto reply = next();
      if (!reply) return std::nullopt;
      if (std::holds_alternative<wire::Wait>(*reply)) ++waits;
      if (auto* wish = std::get_if<Wish>(&*reply)) return std::move(*wish);
      if (std::holds_alternative<wire::ErrorReply>(*reply)) {
        error_ = std::get<wire::ErrorReply>(*std::move(reply));
        return std::nullopt;
      }
    }
    return std::nullopt;
  }
  /// The error that the session ends with, whatever comes before it; nullopt: it does not end.
  std::optional<wire::ErrorCode> ending() {
    (void)next_of<wire::SyncDone>();
    return error_ ? std::optional(error_->code) : std::nullopt;
  }
  /// True when the server breaks the connection within 5 s.
  bool is_thrown_out();

  static constexpr int kWaits = 10;  ///< heartbeats: 20 s
  [[nodiscard]] const std::optional<wire::ErrorReply>& error() const { return error_; }
  [[nodiscard]] std::uint64_t tag() const { return tag_; }
  [[nodiscard]] const wire::SessionId& session() const { return session_; }
  void set_session(const wire::SessionId& session) { session_ = session; }
  [[nodiscard]] net::ClientTransport& transport() { return *transport_; }

 private:
  void take_credit();

  std::unique_ptr<net::ClientTransport> transport_;
  std::uint32_t seq_ = 0;
  wire::SessionId session_{};
  std::uint64_t tag_ = 0;
  std::uint64_t ack_ = 0;
  std::uint64_t sent_ = 0, messages_ = 0, credit_ = 0;
  std::optional<wire::ErrorReply> error_;
  std::optional<wire::ErrorReply> early_error_;  ///< the reply to something else than next
};

/// The root and files of 5 bytes at these paths, numbered from 1 in this order. Rows are views: `paths` must
/// outlive the list.
wire::FileList list_of(const std::vector<std::pair<std::string, std::string>>& paths);

}  // namespace ssync::hostile
