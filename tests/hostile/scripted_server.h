// A server that answers as a test tells it, for real clients.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "ssync/net/admission.h"
#include "ssync/net/transport.h"
#include "ssync/wire/messages.h"

#include "harness.h"

namespace ssync::hostile {

class ScriptedServer {
 public:
  ScriptedServer();
  /// The reply to a request, or none.
  using Answer = std::function<std::optional<wire::ReplyBody>(const wire::RequestBody&)>;
  /// Until the client has ended, for 30 s at most; its exit code.
  int serve(integration::Process& client, const Answer& answer);
  static wire::Welcome welcome();

  [[nodiscard]] net::ServerTransport& transport() { return *transport_; }
  [[nodiscard]] int data_messages() const { return data_messages_; }
  /// All content that came.
  [[nodiscard]] const std::string& content() const { return content_; }

 private:
  void take_data();

  net::Context context_;
  std::unique_ptr<net::Admission> admission_;
  std::unique_ptr<net::ServerTransport> transport_;
  int data_messages_ = 0;
  std::uint64_t credit_ = 0, credits_ = 0;
  std::string content_;
};

}  // namespace ssync::hostile
