#include "ssync/session/lister.h"

#include <iterator>
#include <utility>

#include "ssync/wire/codec.h"

namespace ssync::session::client {
namespace {

/// A server can go on for ever; nobody has so many mirrors.
constexpr std::size_t kMirrorsMax = 100'000;

}  // namespace

void Lister::start(Time now) {
  answer_by_ = now + connect_;
}

ListEffects Lister::on_connected(Time) {
  ListEffects out;
  if (!over_ && seq_ == 0) ask({}, out);
  return out;
}

void Lister::ask(const std::string& after, ListEffects& out) {
  out.push_back(Send{wire::encode(wire::Request{++seq_, {}, wire::AskMirrors{after}})});
}

ListEffects Lister::on_reply(wire::Reply reply, Time now) {
  ListEffects out;
  if (over_) return out;
  auto* const error = std::get_if<wire::ErrorReply>(&reply.body);
  auto* const page = std::get_if<wire::Mirrors>(&reply.body);
  const bool is_ours = seq_ > 0 && reply.seq == seq_;
  if (error != nullptr && (is_ours || reply.seq == 0)) {
    // A server from before there were names does not know the request.
    if (error->code == wire::ErrorCode::protocol) error->text = "the server does not know many mirrors";
    fail({Failed::Why::server_error, error->code, error->retry, std::move(error->text)}, out);
  } else if (page != nullptr && is_ours) {
    take(*page, out, now);
  } else {
    protocol("a reply that does not fit", out);
  }
  return out;
}

void Lister::take(wire::Mirrors& page, ListEffects& out, Time now) {
  const bool follows = page.rows.empty() || mirrors_.empty() || page.rows.front().name > mirrors_.back().name;
  if (!follows) return protocol("mirrors out of order", out);
  std::move(page.rows.begin(), page.rows.end(), std::back_inserter(mirrors_));
  if (mirrors_.size() > kMirrorsMax) return protocol("too many mirrors", out);
  answer_by_ = now + wire::kIdle;
  if (page.more) return ask(mirrors_.back().name, out);
  over_ = true;
  out.push_back(Send{wire::encode(wire::Request{++seq_, {}, wire::Bye{}})});
  out.push_back(Listed{std::move(mirrors_)});
}

ListEffects Lister::on_malformed(const Error& error) {
  ListEffects out;
  protocol(error.text(), out);
  return out;
}

ListEffects Lister::on_disconnected(const std::string& reason) {
  ListEffects out;
  fail({Failed::Why::connection, std::nullopt, true, reason}, out);
  return out;
}

ListEffects Lister::on_tick(Time now) {
  ListEffects out;
  if (now < answer_by_) return out;
  const bool first = mirrors_.empty();
  fail({first ? Failed::Why::connect_timeout : Failed::Why::idle_timeout, std::nullopt, true,
        "the server did not answer in time"},
       out);
  return out;
}

void Lister::fail(Failed failed, ListEffects& out) {
  if (!std::exchange(over_, true)) out.push_back(std::move(failed));
}

void Lister::protocol(const std::string& text, ListEffects& out) {
  fail({Failed::Why::protocol, std::nullopt, false, "the server broke the protocol: " + text}, out);
}

}  // namespace ssync::session::client
