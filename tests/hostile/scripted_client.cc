#include "scripted_client.h"

#include <algorithm>
#include <chrono>
#include <span>

#include <gtest/gtest.h>

namespace ssync::hostile {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::milliseconds kTick{20};
constexpr std::chrono::seconds kPatience{5};

std::uint64_t number_of(const wire::ReplyBody& reply) {
  return std::visit(
      [](const auto& body) -> std::uint64_t {
        if constexpr (requires { body.number; }) {
          return body.number;
        } else {
          return 0;
        }
      },
      reply);
}

}  // namespace

ScriptedClient::ScriptedClient(net::Context& context, const integration::Bench& bench,
                               const Options& options) {
  net::ClientTransport::Options connect;
  connect.control_port = bench.control_port();
  connect.data_port = bench.data_port();
  connect.server_key = options.server_key;
  connect.own_key = [own = options.own]() -> Result<std::shared_ptr<const net::KeyPair>> { return own; };
  transport_ = net::ClientTransport::connect(context, connect, nullptr).value();
  const auto until = Clock::now() + kPatience;
  while (!transport_->connected() && Clock::now() < until)
    (void)transport_->wait(kTick, {});
  EXPECT_TRUE(transport_->connected()) << transport_->disconnect_reason();
}

void ScriptedClient::greet() {
  wire::Hello hello;
  hello.client[0] = std::byte{9};
  hello.program = "scripted";
  hello.source_id = "scripted";
  hello.ancestry = {{1, 1}};
  hello.options.delete_extra = false;
  const auto reply = ask(hello);
  ASSERT_TRUE(reply && std::holds_alternative<wire::Welcome>(*reply));
  session_ = std::get<wire::Welcome>(*reply).session;
  tag_ = std::get<wire::Welcome>(*reply).tag;
  wire::DataHead attach;
  attach.type = wire::DataType::attach;
  attach.tag = tag_;
  send_data(attach, Buffer::copy_of(session_));
}

bool ScriptedClient::send(wire::RequestBody body) {
  return transport_->send_control(wire::encode(wire::Request{++seq_, session_, std::move(body)})).has_value();
}

std::optional<wire::ReplyBody> ScriptedClient::ask(wire::RequestBody body) {
  if (!send(std::move(body))) return std::nullopt;
  auto reply = receive();
  if (reply && std::holds_alternative<wire::ErrorReply>(*reply))
    early_error_ = std::get<wire::ErrorReply>(*reply);
  return reply;
}

std::optional<wire::ReplyBody> ScriptedClient::receive() {
  const auto until = Clock::now() + kPatience;
  while (Clock::now() < until) {
    const auto ready = transport_->wait(kTick, {});
    auto frames = transport_->receive_control();
    if (frames && *frames) {
      auto reply = wire::decode_reply(std::move(**frames));
      if (reply) return std::move(reply->body);
    }
    if (ready && ready->disconnected) return std::nullopt;
  }
  return std::nullopt;
}

std::optional<wire::ReplyBody> ScriptedClient::next() {
  auto reply = ask(wire::Next{ack_});
  if (reply) ack_ = std::max(ack_, number_of(*reply));
  return reply;
}

void ScriptedClient::send_data(const wire::DataHead& head, Buffer payload) {
  Buffer bytes = wire::encode(head);
  (void)transport_->send_data(bytes, payload);
}

void ScriptedClient::take_credit() {
  while (true) {
    auto message = transport_->receive_data();
    if (!message || !*message) return;
    const auto head = wire::decode_data((*message)->head.bytes(), 0);
    if (head && head->type == wire::DataType::credit) credit_ = head->offset;
  }
}

bool ScriptedClient::send_segments(std::vector<wire::Segment> segments, std::string_view payload) {
  wire::DataHead head;
  head.tag = tag_;
  head.number = messages_++;
  head.offset = sent_;
  head.segments = std::move(segments);
  Buffer bytes = wire::encode(head);
  Buffer content = Buffer::copy_of(std::as_bytes(std::span(payload)));
  sent_ += wire::charge(bytes.size(), content.size());
  const auto until = Clock::now() + kPatience;
  while (Clock::now() < until) {
    const auto ready = transport_->wait(credit_ < sent_ ? kTick : std::chrono::milliseconds(0), {});
    if (!ready || ready->disconnected) return false;
    take_credit();
    if (credit_ < sent_) continue;
    const auto sent = transport_->send_data(bytes, content);
    if (!sent) return false;
    if (*sent) return true;
  }
  return false;
}

bool ScriptedClient::is_thrown_out() {
  const auto until = Clock::now() + kPatience;
  while (Clock::now() < until) {
    const auto ready = transport_->wait(kTick, {});
    if (!ready || ready->disconnected) return true;
    (void)transport_->receive_control();
    (void)transport_->receive_data();
  }
  return false;
}

wire::FileList list_of(const std::vector<std::pair<std::string, std::string>>& paths) {
  wire::FileList list;
  list.batch.last = true;
  Row root;
  root.id = 0;
  root.values.kind = Kind::directory;
  list.batch.rows.push_back(root);
  for (const auto& [location, name] : paths) {
    Row row;
    row.location = location;
    row.name = name;
    row.id = list.batch.rows.size();
    row.values.size = 5;
    list.batch.rows.push_back(row);
  }
  return list;
}

}  // namespace ssync::hostile
