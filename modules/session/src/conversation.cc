#include "conversation.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "ssync/base/assert.h"
#include "ssync/base/overload.h"

namespace ssync::session::server {
namespace {

constexpr auto kCreditFlush = std::chrono::milliseconds(100);

}  // namespace

Conversation::Conversation(const Config& config, CreditPool& credit, const Who& who, Time now)
    : config_(config),
      credit_pool_(credit),
      key_(who.key),
      ids_(who.ids),
      control_(who.control),
      seq_(who.hello_seq),
      open_hello_(who.hello_seq),
      credit_sent_(now),
      last_heard_(now),
      greeted_at_(now) {}

void Conversation::reply(std::uint32_t seq, wire::ReplyBody body, Effects& out) {
  if (control_) out.push_back(SendReply{*control_, wire::Reply{seq, std::move(body)}});
}

void Conversation::answer_open(const wire::ErrorReply& error, Effects& out) {
  if (open_hello_) reply(*open_hello_, error, out);
  for (const std::uint32_t seq : list_.open)
    reply(seq, error, out);
  if (open_next_) reply(open_next_->seq, error, out);
  open_hello_.reset();
  list_.open.clear();
  open_next_.reset();
}

void Conversation::fail(wire::ErrorReply error, Effects& out) {
  if (ended_) return;
  ended_ = true;
  answer_open(error, out);
  last_word_ = std::move(error);
}

void Conversation::fail_request(std::uint32_t seq, wire::ErrorCode code, bool retry, std::string text,
                                Effects& out) {
  wire::ErrorReply error{code, retry, std::move(text)};
  reply(seq, error, out);
  fail(std::move(error), out);
}

void Conversation::leave(bool completed, std::string reason) {
  ended_ = true;
  left_ = true;
  completed_ = completed;
  last_word_ = {wire::ErrorCode::session, true, std::move(reason)};
}

void Conversation::control_disconnected() {
  control_.reset();
  if (ended_) return;
  ended_ = true;
  last_word_ = {wire::ErrorCode::session, true, "the client's connection broke"};
}

void Conversation::data_disconnected(Effects& out) {
  data_.reset();
  fail(wire::ErrorCode::session, true, "the client's data connection broke", out);
}

void Conversation::welcome(wire::Welcome welcome, Effects& out, Time now) {
  welcome.session = ids_.session;
  welcome.tag = ids_.tag;
  list_.sums_offered = welcome.directory_sums;
  greeted_at_ = last_heard_ = now;
  reply(*std::exchange(open_hello_, std::nullopt), std::move(welcome), out);
  out.push_back(StartScan{key_});
}

void Conversation::request(wire::Request request, Effects& out, Time now) {
  last_heard_ = now;
  const std::uint32_t seq = request.seq;
  if (seq != ++seq_)
    return fail_request(seq, wire::ErrorCode::protocol, false, "sequence numbers with a gap", out);
  // A client may say bye before it has read the welcome, so without the session's id: the connection is its
  // own.
  if (auto* bye = std::get_if<wire::Bye>(&request.body)) return on(*bye, seq, out);
  if (std::holds_alternative<wire::Hello>(request.body) ||
      std::holds_alternative<wire::AskMirrors>(request.body) ||
      std::holds_alternative<wire::Join>(request.body)) {
    return fail_request(seq, wire::ErrorCode::state, false,
                        std::string(wire::name_of(request.body)) + " inside a session", out);
  }
  if (open_hello_)
    return fail_request(seq, wire::ErrorCode::state, false, "a request before the welcome", out);
  if (request.session != ids_.session) {
    return fail_request(seq, wire::ErrorCode::session, true, "a request without this session's id", out);
  }
  std::visit(
      Overload{[](wire::Hello&) {}, [](wire::AskMirrors&) {}, [](wire::Join&) {}, [](wire::Bye&) {},
               [&](wire::Next& body) { on(body, seq, out, now); }, [&](auto& body) { on(body, seq, out); }},
      request.body);
}

bool Conversation::take_list(std::uint64_t number, std::uint32_t seq, Effects& out) {
  list_.open.push_back(seq);
  if (list_.open.size() > wire::kListWindow) {
    fail(wire::ErrorCode::flow, false, "more of the list than the window allows", out);
  } else if (number != list_.next) {
    fail(wire::ErrorCode::protocol, false, "the list is out of order", out);
  } else {
    ++list_.next;
    return true;
  }
  return false;
}

void Conversation::on(wire::DirectoryList& list, std::uint32_t seq, Effects& out) {
  const bool first = list_.next == 0;
  if (!take_list(list.number, seq, out)) return;
  if (!list_.sums_offered || (!first && !list_.by_sums))
    return fail(wire::ErrorCode::state, false, "a dirlist that was not offered, or after rows", out);
  if (list_.complete) return fail(wire::ErrorCode::state, false, "a dirlist after the last one", out);
  list_.by_sums = true;
  list_.complete = list.last;
  out.push_back(ListDirectories{key_, list.number, std::move(list.rows), list.last});
}

/// Which rows of which directories is the sync's business.
void Conversation::on(wire::FileList& list, std::uint32_t seq, Effects& out) {
  if (!take_list(list.number, seq, out)) return;
  if (list_.by_sums) {
    if (!list_.rows_asked || list.batch.last)
      return fail(wire::ErrorCode::state, false, "rows that nobody asked for", out);
    out.push_back(ListRows{key_, list.number, std::move(list.batch)});
    return;
  }
  if (list_.complete) return fail(wire::ErrorCode::state, false, "a filelist after the last one", out);
  for (const Row& row : list.batch.rows) {
    if (row.id != list_.next_row++)
      return fail(wire::ErrorCode::protocol, false, "row ids out of order", out);
  }
  list_.complete = list.batch.last;
  out.push_back(ListRows{key_, list.number, std::move(list.batch)});
}

void Conversation::list_taken(std::uint64_t number, Effects& out) {
  if (ended_ || list_.open.empty()) return;
  SSYNC_ASSERT(number == list_.next - list_.open.size());
  const std::uint32_t seq = list_.open.front();
  list_.open.pop_front();
  reply(seq, wire::FileListOk{number}, out);
}

void Conversation::on(wire::Digests& digests, std::uint32_t seq, Effects& out) {
  if (digests.rows.size() > digests_open_) {
    return fail_request(seq, wire::ErrorCode::state, false, "digests that nobody asked for", out);
  }
  digests_open_ -= digests.rows.size();
  reply(seq, wire::Ok{}, out);
  out.push_back(DigestRows{key_, std::move(digests.rows)});
}

void Conversation::on(wire::Fail& failed, std::uint32_t seq, Effects& out) {
  if (files_failed_ == files_asked_) {
    return fail_request(seq, wire::ErrorCode::state, false, "fail for a file that was not requested", out);
  }
  ++files_failed_;
  reply(seq, wire::Ok{}, out);
  out.push_back(FileFailed{key_, std::move(failed)});
}

/// Its ok is the last word: a client that reads it need read nothing more.
void Conversation::on(wire::Bye& bye, std::uint32_t seq, Effects& out) {
  answer_open({wire::ErrorCode::session, true, "the client said bye"}, out);
  reply(seq, wire::Ok{}, out);
  if (done_number_ != 0) return leave(true, {});
  leave(false, "the client said bye: " + (bye.text.empty() ? "code " + std::to_string(bye.code) : bye.text));
}

void Conversation::on(wire::Next& next, std::uint32_t seq, Effects& out, Time now) {
  if (open_next_)
    return fail_request(seq, wire::ErrorCode::state, false, "a second next while one is open", out);
  if (next.ack != said_) {
    return fail_request(seq, wire::ErrorCode::protocol, false, "next acknowledges what was not said last",
                        out);
  }
  if (done_number_ != 0) {
    reply(seq, wire::Wait{}, out);  // there is nothing more to say; the client's bye follows
    answer_open({wire::ErrorCode::session, true, "the sync is over"}, out);
    return leave(true, {});
  }
  open_next_ = OpenNext{seq, now};
  if (plan_number_ != 0 && !std::exchange(proceeding_, true)) out.push_back(Proceed{key_});
  answer_next(out);
}

void Conversation::output(Output output, Effects& out) {
  if (ended_ || error_queued_) return;
  error_queued_ = std::holds_alternative<wire::ErrorReply>(output);
  outputs_.push_back(std::move(output));
  answer_next(out);
}

/// One queued output is the reply to the open next.
void Conversation::answer_next(Effects& out) {
  if (ended_ || !open_next_ || outputs_.empty()) return;
  Output output = std::move(outputs_.front());
  outputs_.pop_front();
  if (auto* error = std::get_if<wire::ErrorReply>(&output)) return fail(std::move(*error), out);
  const std::uint32_t seq = open_next_->seq;
  open_next_.reset();
  const std::uint64_t number = ++said_;
  std::visit(Overload{[](wire::ErrorReply&) {},
                      [&](auto& body) {
                        using Body = std::decay_t<decltype(body)>;
                        if constexpr (std::is_same_v<Body, wire::Plan>) plan_number_ = number;
                        if constexpr (std::is_same_v<Body, wire::SyncDone>) done_number_ = number;
                        if constexpr (std::is_same_v<Body, wire::ListRequest>) list_.rows_asked = true;
                        if constexpr (std::is_same_v<Body, wire::DigestRequest>)
                          digests_open_ += body.rows.size();
                        if constexpr (std::is_same_v<Body, wire::FileRequest>)
                          files_asked_ += body.rows.size();
                        body.number = number;
                        reply(seq, std::move(body), out);
                      }},
             output);
}

bool Conversation::attach(Peer peer, const wire::DataHead& head, std::span<const std::byte> id, Effects& out,
                          Time now) {
  if (open_hello_ || ended_ || head.tag != ids_.tag || id.size() != ids_.session.size() ||
      std::memcmp(id.data(), ids_.session.data(), id.size()) != 0) {
    return false;
  }
  if (data_) {
    fail(wire::ErrorCode::state, false, "a second data connection", out);
    return true;
  }
  data_ = peer;
  credit_.emplace(credit_pool_);
  last_heard_ = now;
  out.push_back(Attached{key_, peer});
  send_credit(out, now);
  return true;
}

void Conversation::data_message(wire::DataHead head, std::size_t head_bytes, Buffer payload, Effects& out,
                                Time now) {
  last_heard_ = now;
  if (head.type != wire::DataType::data)
    return fail(wire::ErrorCode::protocol, false,
                "a message of a kind that only servers send, or a second attach", out);
  if (files_asked_ == 0)
    return fail(wire::ErrorCode::state, false, "file data before any was requested", out);
  if (head.tag != ids_.tag || head.number != data_number_ || head.offset != credit_->used()) {
    return fail(wire::ErrorCode::protocol, false, "data messages out of order", out);
  }
  if (!credit_->charge(wire::charge(head_bytes, payload.size()))) {
    return fail(wire::ErrorCode::flow, false, "more file data than credit was given for", out);
  }
  ++data_number_;
  out.push_back(Deliver{key_, std::move(head), std::move(payload)});
}

void Conversation::credit_returned(std::uint64_t bytes, Effects& out, Time now) {
  if (!credit_) return;
  credit_->give_back(bytes);
  if (!ended_ && credit_->due()) send_credit(out, now);
}

void Conversation::send_credit(Effects& out, Time now) {
  wire::DataHead head;
  head.type = wire::DataType::credit;
  head.tag = ids_.tag;
  head.number = credit_number_++;
  head.offset = credit_->tell();
  credit_sent_ = now;
  out.push_back(SendCredit{*data_, std::move(head)});
}

void Conversation::tick(Effects& out, Time now) {
  if (ended_ || open_hello_) return;
  if (!data_ && now - greeted_at_ >= config_.attach)
    return fail(wire::ErrorCode::timeout, true, "no data connection in time", out);
  if (now - last_heard_ >= config_.idle)
    return fail(wire::ErrorCode::timeout, true, "the client went silent", out);
  if (open_next_ && now - open_next_->since >= config_.heartbeat) {
    reply(open_next_->seq, wire::Wait{progress_.reason, progress_.done, progress_.total, {}}, out);
    open_next_.reset();
  }
  if (credit_ && credit_->untold() > 0 && now - credit_sent_ >= kCreditFlush) send_credit(out, now);
}

Time Conversation::next_deadline() const {
  if (ended_ || open_hello_) return Time::max();
  Time at = last_heard_ + config_.idle;
  if (!data_) at = std::min(at, greeted_at_ + config_.attach);
  if (open_next_) at = std::min(at, open_next_->since + config_.heartbeat);
  if (credit_ && credit_->untold() > 0) at = std::min(at, credit_sent_ + kCreditFlush);
  return at;
}

}  // namespace ssync::session::server
