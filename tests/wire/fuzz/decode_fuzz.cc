// Every decoder on any bytes. The first byte chooses the decoder; for control messages the next two say where
// the head ends.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <utility>

#include "ssync/wire/codec.h"
#include "ssync/wire/data.h"
#include "ssync/wire/describe.h"
#include "ssync/wire/tap.h"

namespace {

using namespace ssync;
using namespace ssync::wire;

void require(bool condition) {
  if (!condition) std::abort();
}

Frames frames_of(std::span<const std::byte> bytes) {
  if (bytes.size() < 2) return {};
  const auto wanted = std::to_integer<std::size_t>(bytes[0]) << 8U | std::to_integer<std::size_t>(bytes[1]);
  bytes = bytes.subspan(2);
  const std::size_t head = wanted < bytes.size() ? wanted : bytes.size();
  return {.head = Buffer::copy_of(bytes.first(head)), .body = Buffer::copy_of(bytes.subspan(head))};
}

void fuzz_request(std::span<const std::byte> bytes) {
  Frames frames = frames_of(bytes);
  (void)seq_of(frames.head.bytes());
  const auto request = decode_request(std::move(frames));
  if (!request) return;
  (void)summary_of(*request);
  (void)details_of(*request);
  require(decode_request(encode(*request)).has_value());
}

void fuzz_reply(std::span<const std::byte> bytes) {
  const auto reply = decode_reply(frames_of(bytes));
  if (!reply) return;
  (void)summary_of(*reply);
  (void)details_of(*reply);
  require(decode_reply(encode(*reply)).has_value());
}

void fuzz_data(std::span<const std::byte> bytes) {
  // The payload that the table claims, so that the checks after it are reached.
  for (const std::size_t payload : {std::size_t{0}, std::size_t{5}, std::size_t{16}}) {
    const auto head = decode_data(bytes, payload);
    if (head) require(decode_data(encode(*head).bytes(), payload) == head);
  }
}

void fuzz_tap(std::span<const std::byte> bytes) {
  const auto record = decode_tap(bytes);
  if (record) require(decode_tap(encode(*record).bytes()) == record);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* first, std::size_t size) {
  if (size == 0) return 0;
  const auto bytes = std::as_bytes(std::span(first, size)).subspan(1);
  switch (first[0] % 4) {
    case 0:
      fuzz_request(bytes);
      break;
    case 1:
      fuzz_reply(bytes);
      break;
    case 2:
      fuzz_data(bytes);
      break;
    default:
      fuzz_tap(bytes);
  }
  return 0;
}
