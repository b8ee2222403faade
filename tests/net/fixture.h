#pragma once

#include <chrono>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "ssync/net/transport.h"

namespace ssync::net {

inline Buffer bytes(std::string_view text) {
  return Buffer::copy_of(std::as_bytes(std::span(text)));
}
inline std::string text(const Buffer& buffer) {
  return {reinterpret_cast<const char*>(buffer.bytes().data()), buffer.size()};
}
inline wire::Frames frames(std::string_view head, std::string_view body = "") {
  return {bytes(head), bytes(body)};
}
inline std::string text(const wire::Frames& frames) {
  return text(frames.head) + "|" + text(frames.body);
}

/// Repeats `step` until it gives true. False after 20 seconds.
template <typename Step>
bool eventually(Step step) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!step()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
  }
  return true;
}

/// A server on free ports, and clients of it, all driven by the test's thread.
class TransportTest : public testing::Test {
 protected:
  static constexpr std::chrono::milliseconds kTick{5};

  void SetUp() override { start({}); }

  /// The ports of `options` are not looked at.
  void start(ServerTransport::Options options, Tap* tap = nullptr) {
    server_.reset();
    if (!admission_) admission_ = Admission::start(context_).value();
    auto bound = bind(std::move(options), tap);
    ASSERT_TRUE(bound) << bound.error().text();
    server_ = *std::move(bound);
  }

  Result<std::unique_ptr<ServerTransport>> bind(ServerTransport::Options options, Tap* tap = nullptr) {
    options.control_port = options.data_port = 0;
    return ServerTransport::bind(context_, *admission_, options, tap);
  }

  [[nodiscard]] ClientTransport::Options client_options() const {
    return {.control_port = server_->control_port(), .data_port = server_->data_port()};
  }

  std::unique_ptr<ClientTransport> start_client() {
    auto client = ClientTransport::connect(context_, client_options(), nullptr);
    return client ? *std::move(client) : nullptr;
  }

  std::unique_ptr<ClientTransport> connected_client() {
    auto client = start_client();
    EXPECT_TRUE(
        eventually([&] { return client->wait(kTick, {}).value().disconnected || client->connected(); }));
    EXPECT_TRUE(client->connected()) << client->disconnect_reason();
    return client;
  }

  ControlMessage server_receives() {
    std::optional<ControlMessage> message;
    EXPECT_TRUE(eventually([&] {
      EXPECT_TRUE(server_->wait(kTick, {}, true));
      message = server_->receive_control().value();
      return message.has_value();
    }));
    return message ? *std::move(message) : ControlMessage{};
  }

  DataMessage server_receives_data() {
    std::optional<DataMessage> message;
    EXPECT_TRUE(eventually([&] {
      EXPECT_TRUE(server_->wait(kTick, {}, true));
      message = server_->receive_data().value();
      return message.has_value();
    }));
    return message ? *std::move(message) : DataMessage{};
  }

  std::string client_receives(ClientTransport& client) {
    std::optional<wire::Frames> message;
    EXPECT_TRUE(eventually([&] {
      EXPECT_TRUE(client.wait(kTick, {}));
      message = client.receive_control().value();
      return message.has_value();
    }));
    return message ? text(*message) : "nothing";
  }

  std::optional<DataMessage> client_receives_data(ClientTransport& client) {
    std::optional<DataMessage> message;
    EXPECT_TRUE(eventually([&] {
      EXPECT_TRUE(client.wait(kTick, {}));
      message = client.receive_data().value();
      return message.has_value();
    }));
    return message;
  }

  /// The server deals with whatever comes and hands nothing up, until it has something to tell.
  std::string next_notice() {
    std::vector<std::string> notices;
    EXPECT_TRUE(eventually([&] {
      EXPECT_TRUE(server_->wait(kTick, {}, true));
      EXPECT_FALSE(server_->receive_control().value().has_value());
      EXPECT_FALSE(server_->receive_data().value().has_value());
      notices = server_->take_notices();
      return !notices.empty();
    }));
    return notices.empty() ? "" : notices.front();
  }

  /// Request and reply of a peer that behaves.
  void expect_served(ClientTransport& client) {
    ASSERT_TRUE(client.send_control(frames("question")));
    const ControlMessage request = server_receives();
    EXPECT_EQ(text(request.frames), "question|");
    ASSERT_TRUE(server_->send_control(request.peer, frames("answer")));
    EXPECT_EQ(client_receives(client), "answer|");
  }

  void expect_lost(ClientTransport& client, const std::string& reason) {
    EXPECT_TRUE(eventually([&] { return client.wait(kTick, {}).value().disconnected; }));
    EXPECT_FALSE(client.connected());
    EXPECT_NE(client.disconnect_reason().find(reason), std::string::npos) << client.disconnect_reason();
  }

  Context context_;
  std::unique_ptr<Admission> admission_;
  std::unique_ptr<ServerTransport> server_;
};

}  // namespace ssync::net
