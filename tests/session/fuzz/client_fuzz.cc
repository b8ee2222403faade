// The client's machine, with a server that replies anything at any time. The source and the user keep their
// part of the contract.
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "ssync/session/client.h"
#include "ssync/support/fuzz_input.h"
#include "ssync/wire/codec.h"

namespace {

using namespace ssync;
using session::Time;
using support::FuzzInput;
using support::require;
namespace client = session::client;

class Host {
 public:
  explicit Host(FuzzInput& input) : input_(input), encoder_(3), machine_(config()) {
    carry_out(machine_.start(now_));
    carry_out(machine_.on_connected(now_));
  }

  void run() {
    while (!input_.is_over() && !is_over_)
      step();
    // Whatever was said: a server that falls silent is left.
    for (int i = 0; i < 40 && !is_over_; ++i) {
      now_ += std::chrono::minutes(1);
      if (shows_plan_) carry_out(machine_.plan_accepted(now_));
      if (!is_over_) carry_out(machine_.on_tick(now_));
    }
    require(is_over_, "silence ends the session");
  }

 private:
  static client::Config config() {
    client::Config out;
    out.hello.client[0] = std::byte{1};
    out.hello.program = "fuzzed";
    out.hello.source_id = "source";
    out.hello.ancestry = {{1, 1}};
    return out;
  }

  void step() {
    now_ += std::chrono::milliseconds(input_.chance(30) ? input_.number() % 20'000 : 1);
    switch (input_.pick(10)) {
      case 0:
      case 1:
      case 2:
      case 3:
        return carry_out(machine_.on_reply({seq(), reply()}, now_));
      case 4:
        return raw_reply();
      case 5:
        return credit();
      case 6:
        return carry_out(machine_.on_tick(now_));
      case 7:
        return rare();
      default:
        return source_step();
    }
  }
  /// Of the request that waits for its reply, mostly.
  std::uint32_t seq() { return input_.chance(230) ? asked_ : static_cast<std::uint32_t>(input_.number()); }

  void rare() {
    switch (input_.byte()) {
      case 0:
        return carry_out(machine_.on_disconnected("lost", now_));
      case 1:
        return carry_out(machine_.interrupt(20, now_));
      case 2:
        return carry_out(machine_.on_malformed(Error{Errc::protocol, "bad"}, now_));
      default:
        return;
    }
  }

  wire::ReplyBody reply() {
    switch (input_.pick(14)) {
      case 0:
        return welcome();
      case 1:
        return wire::Wait{static_cast<wire::Wait::Reason>(input_.pick(6)), input_.number(), 0, "",
                          input_.pick(3)};
      case 2:
      case 3:
        return wire::FileListOk{input_.pick(4)};
      case 4:
        return wire::Ok{};
      case 5:
        return wire::FileRequest{numbered(), {{"", "a", std::nullopt, input_.pick(6), input_.chance(20)}}};
      case 6:
        return wire::DigestRequest{numbered(), {{"", "a", input_.pick(6), false}}};
      case 7:
        return wire::ListRequest{numbered(), {{"", input_.pick(4)}}};
      case 8: {
        wire::Plan plan;
        plan.number = numbered();
        return plan;
      }
      case 9:
        return wire::Changes{numbered(), {{}}};
      case 10: {
        wire::Problems problems;
        problems.number = numbered();
        return problems;
      }
      case 11: {
        wire::SyncDone done;
        done.number = numbered();
        done.tree_digest = std::string(32, '0');
        return done;
      }
      case 12:
        return wire::ErrorReply{static_cast<wire::ErrorCode>(1 + input_.pick(20)), input_.chance(128), "no"};
      default:
        return input_.chance(128) ? wire::ReplyBody(wire::Mirrors{}) : wire::ReplyBody(wire::Joined{});
    }
  }
  /// The next one, mostly.
  std::uint64_t numbered() { return input_.chance(230) ? ++replies_ : input_.number(); }
  wire::Welcome welcome() {
    wire::Welcome out;
    out.session[0] = std::byte{1};
    out.tag = 7;
    out.program = "server";
    out.rows_max = wire::kRowsMax;
    out.body_bytes_max = wire::kBodyBytesMax;
    out.list_window = static_cast<std::uint32_t>(1 + input_.pick(3));
    out.chunk_bytes_max = wire::kChunkBytesMax;
    out.heartbeat_ms = 2000;
    out.idle_ms = 15000;
    out.directory_sums = input_.chance(128);
    return out;
  }
  void raw_reply() {
    wire::Frames frames;
    frames.head = Buffer::copy_of(input_.bytes(300));
    frames.body = Buffer::copy_of(input_.bytes(300));
    auto decoded = wire::decode_reply(std::move(frames));
    carry_out(decoded ? machine_.on_reply(*std::move(decoded), now_)
                      : machine_.on_malformed(decoded.error(), now_));
  }
  void credit() {
    wire::DataHead head;
    head.type = wire::DataType::credit;
    head.tag = 7;
    head.number = input_.chance(230) ? credits_++ : input_.number();
    head.offset = credit_ += input_.number() * 100;
    carry_out(machine_.on_credit(head, now_));
  }

  void source_step() {
    if (shows_plan_ && input_.chance(128)) {
      shows_plan_ = false;
      return carry_out(input_.chance(220) ? machine_.plan_accepted(now_) : machine_.plan_refused(25, now_));
    }
    if (digests_ > 0 && input_.chance(128)) {
      --digests_;
      return carry_out(machine_.digests_ready({{1, std::nullopt, std::nullopt}}, now_));
    }
    if (files_ > 0 && input_.chance(128)) {
      --files_;
      return input_.chance(60) ? carry_out(machine_.file_failed({1, false, 5, "cannot"}, now_)) : send_file();
    }
    if (lists_ && machine_.list_room()) return list();
  }
  void list() {
    const bool sums = machine_.welcome()->directory_sums && by_sums_;
    const bool last = input_.chance(60);
    lists_ = !last;
    if (sums) {
      wire::DirectoryList directories{0, {}, last};
      // The root, which has a row of its own, then others in order.
      const std::size_t number = directories_++;
      directories.rows.push_back(number == 0 ? DirectorySum{"", 1, {}}
                                             : DirectorySum{fmt::format("d{:09}", number), 0, {}});
      return carry_out(machine_.list_ready(std::move(directories), now_));
    }
    Row row;
    row.id = rows_++;
    const std::string name = fmt::format("f{:09}", row.id);
    if (row.id > 0) row.name = name;
    row.values.kind = Kind::directory;
    (void)encoder_.add(row);
    carry_out(machine_.list_ready(encoder_.finish(last), now_));
  }
  void send_file() {
    const std::size_t bytes = input_.pick(256);
    wire::Segment segment{1, 0, static_cast<std::uint32_t>(bytes), false, true, {}};
    if (!machine_.data_room(wire::table_bytes(segment), bytes)) return;
    const wire::DataHead head = machine_.number_data({segment}, bytes, now_);
    require(head.offset + wire::charge(wire::encode(head).size(), bytes) <= credit_,
            "no more is sent than there is credit for");
  }

  void carry_out(client::Effects effects) {
    for (client::Effect& effect : effects) {
      require(!is_over_, "nothing comes after the end");
      std::visit([this](auto& what) { on(what); }, effect);
    }
  }
  void on(client::Send& effect) {
    const auto sent = wire::decode_request(std::move(effect.frames));
    require(sent.has_value(), sent ? "" : sent.error().text().c_str());
    asked_ = sent->seq;
  }
  void on(client::SendData& effect) {
    require(wire::decode_data(effect.head.bytes(), effect.payload.size()).has_value(),
            "attach can be decoded");
  }
  void on(client::StartList&) {
    lists_ = true;
    by_sums_ = input_.chance(128);
  }
  void on(client::Waiting&) {}
  void on(client::HashFiles&) { ++digests_; }
  void on(client::ListDirectories&) {
    by_sums_ = false;
    lists_ = true;
  }
  void on(client::ReadFiles& effect) { files_ += effect.rows.size(); }
  void on(client::ShowPlan&) { shows_plan_ = true; }
  void on(client::ShowChanges&) {}
  void on(client::ShowProblems&) {}
  void on(client::ShowProgress&) {}
  void on(client::Finished&) { is_over_ = true; }
  void on(client::Failed&) { is_over_ = true; }

  FuzzInput& input_;
  wire::FileListEncoder encoder_;
  Time now_{std::chrono::hours(1)};
  std::uint32_t asked_ = 0;
  std::uint64_t replies_ = 0, credits_ = 0, credit_ = 0;
  bool lists_ = false, by_sums_ = false, shows_plan_ = false, is_over_ = false;
  RowId rows_ = 0;
  std::size_t directories_ = 0, digests_ = 0, files_ = 0;
  client::Client machine_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* first, std::size_t size) {
  FuzzInput input(first, size);
  Host(input).run();
  return 0;
}
