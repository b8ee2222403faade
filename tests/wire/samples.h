// One or more valid messages of every kind, with every optional part used somewhere. Values are fixed: golden
// vectors are made from them.
#pragma once

#include <string>
#include <vector>

#include "ssync/wire/codec.h"
#include "ssync/wire/data.h"
#include "ssync/wire/tap.h"

namespace ssync::wire::test {

struct NamedRequest {
  std::string name;
  Request message;
};
struct NamedReply {
  std::string name;
  Reply message;
};
struct NamedData {
  std::string name;
  DataHead message;
  std::size_t payload_bytes = 0;
};

[[nodiscard]] std::vector<NamedRequest> sample_requests();
[[nodiscard]] std::vector<NamedReply> sample_replies();
[[nodiscard]] std::vector<NamedData> sample_data();
[[nodiscard]] std::vector<TapRecord> sample_records();

/// 16 bytes: first, first + 1, …
[[nodiscard]] std::array<std::byte, 16> bytes16(unsigned first);
[[nodiscard]] Digest sha256_of(unsigned first);
[[nodiscard]] Digest md5_of(unsigned first);

[[nodiscard]] Hello sample_hello();
[[nodiscard]] Welcome sample_welcome();
[[nodiscard]] PlanTotals sample_totals();
/// Rows 0 … 5: the root, a file with everything, a directory, two files in it, a link.
[[nodiscard]] std::vector<Row> sample_rows();

/// What == does not do for these.
[[nodiscard]] bool same(const Row& a, const Row& b);
[[nodiscard]] bool same(const Problem& a, const Problem& b);
[[nodiscard]] bool same(const Request& a, const Request& b);
[[nodiscard]] bool same(const Reply& a, const Reply& b);

}  // namespace ssync::wire::test
