#include "invitation_line.h"

#include <string>

#include <gtest/gtest.h>

namespace ssync::programs {
namespace {

InvitationLine sample(const std::string& host = "mirror.example.org") {
  InvitationLine line;
  line.host = host;
  line.control_port = 7101;
  line.server.bytes.fill(std::byte{0xab});
  line.token.fill(std::byte{0x5c});
  return line;
}

bool same(const InvitationLine& a, const InvitationLine& b) {
  return a.host == b.host && a.control_port == b.control_port && a.server == b.server && a.token == b.token;
}

TEST(InvitationLineTest, ComesBackAsItWas) {
  for (const char* host : {"mirror.example.org", "192.0.2.7", "2001:db8::1"}) {
    const InvitationLine line = sample(host);
    EXPECT_TRUE(same(parse_invitation_line(text_of(line)).value(), line)) << text_of(line);
  }
  EXPECT_EQ(text_of(sample("2001:db8::1")).substr(0, 26), "ssync1:[2001:db8::1]:7101:");
}

TEST(InvitationLineTest, MayBePastedWithWhatIsAroundIt) {
  const std::string text = text_of(sample());
  for (const std::string& pasted : {"  " + text + "\n", "client-sync --join " + text, text + " \r\n"})
    EXPECT_TRUE(same(parse_invitation_line(pasted).value(), sample())) << pasted;
}

TEST(InvitationLineTest, WhatIsCutOrChangedIsToldWithoutTheToken) {
  const std::string text = text_of(sample());
  for (const std::string& wrong :
       {std::string(), text.substr(1), text.substr(0, text.size() - 1), text + "0", "ssync2" + text.substr(6),
        "ssync1::7101" + text.substr(text.find(":7101:") + 5),
        "ssync1:host:0" + text.substr(text.find(":7101:") + 5),
        "ssync1:host:70000" + text.substr(text.find(":7101:") + 5),
        "ssync1:ho st:7101" + text.substr(text.find(":7101:") + 5)}) {
    const auto parsed = parse_invitation_line(wrong);
    ASSERT_FALSE(parsed) << wrong;
    EXPECT_EQ(parsed.error().text().find("5c5c"), std::string::npos) << parsed.error().text();
  }
}

}  // namespace
}  // namespace ssync::programs
