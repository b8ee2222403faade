// The golden messages of proto-spec/vectors/: what is valid decodes, encodes to the same bytes again and says
// what the file says; what is invalid is refused with the error that the file names.
#include <fstream>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "ssync/wire/codec.h"
#include "ssync/wire/data.h"
#include "ssync/wire/tap.h"

#include "hex.h"
#include "samples.h"

namespace ssync::wire {
namespace {

using test::buffer_of_hex;
using test::hex;
using Json = nlohmann::ordered_json;

struct Vector {
  std::string file;
  const Json* json;
  [[nodiscard]] std::string text(const char* key) const { return json->value(key, std::string()); }
  [[nodiscard]] Frames frames() const {
    return {.head = buffer_of_hex(text("head")), .body = buffer_of_hex(text("body"))};
  }
  [[nodiscard]] std::size_t payload_bytes() const { return json->value("payload_bytes", std::size_t{0}); }
};

void PrintTo(const Vector& vector, std::ostream* out) {
  *out << vector.file << ": " << vector.text("name");
}

/// Every test is a process of its own, so each file is read once only.
const Json& read(const std::string& file) {
  static std::map<std::string, Json> files;
  const auto found = files.find(file);
  if (found != files.end()) return found->second;
  std::ifstream in(SSYNC_SPEC_DIR "/vectors/" + file + ".json");
  return files.emplace(file, Json::parse(in)).first->second;
}

std::vector<Vector> load(const char* list,
                         const std::vector<std::string>& files = {"requests", "replies", "data", "tap"}) {
  std::vector<Vector> out;
  for (const std::string& file : files) {
    for (const Json& vector : read(file).at(list))
      out.push_back({file, &vector});
  }
  return out;
}

std::string test_name(const testing::TestParamInfo<Vector>& info) {
  std::string name = info.param.file + "_" + info.param.text("name");
  for (char& c : name) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0) c = '_';
  }
  return name + "_" + std::to_string(info.index);
}

/// The bytes that decoding and encoding again give, as "head/body", or the error.
Result<std::string> recoded(const Vector& vector) {
  const auto frames_text = [](const Frames& frames) {
    return hex(frames.head.bytes()) + "/" + hex(frames.body.bytes());
  };
  if (vector.file == "requests")
    return decode_request(vector.frames()).map([&](const Request& r) { return frames_text(encode(r)); });
  if (vector.file == "replies")
    return decode_reply(vector.frames()).map([&](const Reply& r) { return frames_text(encode(r)); });
  const Buffer head = buffer_of_hex(vector.text("head"));
  if (vector.file == "data") {
    return decode_data(head.bytes(), vector.payload_bytes()).map([](const DataHead& h) {
      return hex(encode(h).bytes()) + "/";
    });
  }
  return decode_tap(head.bytes()).map([](const TapRecord& record) {
    return hex(encode(record).bytes()) + "/";
  });
}

class ValidVector : public testing::TestWithParam<Vector> {};
INSTANTIATE_TEST_SUITE_P(Spec, ValidVector, testing::ValuesIn(load("valid")), test_name);

TEST_P(ValidVector, DecodesAndEncodesToTheSameBytes) {
  const auto again = recoded(GetParam());
  ASSERT_TRUE(again) << again.error().text();
  EXPECT_EQ(*again, GetParam().text("head") + "/" + GetParam().text("body"));
}

class ValidMsgpack : public testing::TestWithParam<Vector> {};
INSTANTIATE_TEST_SUITE_P(Spec, ValidMsgpack, testing::ValuesIn(load("valid", {"requests", "replies", "tap"})),
                         test_name);

TEST_P(ValidMsgpack, SaysWhatAnotherImplementationReads) {
  const Vector& vector = GetParam();
  const Buffer head = buffer_of_hex(vector.text("head"));
  EXPECT_EQ(test::readable(head.bytes()), vector.json->at("fields"));
  EXPECT_EQ(hex(test::msgpack_of(vector.json->at("fields")).bytes()), hex(head.bytes()))
      << "integers in their shortest form";
  if (!vector.text("body").empty()) {
    EXPECT_EQ(test::readable(buffer_of_hex(vector.text("body")).bytes()), vector.json->at("rows"));
  }
}

class InvalidVector : public testing::TestWithParam<Vector> {};
INSTANTIATE_TEST_SUITE_P(Spec, InvalidVector, testing::ValuesIn(load("invalid")), test_name);

TEST_P(InvalidVector, IsRefusedWithTheErrorOfItsRule) {
  const auto again = recoded(GetParam());
  ASSERT_FALSE(again) << "was accepted, although " << GetParam().text("rule");
  EXPECT_EQ(to_string(again.error().code), GetParam().text("error")) << again.error().text();
  RecordProperty("message", again.error().message);
}

TEST(Vectors, HoldAValidMessageOfEveryKind) {
  std::set<std::string> kinds;
  for (const Vector& vector : load("valid")) {
    if (vector.json->contains("fields"))
      kinds.insert(vector.file + "/" + vector.json->at("fields").at("t").get<std::string>());
  }
  for (const auto& sample : test::sample_requests())
    EXPECT_EQ(kinds.count("requests/" + std::string(name_of(sample.message.body))), 1U);
  for (const auto& sample : test::sample_replies())
    EXPECT_EQ(kinds.count("replies/" + std::string(name_of(sample.message.body))), 1U);
}

}  // namespace
}  // namespace ssync::wire
