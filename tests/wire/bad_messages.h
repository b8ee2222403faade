// Messages that break one rule each: what proto-spec/vectors/ lists as invalid. Made from the samples by
// changing one thing in their JSON form.
#pragma once

#include <string>
#include <vector>

#include "ssync/base/buffer.h"
#include "ssync/base/result.h"

namespace ssync::wire::test {

struct BadMessage {
  std::string name;
  std::string reason;
  Errc error = Errc::protocol;
  std::string head;  ///< hexadecimal
  std::string body;
  std::size_t payload_bytes = 0;  ///< of data messages
};

[[nodiscard]] std::vector<BadMessage> bad_requests();
[[nodiscard]] std::vector<BadMessage> bad_replies();
[[nodiscard]] std::vector<BadMessage> bad_data();
[[nodiscard]] std::vector<BadMessage> bad_records();

}  // namespace ssync::wire::test
