#include "ssync/session/client.h"

#include <algorithm>
#include <map>
#include <utility>

#include "ssync/base/assert.h"
#include "ssync/base/overload.h"

#include "credit.h"

namespace ssync::session::client {
namespace {

enum class State : std::uint8_t { idle, connecting, greeting, waiting, running, leaving, over };
/// What kind of request a sequence number stands for: its reply must fit.
enum class Asked : std::uint8_t { hello, filelist, next, digests, fail, bye };

bool fits(Asked asked, const wire::ReplyBody& body) {
  if (std::holds_alternative<wire::ErrorReply>(body)) return true;
  switch (asked) {
    case Asked::hello:
      return std::holds_alternative<wire::Welcome>(body) || std::holds_alternative<wire::Wait>(body);
    case Asked::filelist:
      return std::holds_alternative<wire::FileListOk>(body);
    case Asked::next:
      return !std::holds_alternative<wire::Welcome>(body) &&
             !std::holds_alternative<wire::FileListOk>(body) && !std::holds_alternative<wire::Ok>(body) &&
             !std::holds_alternative<wire::Mirrors>(body) && !std::holds_alternative<wire::Joined>(body);
    case Asked::digests:
    case Asked::fail:
    case Asked::bye:
      return std::holds_alternative<wire::Ok>(body);
  }
  return false;
}

constexpr auto kByeWait = std::chrono::milliseconds(1000);

/// A server that does not know of names takes every hello for one to its only mirror.
std::string wrong_mirror_text(const std::string& asked, const std::string& answered) {
  if (answered.empty())
    return "the server does not know many mirrors; it would sync its only one, not '" + asked + "'";
  return "the server answered for mirror '" + answered + "', not for '" + asked + "'";
}

}  // namespace

struct Client::Impl {
  explicit Impl(Config c) : config(std::move(c)) {}

  const Config config;
  State state = State::idle;
  std::optional<wire::Welcome> welcome;
  std::uint32_t seq = 0;
  std::map<std::uint32_t, Asked> open;  ///< requests without their reply: at most the list window and a few
  std::string waiting_reason;
  Time greeted_by = Time::max();  ///< deadline for the answer to hello
  bool answered = false;          ///< the server said anything at all
  Time hello_again = Time::max();
  Time said_hello;
  Time last_heard;
  Time leave_until = Time::max();
  Time credit_by = Time::max();       ///< deadline for the first credit
  mutable bool data_blocked = false;  ///< data_room() said no, and nothing moved since
  std::optional<Time> blocked_since;  ///< when on_tick() saw that first
  std::uint64_t progress_done = 0;    ///< the number of the last wait
  std::uint64_t lists_open = 0;
  std::uint64_t next_list = 0;
  std::uint64_t directories_listed = 0, directories_asked = 0;
  std::uint64_t last_number = 0;  ///< of the last numbered reply, to acknowledge
  bool plan_pending = false;
  CreditUse credit;
  std::uint64_t credit_number = 0;
  std::uint64_t data_number = 0;
  std::optional<wire::SyncDone> done;
  std::optional<Failed> leaving_with;  ///< bye was said for this

  void send(Asked asked, wire::RequestBody body, Effects& out) {
    wire::Request request{++seq, welcome ? welcome->session : wire::SessionId{}, std::move(body)};
    open[request.seq] = asked;
    out.push_back(Send{wire::encode(request)});
  }
  void fail(Failed failed, Effects& out) {
    if (state == State::over) return;
    state = State::over;
    out.push_back(std::move(failed));
  }
  void fail(Failed::Why why, bool retry, std::string text, Effects& out) {
    fail(Failed{why, std::nullopt, retry, std::move(text)}, out);
  }
  void protocol(const std::string& text, Effects& out) {
    fail(Failed::Why::protocol, false, "the server broke the protocol: " + text, out);
  }

  void say_hello(Effects& out, Time now) {
    state = State::greeting;
    hello_again = Time::max();
    said_hello = now;
    if (answered) greeted_by = now + config.idle;  // else it stays what start() set
    send(Asked::hello, config.hello, out);
  }
  void ask_next(Effects& out) { send(Asked::next, wire::Next{last_number}, out); }
  void moved() {
    data_blocked = false;
    blocked_since.reset();
  }
  /// A server that announced a slow heartbeat is not silent before it could have said something twice.
  [[nodiscard]] std::chrono::milliseconds idle() const {
    return std::max(config.idle, 2 * std::chrono::milliseconds(welcome->heartbeat_ms));
  }
  void leave(wire::Bye bye, std::optional<Failed> with, Effects& out, Time now) {
    if (state == State::leaving || state == State::over) return;
    state = State::leaving;
    leaving_with = std::move(with);
    leave_until = now + kByeWait;
    send(Asked::bye, std::move(bye), out);
  }
  void left(Effects& out) {
    if (leaving_with) return fail(std::move(*leaving_with), out);
    state = State::over;
    out.push_back(Finished{std::move(*done)});
  }

  void on(wire::Welcome& body, Effects& out, Time now);
  void on(wire::Wait& body, Asked asked, Effects& out, Time now);
  void on(wire::ErrorReply& body, Effects& out);
  /// Numbered replies to `next`; false: the number is wrong and the session over.
  [[nodiscard]] bool numbered(std::uint64_t number, Effects& out);
  void reply(wire::ReplyBody& body, Asked asked, Effects& out, Time now);
};

void Client::Impl::on(wire::Welcome& body, Effects& out, Time now) {
  if (body.version < config.hello.version_min || body.version > config.hello.version_max) {
    return fail(Failed{Failed::Why::server_error, wire::ErrorCode::version, false,
                       "the server chose a protocol version that was not offered"},
                out);
  }
  if (body.mirror != config.hello.mirror) {
    return fail(Failed::Why::protocol, false, wrong_mirror_text(config.hello.mirror, body.mirror), out);
  }
  welcome = body;
  state = State::running;
  greeted_by = Time::max();
  credit_by = now + wire::kAttach;
  wire::DataHead attach;
  attach.type = wire::DataType::attach;
  attach.tag = body.tag;
  out.push_back(SendData{wire::encode(attach), Buffer::copy_of(body.session)});
  out.push_back(StartList{body});
  ask_next(out);
}

void Client::Impl::on(wire::Wait& body, Asked asked, Effects& out, Time now) {
  if (asked == Asked::next) {
    if (std::exchange(progress_done, body.done) != body.done)
      moved();  // what it writes now is what frees credit
    out.push_back(ShowProgress{body});
    return ask_next(out);
  }
  state = State::waiting;
  greeted_by = Time::max();  // the server is there; how long the others take is theirs
  hello_again = said_hello + config.repeat_hello;
  if (body.text != waiting_reason) {
    waiting_reason = body.text;
    out.push_back(Waiting{body.text, body.place});
  }
  if (now >= hello_again) say_hello(out, now);
}

void Client::Impl::on(wire::ErrorReply& body, Effects& out) {
  fail(Failed{Failed::Why::server_error, body.code, body.retry, std::move(body.text)}, out);
}

bool Client::Impl::numbered(std::uint64_t number, Effects& out) {
  if (number != last_number + 1) {
    protocol("a reply with the wrong number", out);
    return false;
  }
  last_number = number;
  return true;
}

void Client::Impl::reply(wire::ReplyBody& body, Asked asked, Effects& out, Time now) {
  std::visit(Overload{
                 [&](wire::Welcome& welcome_body) { on(welcome_body, out, now); },
                 [&](wire::Wait& wait) { on(wait, asked, out, now); },
                 [&](wire::ErrorReply& error) { on(error, out); },
                 [&](wire::FileListOk& taken) {
                   if (taken.number != next_list - lists_open)
                     return protocol("filelist:ok out of order", out);
                   --lists_open;
                 },
                 [](wire::Ok&) {},
                 [](wire::Mirrors&) {},
                 [](wire::Joined&) {},
                 [&](wire::FileRequest& request) {
                   if (!numbered(request.number, out)) return;
                   out.push_back(ReadFiles{std::move(request.rows)});
                   ask_next(out);
                 },
                 [&](wire::DigestRequest& request) {
                   if (!numbered(request.number, out)) return;
                   out.push_back(HashFiles{std::move(request.rows)});
                   ask_next(out);
                 },
                 [&](wire::ListRequest& request) {
                   if (!numbered(request.number, out)) return;
                   directories_asked += request.rows.size();
                   if (directories_asked > directories_listed)
                     return protocol("it asks for more directories than were listed", out);
                   out.push_back(ListDirectories{std::move(request.rows)});
                   ask_next(out);
                 },
                 [&](wire::Plan& plan) {
                   if (!numbered(plan.number, out)) return;
                   plan_pending = true;
                   out.push_back(ShowPlan{std::move(plan)});
                 },
                 [&](wire::Changes& changes) {
                   if (!numbered(changes.number, out)) return;
                   out.push_back(ShowChanges{std::move(changes.rows)});
                   ask_next(out);
                 },
                 [&](wire::Problems& problems) {
                   if (!numbered(problems.number, out)) return;
                   out.push_back(ShowProblems{std::move(problems.rows)});
                   ask_next(out);
                 },
                 [&](wire::SyncDone& sync_done) {
                   if (!numbered(sync_done.number, out)) return;
                   done = std::move(sync_done);
                   leave(wire::Bye{}, std::nullopt, out, now);
                 },
             },
             body);
}

Client::Client(Config config) : impl_(std::make_unique<Impl>(std::move(config))) {}
Client::~Client() = default;

Effects Client::start(Time now) {
  impl_->state = State::connecting;
  impl_->greeted_by = now + impl_->config.connect;
  impl_->last_heard = now;
  return {};
}

Effects Client::on_connected(Time now) {
  Effects out;
  if (impl_->state != State::connecting) return out;
  impl_->last_heard = now;
  impl_->say_hello(out, now);
  return out;
}

Effects Client::on_reply(wire::Reply reply, Time now) {
  Effects out;
  if (impl_->state == State::over) return out;
  impl_->last_heard = now;
  impl_->answered = true;
  // After bye only its own reply matters, and that there is one: what was on its way may still come.
  if (impl_->state == State::leaving) {
    if (reply.seq == 0 || reply.seq == impl_->seq) impl_->left(out);
    return out;
  }
  if (reply.seq == 0) {  // a server that could not read our request
    if (auto* error = std::get_if<wire::ErrorReply>(&reply.body))
      impl_->on(*error, out);
    else
      impl_->protocol("a reply without a request", out);
    return out;
  }
  const auto asked = impl_->open.find(reply.seq);
  if (asked == impl_->open.end()) {
    impl_->protocol("a reply to no request", out);
    return out;
  }
  const Asked kind = asked->second;
  impl_->open.erase(asked);
  if (!fits(kind, reply.body)) {
    impl_->protocol(std::string("a reply '") + wire::name_of(reply.body) + "' that does not fit its request",
                    out);
    return out;
  }
  impl_->reply(reply.body, kind, out, now);
  return out;
}

Effects Client::on_credit(const wire::DataHead& head, Time now) {
  Effects out;
  Impl& impl = *impl_;
  if (impl.state == State::over || impl.state == State::leaving) return out;
  impl.last_heard = now;
  if (!impl.welcome || head.type != wire::DataType::credit || head.tag != impl.welcome->tag ||
      head.number != impl.credit_number) {
    impl.protocol("a data message that is no credit of this session", out);
    return out;
  }
  ++impl.credit_number;
  impl.credit_by = Time::max();
  impl.moved();
  if (!impl.credit.grant(head.offset)) impl.protocol("credit was taken back", out);
  return out;
}

Effects Client::on_malformed(const Error& error, Time) {
  Effects out;
  if (impl_->state == State::leaving)
    impl_->left(out);
  else
    impl_->protocol(error.text(), out);
  return out;
}

Effects Client::on_disconnected(const std::string& reason, Time) {
  Effects out;
  if (impl_->state == State::over) return out;
  if (impl_->state == State::leaving) {
    impl_->left(out);
    return out;
  }
  impl_->fail(Failed::Why::connection, true, reason, out);
  return out;
}

Effects Client::on_tick(Time now) {
  Effects out;
  Impl& impl = *impl_;
  switch (impl.state) {
    case State::idle:
    case State::over:
      return out;
    case State::leaving:
      if (now >= impl.leave_until) impl.left(out);
      return out;
    case State::connecting:
    case State::greeting:
      if (now >= impl.greeted_by)
        impl.fail(impl.answered ? Failed::Why::idle_timeout : Failed::Why::connect_timeout, true,
                  "the server did not answer in time", out);
      return out;
    case State::waiting:
      if (now >= impl.hello_again) impl.say_hello(out, now);
      return out;
    case State::running:
      break;
  }
  if (impl.data_blocked && !impl.blocked_since) impl.blocked_since = now;
  if (now - impl.last_heard >= impl.idle()) {
    impl.fail(Failed::Why::idle_timeout, true, "the server went silent while " + state_text(), out);
  } else if (now >= impl.credit_by) {
    impl.fail(Failed::Why::idle_timeout, true, "the server gave no credit to the data connection", out);
  } else if (impl.blocked_since && now - *impl.blocked_since >= wire::kNoProgress) {
    impl.fail(Failed::Why::idle_timeout, true, "no progress: " + state_text(), out);
  }
  return out;
}

Time Client::next_deadline() const {
  switch (impl_->state) {
    case State::idle:
    case State::over:
      return Time::max();
    case State::leaving:
      return impl_->leave_until;
    case State::connecting:
    case State::greeting:
      return impl_->greeted_by;
    case State::waiting:
      return impl_->hello_again;
    case State::running:
      break;
  }
  Time at = std::min(impl_->last_heard + impl_->idle(), impl_->credit_by);
  if (impl_->blocked_since) at = std::min(at, *impl_->blocked_since + wire::kNoProgress);
  return at;
}

bool Client::list_room() const {
  return impl_->state == State::running && impl_->lists_open < impl_->welcome->list_window;
}

Effects Client::list_ready(wire::FileListEncoder::Encoded encoded, Time) {
  Effects out;
  Impl& impl = *impl_;
  if (impl.state != State::running) return out;
  SSYNC_ASSERT(list_room());
  ++impl.lists_open;
  encoded.number = impl.next_list++;
  const std::uint32_t seq = ++impl.seq;
  impl.open[seq] = Asked::filelist;
  out.push_back(Send{wire::filelist_frames(seq, impl.welcome->session, std::move(encoded))});
  return out;
}

Effects Client::list_ready(wire::DirectoryList directories, Time) {
  Effects out;
  Impl& impl = *impl_;
  if (impl.state != State::running) return out;
  SSYNC_ASSERT(list_room() && impl.welcome->directory_sums);
  ++impl.lists_open;
  directories.number = impl.next_list++;
  impl.directories_listed += directories.rows.size();
  impl.send(Asked::filelist, std::move(directories), out);
  return out;
}

Effects Client::digests_ready(std::vector<wire::DigestRow> rows, Time) {
  Effects out;
  if (impl_->state != State::running) return out;
  for (std::size_t first = 0; first < rows.size(); first += wire::kRowsMax) {
    const auto begin = rows.begin() + static_cast<std::ptrdiff_t>(first);
    const auto end =
        rows.begin() + static_cast<std::ptrdiff_t>(std::min(rows.size(), first + wire::kRowsMax));
    impl_->send(Asked::digests, wire::Digests{{begin, end}}, out);
  }
  return out;
}

Effects Client::file_failed(wire::Fail fail, Time) {
  Effects out;
  if (impl_->state == State::running) impl_->send(Asked::fail, std::move(fail), out);
  return out;
}

bool Client::data_room(std::size_t table_bytes, std::size_t payload_bytes) const {
  if (impl_->state != State::running) return false;
  const bool room = impl_->credit.covers(wire::charge(wire::kDataHeaderBytes + table_bytes, payload_bytes));
  if (!room) impl_->data_blocked = true;
  return room;
}

wire::DataHead Client::number_data(std::vector<wire::Segment> segments, std::size_t payload_bytes, Time) {
  std::size_t bytes = wire::kDataHeaderBytes;
  for (const wire::Segment& segment : segments)
    bytes += wire::table_bytes(segment);
  wire::DataHead head;
  head.type = wire::DataType::data;
  head.tag = impl_->welcome->tag;
  head.number = impl_->data_number++;
  head.offset = impl_->credit.use(wire::charge(bytes, payload_bytes));
  head.segments = std::move(segments);
  impl_->moved();
  return head;
}

Effects Client::plan_accepted(Time) {
  Effects out;
  if (impl_->state == State::running && std::exchange(impl_->plan_pending, false)) impl_->ask_next(out);
  return out;
}

Effects Client::plan_refused(std::uint8_t exit_code, Time now) {
  Effects out;
  if (impl_->state != State::running) return out;
  impl_->leave(wire::Bye{exit_code, "the plan was refused"},
               Failed{Failed::Why::refused_plan, std::nullopt, false, {}}, out, now);
  return out;
}

Effects Client::interrupt(std::uint8_t exit_code, Time) {
  Effects out;
  if (impl_->state == State::over) return out;
  const bool known =
      impl_->state == State::greeting || impl_->state == State::waiting || impl_->state == State::running;
  if (known)
    impl_->send(Asked::bye, wire::Bye{exit_code, "interrupted"},
                out);  // or the server keeps its turn for a while
  impl_->fail(Failed::Why::interrupted, false, {}, out);
  return out;
}

const std::optional<wire::Welcome>& Client::welcome() const {
  return impl_->welcome;
}

std::string Client::state_text() const {
  switch (impl_->state) {
    case State::connecting:
      return "connecting";
    case State::greeting:
      return "waiting for the welcome";
    case State::waiting:
      return "waiting for its turn";
    case State::running:
      break;
    default:
      return "leaving";
  }
  if (impl_->data_blocked) return "waiting for credit to send file data";
  if (impl_->lists_open > 0) return "waiting for the list to be taken";
  return "waiting for the server's wishes";
}

}  // namespace ssync::session::client
