#include "rig.h"

#include <type_traits>
#include <utility>
#include <variant>

#include "ssync/base/overload.h"

namespace ssync::session {
namespace {

constexpr std::size_t kChargeWithoutPayload = 1080;  // header 32, one segment 24, message 1024

std::string number(std::uint64_t value) {
  return std::to_string(value);
}

std::string reply_text(const wire::ReplyBody& body) {
  std::string text = wire::name_of(body);
  std::visit(Overload{[&](const wire::ErrorReply& error) {
                        text +=
                            std::string("(") + wire::name_of(error.code) + (error.retry ? ", retry)" : ")");
                      },
                      [&](const wire::Wait& wait) {
                        if (wait.place == 0) return;
                        text += wait.reason == wire::Wait::Reason::other_mirrors ? "(slot, " : "(turn, ";
                        text += number(wait.place) + " of " + number(wait.total) + ")";
                      },
                      [](const wire::Welcome&) {}, [](const wire::Ok&) {}, [](const wire::Joined&) {},
                      [&](const wire::Mirrors& mirrors) {
                        for (const wire::MirrorRow& row : mirrors.rows)
                          text += " '" + row.name + "'";
                        if (mirrors.more) text += " and more";
                      },
                      [&](const auto& numbered) { text += " " + number(numbered.number); }},
             body);
  return text;
}

std::string request_text(const wire::Request& request) {
  std::string text = wire::name_of(request.body);
  std::visit(Overload{[](const wire::Hello&) {}, [](const wire::AskMirrors&) {}, [](const wire::Join&) {},
                      [&](const wire::FileList& list) { text += " " + number(list.number); },
                      [&](const wire::DirectoryList& list) { text += " " + number(list.number); },
                      [&](const wire::Next& next) { text += "(" + number(next.ack) + ")"; },
                      [&](const wire::Digests& digests) { text += " of " + number(digests.rows.size()); },
                      [&](const wire::Fail& fail) { text += " " + number(fail.row); },
                      [&](const wire::Bye& bye) { text += "(" + number(bye.code) + ")"; }},
             request.body);
  return text;
}

std::string failed_text(const client::Failed& failed) {
  using Why = client::Failed::Why;
  const std::map<Why, std::string> names{
      {Why::connection, "connection"},     {Why::connect_timeout, "connect_timeout"},
      {Why::idle_timeout, "idle_timeout"}, {Why::server_error, "server_error"},
      {Why::protocol, "protocol"},         {Why::refused_plan, "refused_plan"},
      {Why::interrupted, "interrupted"}};
  std::string text = "failed: " + names.at(failed.why);
  if (failed.code) text += std::string(" ") + wire::name_of(*failed.code);
  return text + (failed.retry ? ", retry" : "");
}

}  // namespace

wire::ClientId client_id(std::uint8_t number) {
  return {std::byte{number}};
}
wire::SessionId session_id(std::uint8_t number) {
  return {std::byte{0xee}, std::byte{number}};
}

wire::Hello hello_of(std::uint8_t client) {
  wire::Hello hello;
  hello.client = client_id(client);
  hello.program = "test";
  hello.source_id = "source";
  hello.ancestry = {wire::NodeId{1, 2}};
  return hello;
}

server::Output plan() {
  return wire::Plan{};
}
server::Output done() {
  wire::SyncDone done;
  done.tree_digest = std::string(32, '0');
  return done;
}
server::Output changes() {
  return wire::Changes{};
}
server::Output failure() {
  return wire::ErrorReply{kIo, true, "the disk is gone"};
}
server::Output request_rows(const std::vector<RowId>& rows) {
  wire::FileRequest request;
  for (const RowId row : rows)
    request.rows.push_back({"", "f" + number(row), std::nullopt, row});
  return request;
}
server::Output list_rows(const std::vector<std::uint64_t>& directories) {
  wire::ListRequest request;
  for (const std::uint64_t directory : directories)
    request.rows.push_back({"d" + number(directory), directory});
  return request;
}
server::Output query_rows(const std::vector<RowId>& rows) {
  wire::DigestRequest request;
  for (const RowId row : rows)
    request.rows.push_back({"", "f" + number(row), row, false});
  return request;
}

server::Config ServerRig::config_of() {
  server::Config config;
  config.program = "server";
  config.window_bytes = config.least_window_bytes = 10000;
  config.mirror_waiting_max = 3;
  return config;
}

ServerRig::ServerRig(server::Config config)
    : server(std::move(config), [this] {
        ++sessions_;
        return server::Ids{session_id(sessions_), std::uint64_t{100} + sessions_};
      }) {
  mirrors({""});
}

Lines ServerRig::text(const server::Effects& effects) const {
  using namespace server;
  Lines lines;
  for (const Effect& effect : effects) {
    lines.push_back(std::visit(
        Overload{[](const SendReply& e) {
                   return number(e.peer) + " <- " + number(e.reply.seq) + " " + reply_text(e.reply.body);
                 },
                 [](const SendCredit& e) {
                   return number(e.peer) + " <- credit " + number(e.head.number) + " to " +
                          number(e.head.offset);
                 },
                 [](const Kick& e) { return "kick " + number(e.peer); },
                 [](const OpenSync& e) {
                   return "open " + number(e.peer) + (e.hello.mirror.empty() ? "" : " on " + e.hello.mirror);
                 },
                 [](const Attached& e) { return "attached " + number(e.peer) + " to " + number(e.session); },
                 [](const StartScan&) { return std::string("scan"); },
                 [](const ListRows& e) { return "rows " + number(e.number) + (e.batch.last ? " last" : ""); },
                 [](const ListDirectories& e) {
                   return "directories " + number(e.number) + (e.last ? " last" : "");
                 },
                 [](const DigestRows& e) { return "digests of " + number(e.rows.size()); },
                 [](const FileFailed& e) { return "failed " + number(e.fail.row); },
                 [](const Proceed&) { return std::string("proceed"); },
                 [](const Deliver& e) { return "deliver " + number(e.head.number); },
                 [](const CloseSync& e) {
                   return e.completed ? std::string("close complete") : "close: " + e.reason;
                 },
                 [](const Notice& e) { return "notice " + e.text; }},
        effect));
  }
  return lines;
}

Lines ServerRig::request(Peer peer, wire::RequestBody body, std::uint8_t session) {
  const bool is_hello = std::holds_alternative<wire::Hello>(body);
  return text(server.on_request(
      peer, wire::Request{++seqs_[peer], is_hello ? wire::SessionId{} : session_id(session), std::move(body)},
      now));
}
Lines ServerRig::hello(Peer peer, std::uint8_t client) {
  return request(peer, hello_of(client == 0 ? static_cast<std::uint8_t>(peer) : client), 0);
}
Lines ServerRig::hello_to(const std::string& mirror, Peer peer, std::uint8_t client) {
  wire::Hello hello = hello_of(client == 0 ? static_cast<std::uint8_t>(peer) : client);
  hello.mirror = mirror;
  return request(peer, std::move(hello), 0);
}
Lines ServerRig::ask_mirrors(Peer peer, const std::string& after) {
  return request(peer, wire::AskMirrors{after}, 0);
}
Lines ServerRig::mirrors(const std::vector<std::string>& names) {
  std::vector<server::OfferedMirror> offered;
  for (const std::string& name : names)
    offered.push_back({name, "comment"});
  return text(server.set_mirrors(std::move(offered), now));
}
Lines ServerRig::list(std::uint64_t list_number, std::uint64_t first_row, std::size_t rows, bool last,
                      Peer peer) {
  wire::FileList list;
  list.number = list_number;
  list.batch.last = last;
  for (std::size_t i = 0; i < rows; ++i) {
    Row row;
    row.id = first_row + i;
    list.batch.rows.push_back(row);
  }
  return request(peer, std::move(list), sessions_);
}
Lines ServerRig::directories(std::uint64_t list_number, std::size_t rows, bool last, Peer peer) {
  wire::DirectoryList list{list_number, std::vector<DirectorySum>(rows), last};
  return request(peer, std::move(list), sessions_);
}
Lines ServerRig::next(std::uint64_t ack, Peer peer) {
  return request(peer, wire::Next{ack}, sessions_);
}
Lines ServerRig::digests(std::size_t rows, Peer peer) {
  return request(peer, wire::Digests{std::vector<wire::DigestRow>(rows)}, sessions_);
}
Lines ServerRig::fail(RowId row, Peer peer) {
  return request(peer, wire::Fail{row, false, 5, "I/O error"}, sessions_);
}
Lines ServerRig::bye(std::uint8_t code, Peer peer) {
  return request(peer, wire::Bye{code, {}}, sessions_);
}
Lines ServerRig::malformed(Peer peer, Errc code, std::uint32_t seq) {
  return text(server.on_malformed(peer, seq, Error{code, "bad bytes", 0}, now));
}

Lines ServerRig::attach(Peer peer) {
  return attach(peer, sessions_);
}
Lines ServerRig::attach(Peer peer, std::uint8_t session_number) {
  wire::DataHead head;
  head.type = wire::DataType::attach;
  head.tag = std::uint64_t{100} + session_number;
  return text(
      server.on_data(peer, head, wire::kDataHeaderBytes, Buffer::copy_of(session_id(session_number)), now));
}
wire::DataHead ServerRig::next_data() const {
  wire::DataHead head;
  head.tag = std::uint64_t{100} + sessions_;
  head.number = data_number_;
  head.offset = data_offset_;
  head.segments.resize(1);
  return head;
}
Lines ServerRig::data(std::size_t payload_bytes, Peer peer) {
  wire::DataHead head = next_data();
  ++data_number_;
  data_offset_ += kChargeWithoutPayload + payload_bytes;
  return data(std::move(head), payload_bytes, peer);
}
Lines ServerRig::data(wire::DataHead head, std::size_t payload_bytes, Peer peer) {
  return text(server.on_data(peer, std::move(head), wire::kDataHeaderBytes + wire::kSegmentBytes,
                             Buffer::allocate(payload_bytes), now));
}
Lines ServerRig::malformed_data(Peer peer) {
  return text(server.on_malformed_data(peer, Error{Errc::protocol, "bad bytes", 0}, now));
}

Lines ServerRig::lost(Peer peer) {
  return text(server.on_disconnected(peer, now));
}
Lines ServerRig::tick(milliseconds later) {
  return text(server.on_tick(now += later));
}
SessionKey ServerRig::key(SessionKey session) const {
  return session == 0 ? newest() : session;
}
Lines ServerRig::opened(SessionKey session) {
  return text(server.opened(key(session), {Attributes{}, true, offers_sums, {}, {}}, now));
}
Lines ServerRig::refused(SessionKey session) {
  return text(server.refused(key(session), {wire::ErrorCode::source, false, "another source's mirror"}, now));
}
Lines ServerRig::taken(std::uint64_t list_number, SessionKey session) {
  return text(server.list_taken(key(session), list_number, now));
}
Lines ServerRig::output(server::Output output, SessionKey session) {
  return text(server.output(key(session), std::move(output), now));
}
Lines ServerRig::returned(std::uint64_t bytes, SessionKey session) {
  return text(server.credit_returned(key(session), bytes, now));
}
Lines ServerRig::closed(SessionKey session) {
  return text(server.closed(key(session), now));
}
Lines ServerRig::shutdown() {
  return text(server.shutdown(now));
}

ServerRig& ServerRig::opening() {
  hello(1);
  return *this;
}
ServerRig& ServerRig::welcomed() {
  opening().opened();
  return *this;
}
ServerRig& ServerRig::running() {
  welcomed().attach();
  next(0);
  return *this;
}
ServerRig& ServerRig::planned() {
  running().list(0, 0, 3, true);
  taken(0);
  output(plan());
  next(1);
  return *this;
}
ServerRig& ServerRig::sending() {
  planned().output(request_rows({1, 2}));
  next(2);
  return *this;
}
ServerRig& ServerRig::done() {
  sending().output(session::done());
  return *this;
}
ServerRig& ServerRig::failed() {
  running().output(failure());
  return *this;
}
ServerRig& ServerRig::left() {
  planned().bye(25);
  return *this;
}

ClientRig::ClientRig() : client(client::Config{hello_of(1)}) {}

Lines ClientRig::text(client::Effects effects) const {
  using namespace client;
  Lines lines;
  for (Effect& effect : effects) {
    lines.push_back(std::visit(
        Overload{[](Send& e) {
                   const Result<wire::Request> request = wire::decode_request(std::move(e.frames));
                   return request ? number(request->seq) + " -> " + request_text(*request)
                                  : request.error().text();
                 },
                 [](SendData& e) {
                   const Result<wire::DataHead> head = wire::decode_data(e.head.bytes(), e.payload.size());
                   return head ? "attach " + number(head->tag) : head.error().text();
                 },
                 [](StartList&) { return std::string("start list"); },
                 [](Waiting& e) { return "waiting: " + e.reason; },
                 [](HashFiles& e) { return "hash " + number(e.rows.size()); },
                 [](ListDirectories& e) { return "list " + number(e.rows.size()); },
                 [](ReadFiles& e) { return "read " + number(e.rows.size()); },
                 [](ShowPlan& e) { return "plan " + number(e.plan.number); },
                 [](ShowChanges&) { return std::string("changes"); },
                 [](ShowProblems&) { return std::string("problems"); },
                 [](ShowProgress&) { return std::string("progress"); },
                 [](Finished& e) { return "finished " + number(e.done.number); },
                 [](Failed& e) { return failed_text(e); }},
        effect));
  }
  return lines;
}

Lines ClientRig::start() {
  return text(client.start(now));
}
Lines ClientRig::connected() {
  return text(client.on_connected(now));
}
Lines ClientRig::reply(std::uint32_t seq, wire::ReplyBody body) {
  return text(client.on_reply(wire::Reply{seq, std::move(body)}, now));
}
Lines ClientRig::welcome(std::uint32_t seq, const std::string& mirror) {
  wire::Welcome welcome;
  welcome.directory_sums = true;
  welcome.session = session_id(1);
  welcome.mirror = mirror;
  welcome.tag = 101;
  welcome.list_window = 2;
  welcome.heartbeat_ms = 2000;
  welcome.idle_ms = 15000;
  return reply(seq, welcome);
}
Lines ClientRig::wait(std::uint32_t seq, std::uint64_t progress) {
  return reply(seq, wire::Wait{wire::Wait::Reason::writing, progress, 0, "busy"});
}
Lines ClientRig::credit(std::uint64_t credit_number, std::uint64_t limit) {
  wire::DataHead head;
  head.type = wire::DataType::credit;
  head.tag = 101;
  head.number = credit_number;
  head.offset = limit;
  return text(client.on_credit(head, now));
}
Lines ClientRig::malformed() {
  return text(client.on_malformed(Error{Errc::protocol, "bad bytes", 0}, now));
}
Lines ClientRig::lost() {
  return text(client.on_disconnected("connection reset", now));
}
Lines ClientRig::tick(milliseconds later) {
  return text(client.on_tick(now += later));
}
Lines ClientRig::list(bool last) {
  Row row;
  const std::string name = rows_ == 0 ? "" : "f" + number(rows_);
  row.name = name;
  row.id = rows_++;
  row.values.kind = row.id == 0 ? Kind::directory : Kind::file;
  if (!encoder_.add(row)) return {"the batch is full"};
  return text(client.list_ready(encoder_.finish(last), now));
}
Lines ClientRig::directories(bool last) {
  return text(client.list_ready(wire::DirectoryList{0, {DirectorySum{"", 1, std::nullopt}}, last}, now));
}
Lines ClientRig::digests(std::size_t rows) {
  return text(client.digests_ready(std::vector<wire::DigestRow>(rows, wire::DigestRow{1, {}, {}}), now));
}
Lines ClientRig::file_failed(RowId row) {
  return text(client.file_failed(wire::Fail{row, true, 2, "gone"}, now));
}
Lines ClientRig::accept() {
  return text(client.plan_accepted(now));
}
Lines ClientRig::refuse() {
  return text(client.plan_refused(25, now));
}
Lines ClientRig::interrupt() {
  return text(client.interrupt(20, now));
}
std::uint64_t ClientRig::data(std::size_t payload_bytes) {
  return client.number_data(std::vector<wire::Segment>(1), payload_bytes, now).offset;
}

ClientRig& ClientRig::connecting() {
  start();
  return *this;
}
ClientRig& ClientRig::greeting() {
  connecting().connected();
  return *this;
}
ClientRig& ClientRig::waiting() {
  greeting().wait(1);
  return *this;
}
ClientRig& ClientRig::running() {
  greeting().welcome();
  credit(0, 10000);
  return *this;
}
ClientRig& ClientRig::deciding() {
  running().reply(2, wire::Plan{1, {}, Guard::none, 0});
  return *this;
}
ClientRig& ClientRig::leaving() {
  running();
  wire::SyncDone done;
  done.number = 1;
  reply(2, done);
  return *this;
}
ClientRig& ClientRig::over() {
  running().lost();
  return *this;
}

}  // namespace ssync::session
