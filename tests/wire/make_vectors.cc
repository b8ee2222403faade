// ssync_wire_vectors FOLDER: writes the golden messages to FOLDER and the worked example (proto-spec/10) to
// stdout. For when the protocol changes; the tests read what is committed.
#include <cstdio>
#include <fstream>
#include <iostream>
#include <string>

#include "bad_messages.h"
#include "example.h"
#include "hex.h"
#include "samples.h"

namespace {

using namespace ssync;
using namespace ssync::wire;
using namespace ssync::wire::test;
using Json = nlohmann::ordered_json;

template <typename Samples>
Json valid_control(const Samples& samples) {
  Json out = Json::array();
  for (const auto& sample : samples) {
    const Frames frames = encode(sample.message);
    Json vector = {
        {"name", sample.name}, {"head", hex(frames.head.bytes())}, {"body", hex(frames.body.bytes())}};
    vector["fields"] = readable(frames.head.bytes());
    if (!frames.body.empty()) vector["rows"] = readable(frames.body.bytes());
    out.push_back(std::move(vector));
  }
  return out;
}

Json valid_data() {
  Json out = Json::array();
  for (const NamedData& sample : sample_data()) {
    out.push_back({{"name", sample.name},
                   {"head", hex(encode(sample.message).bytes())},
                   {"payload_bytes", sample.payload_bytes}});
  }
  return out;
}

Json valid_tap() {
  Json out = Json::array();
  for (const TapRecord& record : sample_records()) {
    const Buffer bytes = encode(record);
    out.push_back({{"name", record.type}, {"head", hex(bytes.bytes())}, {"fields", readable(bytes.bytes())}});
  }
  return out;
}

enum class HasBody : bool { no, yes };

Json invalid(const std::vector<BadMessage>& messages, const char* second, HasBody has_body) {
  Json out = Json::array();
  for (const BadMessage& bad : messages) {
    Json vector = {{"name", bad.name},
                   {"rule", bad.reason},
                   {"error", to_string(bad.error)},
                   {"head", short_hex(bad.head)}};
    if (second != nullptr && has_body == HasBody::yes) vector[second] = short_hex(bad.body);
    if (second != nullptr && has_body == HasBody::no) vector[second] = bad.payload_bytes;
    out.push_back(std::move(vector));
  }
  return out;
}

bool write(const std::string& path, const Json& valid, const Json& invalid) {
  std::ofstream file(path);
  file << Json({{"valid", valid}, {"invalid", invalid}}).dump(1) << '\n';
  file.close();
  if (!file) std::cerr << path << ": cannot be written\n";
  return !file.fail();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: ssync_wire_vectors FOLDER\n";
    return 2;
  }
  const std::string folder = argv[1];
  bool written = write(folder + "/requests.json", valid_control(sample_requests()),
                       invalid(bad_requests(), "body", HasBody::yes));
  written = write(folder + "/replies.json", valid_control(sample_replies()),
                  invalid(bad_replies(), "body", HasBody::yes)) &&
            written;
  written = write(folder + "/data.json", valid_data(), invalid(bad_data(), "payload_bytes", HasBody::no)) &&
            written;
  written = write(folder + "/tap.json", valid_tap(), invalid(bad_records(), nullptr, HasBody::no)) && written;
  std::cout << worked_example();
  return written ? 0 : 1;
}
