#include "describe.h"

#include <chrono>
#include <utility>
#include <variant>

#include "ssync/wire/describe.h"

namespace ssync::net {
namespace {

wire::TapRecord record_of(Route route, wire::TapKind kind, std::size_t bytes) {
  const auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
  wire::TapRecord record;
  record.time_ns = std::chrono::duration_cast<std::chrono::nanoseconds>(since_epoch).count();
  record.kind = kind;
  record.direction = route.direction;
  record.peer = route.peer;
  record.peer_address = std::move(route.address);
  record.bytes = bytes;
  if (route.label) {
    record.mirror = std::move(route.label->mirror);
    record.session = route.label->session;
  }
  return record;
}

void not_understood(wire::TapRecord& record, const Error& error) {
  record.type = "?";
  record.summary = error.text();
}

wire::Frames share(const wire::Frames& frames) {
  return {frames.head.share(), frames.body.share()};
}

/// Request and Reply alike.
template <typename Message>
void fill(wire::TapRecord& record, const Result<Message>& message) {
  if (!message) return not_understood(record, message.error());
  record.type = wire::name_of(message->body);
  record.seq = message->seq;
  record.rows = wire::rows_in(message->body);
  record.summary = wire::summary_of(*message);
  record.details = wire::details_of(*message);
}

const char* name_of(wire::DataType type) noexcept {
  switch (type) {
    case wire::DataType::attach:
      return "attach";
    case wire::DataType::data:
      return "data";
    case wire::DataType::credit:
      return "credit";
  }
  return "?";
}

}  // namespace

wire::TapRecord describe_request(Route route, const wire::Frames& frames) {
  auto record = record_of(std::move(route), wire::TapKind::control, frames.bytes());
  const auto request = wire::decode_request(share(frames));
  fill(record, request);
  if (const auto* hello = request ? std::get_if<wire::Hello>(&request->body) : nullptr) {
    record.mirror = hello->mirror;
    record.session = 0;
  }
  return record;
}

wire::TapRecord describe_reply(Route route, const wire::Frames& frames) {
  auto record = record_of(std::move(route), wire::TapKind::control, frames.bytes());
  fill(record, wire::decode_reply(share(frames)));
  return record;
}

wire::TapRecord describe_data(Route route, const Buffer& head, std::size_t payload_bytes) {
  auto record = record_of(std::move(route), wire::TapKind::data, head.size() + payload_bytes);
  const auto decoded = wire::decode_data(head.bytes(), payload_bytes);
  if (!decoded) {
    not_understood(record, decoded.error());
    return record;
  }
  record.type = name_of(decoded->type);
  record.seq = decoded->number;
  record.rows = decoded->segments.size();
  record.summary = wire::summary_of(*decoded);
  record.details = wire::details_of(*decoded);
  return record;
}

wire::TapRecord describe_connection(Route route, std::string type, std::string summary) {
  auto record = record_of(std::move(route), wire::TapKind::connection, 0);
  record.type = std::move(type);
  record.summary = std::move(summary);
  return record;
}

}  // namespace ssync::net
