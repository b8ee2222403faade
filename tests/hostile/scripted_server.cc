#include "scripted_server.h"

#include <chrono>

#include "ssync/wire/codec.h"
#include "ssync/wire/data.h"
#include "ssync/wire/limits.h"

namespace ssync::hostile {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::uint64_t kTag = 7;

}  // namespace

ScriptedServer::ScriptedServer() : admission_(net::Admission::start(context_).value()) {
  net::ServerTransport::Options options;
  options.control_port = 0;
  options.data_port = 0;
  transport_ = net::ServerTransport::bind(context_, *admission_, options, nullptr).value();
}

int ScriptedServer::serve(integration::Process& client, const Answer& answer) {
  const auto until = Clock::now() + std::chrono::seconds(30);
  while (client.running() && Clock::now() < until) {
    (void)transport_->wait(std::chrono::milliseconds(10), {}, true);
    while (auto message = transport_->receive_control().value()) {
      const auto request = wire::decode_request(std::move(message->frames));
      if (!request) continue;
      if (auto reply = answer(request->body)) {
        (void)transport_->send_control(message->peer,
                                       wire::encode(wire::Reply{request->seq, *std::move(reply)}));
      }
    }
    take_data();
  }
  return client.wait(std::chrono::seconds(10)).value_or(-1);
}

/// As much credit as a server has in all, again and again.
void ScriptedServer::take_data() {
  while (auto message = transport_->receive_data().value()) {
    const auto head = wire::decode_data(message->head.bytes(), message->payload.bytes().size());
    if (!head) continue;
    if (head->type == wire::DataType::data) {
      ++data_messages_;
      const auto bytes = message->payload.bytes();
      content_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    }
    wire::DataHead credit;
    credit.type = wire::DataType::credit;
    credit.tag = kTag;
    credit.number = credits_++;
    credit.offset = credit_ += wire::kWindowBytes;
    (void)transport_->send_data(message->peer, wire::encode(credit), Buffer());
  }
}

wire::Welcome ScriptedServer::welcome() {
  wire::Welcome body;
  body.session[0] = std::byte{1};
  body.tag = kTag;
  body.program = "scripted";
  body.rows_max = wire::kRowsMax;
  body.body_bytes_max = wire::kBodyBytesMax;
  body.list_window = wire::kListWindow;
  body.chunk_bytes_max = wire::kChunkBytesMax;
  body.heartbeat_ms = 2000;
  body.idle_ms = 15000;
  return body;
}

}  // namespace ssync::hostile
