#include "example.h"

#include <algorithm>
#include <span>
#include <string_view>
#include <utility>

#include <xxhash.h>

#include "ssync/model/tree_digest.h"
#include "ssync/wire/describe.h"

#include "hex.h"
#include "samples.h"

namespace ssync::wire::test {
namespace {

constexpr std::string_view kContent = "hello\n";

Checksum checksum_of(std::string_view content) {
  XXH128_canonical_t canonical;
  XXH128_canonicalFromHash(&canonical, XXH3_128bits(content.data(), content.size()));
  Checksum out{};
  std::transform(std::begin(canonical.digest), std::end(canonical.digest), out.begin(),
                 [](auto byte) { return static_cast<std::byte>(byte); });
  return out;
}

class Exchange {
 public:
  void say(const std::string& text) { out_ += text + "\n\n"; }
  void request(Request message) {
    message.session = session_;
    if (std::holds_alternative<Hello>(message.body)) message.session = {};
    control("C", name_of(message.body), summary_of(message), encode(message));
  }
  void reply(const Reply& message) {
    control("S", name_of(message.body), summary_of(message), encode(message));
  }
  void data(const char* who, const char* name, const DataHead& head, std::string_view payload) {
    begin(who, "data socket", name, summary_of(head));
    frame("head", encode(head).bytes());
    frame("payload", std::as_bytes(std::span(payload)));
    out_ += "```\n\n";
  }
  [[nodiscard]] std::string take() { return std::move(out_); }
  [[nodiscard]] const SessionId& session() const noexcept { return session_; }

 private:
  void control(const char* who, const char* name, const std::string& summary, const Frames& frames) {
    begin(who, "control socket", name, summary);
    out_ += "        (empty delimiter frame)\n";
    frame("head", frames.head.bytes());
    if (!frames.body.empty()) frame("body", frames.body.bytes());
    out_ += "\n        head " + readable(frames.head.bytes()).dump() + "\n";
    if (!frames.body.empty()) out_ += "        body " + readable(frames.body.bytes()).dump() + "\n";
    out_ += "```\n\n";
  }
  void begin(const char* who, const char* socket, const char* name, const std::string& summary) {
    out_ += std::string("**") + who + ": " + name + "** (" + socket + ")" +
            (summary.empty() ? "" : ", " + summary) + "\n\n```\n";
  }
  void frame(const char* name, std::span<const std::byte> bytes) {
    const std::string digits = hex(bytes);
    std::string label = std::string(name) + std::string(8 - std::string_view(name).size(), ' ');
    if (digits.empty()) out_ += label + "(empty)\n";
    for (std::size_t at = 0; at < digits.size(); at += 64) {
      out_ += label;
      const std::string line = digits.substr(at, 64);
      for (std::size_t i = 0; i < line.size(); i += 8)
        out_ += (i == 0 ? "" : " ") + line.substr(i, 8);
      out_ += "\n";
      label.assign(8, ' ');
    }
  }

  std::string out_;
  SessionId session_ = bytes16(0xa0);
};

constexpr std::uint64_t kTag = 0x0123456789abcdef;

Hello hello() {
  Hello hello = sample_hello();
  hello.options = {};
  hello.ancestry = {{.device = 2049, .inode = 131073}, {.device = 2049, .inode = 2}};
  return hello;
}

Welcome welcome() {
  Welcome welcome = sample_welcome();
  welcome.tag = kTag;
  welcome.attributes = {};
  welcome.synced_before = false;
  welcome.notes = {"owner and group are not kept: the server does not run as root"};
  return welcome;
}

FileList filelist() {
  FileList list;
  list.batch.last = true;
  list.batch.rows = {
      {.location = "",
       .name = "",
       .id = 0,
       .values = {.kind = Kind::directory, .mode = 0755, .mtime = {1700000000, 0}, .owner = {1000, 1000}}},
      {.location = "",
       .name = "greeting",
       .id = 1,
       .values = {.kind = Kind::file,
                  .mode = 0644,
                  .size = 6,
                  .mtime = {1700000001, 500000000},
                  .owner = {1000, 1000}}}};
  return list;
}

PlanTotals totals() {
  PlanTotals totals;
  totals.source_entries = 2;
  totals.source_files = totals.source_directories = 1;
  totals.source_bytes = totals.request_bytes = kContent.size();
  totals.requests = totals.metadata = 1;
  return totals;
}

std::string tree_digest() {
  TreeDigest digest;
  for (const Row& row : filelist().batch.rows) {
    digest.add(row.location,
               row_hash(row.name, project(row.values, welcome().attributes), row.target, std::nullopt));
  }
  return digest.hex();
}

SyncDone done() {
  SyncDone done{.number = 3, .stats = {}, .tree_digest = tree_digest(), .complete = true};
  done.stats.plan = totals();
  done.stats.transferred_files = 1;
  done.stats.transferred_bytes = kContent.size();
  done.stats.metadata = 1;
  return done;
}

void open(Exchange& out) {
  out.say("## 1. Opening");
  out.request({.seq = 1, .session = {}, .body = hello()});
  out.reply({.seq = 1, .body = welcome()});
  out.say("The client attaches its data socket and gets its first credit: 2 MiB.");
  out.data("C", "attach", {.type = DataType::attach, .tag = kTag},
           {reinterpret_cast<const char*>(out.session().data()), 16});
  out.data("S", "credit", {.type = DataType::credit, .tag = kTag, .number = 0, .offset = kWindowBytesLeast},
           "");
}

void list(Exchange& out) {
  out.say("## 2. The list, and the first question");
  out.request({.seq = 2, .session = {}, .body = filelist()});
  out.request({.seq = 3, .session = {}, .body = Next{.ack = 0}});
  out.reply({.seq = 2, .body = FileListOk{.number = 0}});
  out.reply({.seq = 3, .body = Plan{.number = 1, .totals = totals()}});
  out.say(
      "Nothing has changed on the mirror yet. The next `next` acknowledges the plan, and with it permits "
      "changes.");
}

void transfer(Exchange& out) {
  out.say("## 3. The file");
  out.request({.seq = 4, .session = {}, .body = Next{.ack = 1}});
  out.reply(
      {.seq = 4,
       .body = FileRequest{
           .number = 2,
           .rows = {{.location = "", .name = "greeting", .digest = {}, .row = 1, .any_content = true}}}});
  const Segment segment{
      .row = 1,
      .offset = 0,
      .length = 6,
      .last = true,
      .ending = {.size = 6, .mtime = {1700000001, 500000000}, .checksum = checksum_of(kContent)}};
  const DataHead head{.type = DataType::data, .tag = kTag, .number = 0, .offset = 0, .segments = {segment}};
  out.data("C", "data", head, kContent);
  const std::uint64_t charged = charge(encode(head).size(), kContent.size());
  out.say("The message was charged " + std::to_string(encode(head).size()) + " + " +
          std::to_string(kContent.size()) + " + 1024 = " + std::to_string(charged) +
          " bytes. They are written and nothing else waits, so the limit is the whole window beyond them.");
  out.data("S", "credit",
           {.type = DataType::credit, .tag = kTag, .number = 1, .offset = kWindowBytes + charged}, "");
}

void close(Exchange& out) {
  out.say("## 4. The end");
  out.request({.seq = 5, .session = {}, .body = Next{.ack = 2}});
  out.reply({.seq = 5, .body = Wait{.reason = Wait::Reason::writing, .done = 0, .total = 6, .text = ""}});
  out.say("`wait` is a reply, but not a numbered one: the client asks again with the same `ack`.");
  out.request({.seq = 6, .session = {}, .body = Next{.ack = 2}});
  out.reply({.seq = 6, .body = done()});
  out.request({.seq = 7, .session = {}, .body = Bye{.code = 0, .text = ""}});
  out.reply({.seq = 7, .body = Ok{}});
}

}  // namespace

std::string worked_example() {
  Exchange out;
  open(out);
  list(out);
  transfer(out);
  close(out);
  return out.take();
}

}  // namespace ssync::wire::test
