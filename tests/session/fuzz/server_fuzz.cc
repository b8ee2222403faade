// The server's machine, with peers that send anything in any order. What runs for its syncs keeps its part of
// the contract, at any time: it is what the fuzzer chooses too.
#include <deque>
#include <iterator>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "ssync/session/server.h"
#include "ssync/support/fuzz_input.h"
#include "ssync/wire/codec.h"

namespace {

using namespace ssync;
using session::Peer;
using session::SessionKey;
using session::Time;
using support::FuzzInput;
using support::require;
namespace server = session::server;

constexpr std::size_t kPeers = 6;
constexpr std::uint64_t kWindow = 6000;

class Host {
 public:
  explicit Host(FuzzInput& input) : input_(input), machine_(config(), [this] { return next_ids(); }) {
    set_mirrors();
  }

  void run() {
    while (!input_.is_over())
      step();
    carry_out(machine_.shutdown(now_));
    for (const auto& [key, sync] : std::map(syncs_)) {
      if (sync.state == State::opening) carry_out(machine_.opened(key, {}, now_));
      carry_out(machine_.closed(key, now_), key);
    }
    require(syncs_.empty() && machine_.active() == 0, "all syncs end with the server");
  }

 private:
  enum class State : std::uint8_t { opening, running, closing };
  struct Sync {
    State state = State::opening;
    std::string mirror;
    std::uint64_t tag = 0;
    wire::SessionId id{};
    std::uint64_t lists_announced = 0;
    std::set<std::uint64_t> lists;  ///< to be announced
    std::uint64_t charged = 0;      ///< delivered and not returned
    std::uint64_t sent = 0, messages = 0;
  };

  server::Config config() {
    server::Config out;
    out.program = "fuzzed";
    out.syncs_max = input_.pick(3);
    out.window_bytes = kWindow;
    out.least_window_bytes = kWindow / 2;
    out.waiting_max = 4;
    out.mirror_waiting_max = 2;
    out.held_bytes_max = 2000;
    out.outputs_max = 2;
    return out;
  }
  server::Ids next_ids() {
    server::Ids ids;
    ids.session[0] = static_cast<std::byte>(++ids_);
    ids.session[1] = std::byte{1};
    ids.tag = 100 + ids_ % 100;
    given_.push_back(ids);
    return ids;
  }
  void set_mirrors() {
    std::vector<server::OfferedMirror> offered;
    const std::size_t which = input_.pick(8);
    for (std::size_t i = 0; i < 3; ++i)
      if ((which >> i & 1U) != 0) offered.push_back({std::string(i, 'm'), "comment"});
    carry_out(machine_.set_mirrors(std::move(offered), now_));
  }

  void step() {
    now_ += std::chrono::milliseconds(input_.chance(40) ? input_.number() % 20'000 : 1);
    const Peer peer = 1 + input_.pick(kPeers);
    switch (input_.pick(14)) {
      case 0:
      case 1:
      case 2:
        return carry_out(machine_.on_request(peer, request(), now_));
      case 3:
        return raw_request(peer);
      case 4:
      case 5:
        return data(peer);
      case 6:
        return carry_out(machine_.on_disconnected(peer, now_));
      case 7:
        return carry_out(machine_.on_tick(now_));
      case 8:
        return set_mirrors();
      case 9:
        return carry_out(machine_.dismiss(peer, error(), now_));
      case 10:
        return carry_out(machine_.refuse(peer, static_cast<std::uint32_t>(input_.number()), error(), now_));
      case 11:
        return carry_out(machine_.on_malformed_data(peer, Error{Errc::protocol, "bad"}, now_));
      default:
        return sync_step();
    }
  }

  static wire::ErrorReply error() { return {wire::ErrorCode::io, true, "an error"}; }

  /// Of one that runs, mostly.
  wire::SessionId any_id() {
    if (syncs_.empty() || input_.chance(20)) return {};
    auto sync = syncs_.begin();
    std::advance(sync, input_.pick(syncs_.size()));
    return sync->second.id;
  }

  wire::Request request() {
    wire::Request out;
    out.seq = ++seq_ + static_cast<std::uint32_t>(input_.chance(10) ? input_.number() : 0);
    out.session = any_id();
    switch (input_.pick(8)) {
      case 0:
      case 1:
        out.session = {};
        out.body = hello();
        break;
      case 2:
        out.body = wire::Next{input_.pick(8)};
        break;
      case 3:
        out.body = list();
        break;
      case 4: {
        wire::DirectoryList directories{input_.pick(4), {}, input_.chance(128)};
        directories.rows.push_back({});
        out.body = std::move(directories);
        break;
      }
      case 5:
        out.body = wire::Digests{{{input_.number(), std::nullopt, std::nullopt}}};
        break;
      case 6:
        out.body = input_.chance(128) ? wire::RequestBody(wire::Fail{input_.number(), false, 5, "cannot"})
                                      : wire::RequestBody(wire::AskMirrors{input_.text(3)});
        break;
      default:
        out.body = input_.chance(200) ? wire::RequestBody(wire::Bye{input_.byte(), "bye"})
                                      : wire::RequestBody(wire::Join{});
    }
    return out;
  }
  wire::Hello hello() {
    wire::Hello out;
    out.client[0] = static_cast<std::byte>(1 + input_.pick(4));
    out.program = "peer";
    out.source_id = std::string(1 + input_.pick(256), 's');
    out.ancestry = {{1, 1}};
    out.mirror = std::string(input_.pick(4), 'm');
    out.version_min = static_cast<std::uint8_t>(1 + (input_.chance(10) ? 1 : 0));
    out.version_max = static_cast<std::uint8_t>(out.version_min + input_.pick(2));
    return out;
  }
  wire::FileList list() {
    wire::FileList out;
    out.number = input_.pick(4);
    for (std::size_t i = input_.pick(4); i > 0; --i) {
      Row row;
      row.id = input_.pick(8);
      out.batch.rows.push_back(row);
    }
    out.batch.last = input_.chance(80);
    return out;
  }
  void raw_request(Peer peer) {
    wire::Frames frames;
    frames.head = Buffer::copy_of(input_.bytes(300));
    frames.body = Buffer::copy_of(input_.bytes(300));
    const std::uint32_t seq = wire::seq_of(frames.head.bytes());
    auto decoded = wire::decode_request(std::move(frames));
    carry_out(decoded ? machine_.on_request(peer, *std::move(decoded), now_)
                      : machine_.on_malformed(peer, seq, decoded.error(), now_));
  }

  void data(Peer peer) {
    wire::DataHead head;
    Sync* const sync = any_sync();
    head.type = input_.chance(120) ? wire::DataType::attach : wire::DataType::data;
    head.tag = sync == nullptr ? input_.number() : sync->tag;
    std::size_t payload_bytes = 0;
    Buffer payload;
    if (head.type == wire::DataType::attach) {
      const wire::SessionId id = sync == nullptr ? wire::SessionId{} : sync->id;
      payload = Buffer::copy_of(id);
      payload_bytes = id.size();
    } else {
      payload_bytes = input_.number() % 4000;
      head.segments.push_back(
          {input_.pick(8), 0, static_cast<std::uint32_t>(payload_bytes), false, false, {}});
      if (sync != nullptr) head.number = sync->messages + (input_.chance(20) ? 1 : 0);
      if (sync != nullptr) head.offset = sync->sent + (input_.chance(20) ? 1 : 0);
      const std::vector<std::byte> zeros(payload_bytes);
      payload = Buffer::copy_of(zeros);
    }
    const std::size_t head_bytes = wire::encode(head).size();
    carry_out(machine_.on_data(peer, std::move(head), head_bytes, std::move(payload), now_));
  }

  Sync* any_sync() {
    if (syncs_.empty()) return nullptr;
    auto sync = syncs_.begin();
    std::advance(sync, input_.pick(syncs_.size()));
    return &sync->second;
  }

  /// What the program does beside the conversation.
  void sync_step() {
    if (syncs_.empty()) return;
    auto at = syncs_.begin();
    std::advance(at, input_.pick(syncs_.size()));
    const SessionKey key = at->first;
    Sync& sync = at->second;
    if (sync.state == State::opening) {
      if (input_.chance(40)) return carry_out(machine_.refused(key, error(), now_), key);
      sync.state = State::running;
      server::Opening opening;
      opening.directory_sums = input_.chance(128);
      return carry_out(machine_.opened(key, opening, now_));
    }
    if (sync.state == State::closing) return carry_out(machine_.closed(key, now_), key);
    switch (input_.pick(4)) {
      case 0: {
        if (sync.lists.empty()) return;
        const std::uint64_t number = *sync.lists.begin();
        sync.lists.erase(sync.lists.begin());
        return carry_out(machine_.list_taken(key, number, now_));
      }
      case 1: {
        const std::uint64_t bytes = std::min(sync.charged, input_.number());
        sync.charged -= bytes;
        return carry_out(machine_.credit_returned(key, bytes, now_));
      }
      case 2:
        return machine_.progress(
            key, {wire::Wait::Reason::scanning, input_.number() >> 1U, input_.number() >> 1U});
      default:
        if (machine_.output_room(key)) carry_out(machine_.output(key, output(), now_));
    }
  }
  server::Output output() {
    switch (input_.pick(8)) {
      case 0:
        return wire::FileRequest{0, {{"", "a", std::nullopt, 1, false}}};
      case 1:
        return wire::ListRequest{0, {{"", 0}}};
      case 2:
        return wire::DigestRequest{0, {{"", "a", 1, false}}};
      case 3:
        return wire::Plan{};
      case 4:
        return wire::Changes{};
      case 5:
        return wire::Problems{};
      case 6: {
        wire::SyncDone done;
        done.tree_digest = std::string(32, '0');
        return done;
      }
      default:
        return error();
    }
  }

  /// `ended`: this one's opening or closing, which the call told.
  void carry_out(server::Effects effects, SessionKey ended = 0) {
    if (ended != 0) syncs_.erase(ended);
    for (server::Effect& effect : effects)
      std::visit([this](auto& what) { on(what); }, effect);
    require(machine_.active() == syncs_.size(), "as many syncs are active as were opened and not closed");
  }
  void on(server::SendReply& effect) {
    const auto decoded = wire::decode_reply(wire::encode(effect.reply));
    require(decoded.has_value(), decoded ? "" : decoded.error().text().c_str());
  }
  void on(server::SendCredit& effect) {
    require(wire::decode_data(wire::encode(effect.head).bytes(), 0).has_value(), "credit can be decoded");
  }
  void on(server::Kick&) {}
  void on(server::OpenSync& effect) {
    for (const auto& [key, sync] : syncs_)
      require(sync.mirror != effect.hello.mirror, "a mirror has one sync at a time");
    require(!syncs_.contains(effect.session), "a session's key is used once");
    Sync sync;
    sync.mirror = effect.hello.mirror;
    require(!given_.empty(), "a session has ids of its own");
    sync.id = given_.front().session;
    sync.tag = given_.front().tag;
    given_.pop_front();
    syncs_.emplace(effect.session, std::move(sync));
  }
  void on(server::Attached& effect) { running(effect.session); }
  void on(server::StartScan& effect) { running(effect.session); }
  void on(server::ListRows& effect) { listed(effect.session, effect.number); }
  void on(server::ListDirectories& effect) { listed(effect.session, effect.number); }
  void on(server::DigestRows& effect) { running(effect.session); }
  void on(server::FileFailed& effect) { running(effect.session); }
  void on(server::Proceed& effect) { running(effect.session); }
  void on(server::Deliver& effect) {
    Sync& sync = running(effect.session);
    const std::uint64_t bytes = wire::charge(wire::encode(effect.head).size(), effect.payload.size());
    sync.charged += bytes;
    sync.sent += bytes;
    ++sync.messages;
    require(sync.charged <= kWindow + kWindow / 2, "no more is delivered than there is credit for");
  }
  void on(server::CloseSync& effect) {
    const auto sync = syncs_.find(effect.session);
    require(sync != syncs_.end() && sync->second.state != State::closing, "a sync is closed once");
    sync->second.state = State::closing;
  }
  void on(server::Notice&) {}

  Sync& running(SessionKey key) {
    const auto sync = syncs_.find(key);
    require(sync != syncs_.end() && sync->second.state == State::running, "only what runs is told something");
    return sync->second;
  }
  void listed(SessionKey key, std::uint64_t number) {
    Sync& sync = running(key);
    sync.lists.insert(number);
    require(sync.lists.size() <= wire::kListWindow, "the list keeps its window");
  }

  FuzzInput& input_;
  Time now_{std::chrono::hours(1)};
  std::uint32_t seq_ = 0;
  std::uint64_t ids_ = 0;
  std::deque<server::Ids> given_;  ///< for the next OpenSync
  std::map<SessionKey, Sync> syncs_;
  server::Server machine_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* first, std::size_t size) {
  FuzzInput input(first, size);
  Host(input).run();
  return 0;
}
