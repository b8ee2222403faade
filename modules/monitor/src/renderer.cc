#include "ssync/monitor/renderer.h"

#include <ctime>
#include <string_view>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace ssync::monitor {
namespace {

using wire::Direction;
using wire::TapKind;
using wire::TapRecord;

constexpr std::int64_t kNanosPerSecond = 1'000'000'000;

/// Publishers escape what they say; this keeps a terminal safe from one that does not.
std::string one_line(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  }
  return out;
}

struct Moment {
  std::tm calendar{};
  std::int64_t micros = 0;
};

Moment moment_of(std::int64_t time_ns, bool utc) {
  // Times before 1970 would round the other way; a publisher has none.
  const std::time_t seconds = static_cast<std::time_t>(time_ns / kNanosPerSecond);
  Moment out;
  if (utc) {
    ::gmtime_r(&seconds, &out.calendar);
  } else {
    ::localtime_r(&seconds, &out.calendar);
  }
  out.micros = (time_ns % kNanosPerSecond) / 1000;
  return out;
}

std::string time_of_day(std::int64_t time_ns, bool utc) {
  const Moment at = moment_of(time_ns, utc);
  return fmt::format("{:%H:%M:%S}.{:06}", at.calendar, at.micros);
}

std::string timestamp(std::int64_t time_ns) {
  const Moment at = moment_of(time_ns, true);
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:06}Z", at.calendar, at.micros);
}

char arrow_of(Direction direction) noexcept {
  if (direction == Direction::in) return '<';
  return direction == Direction::out ? '>' : '-';
}

const char* word_of(Direction direction) noexcept {
  if (direction == Direction::in) return "in";
  return direction == Direction::out ? "out" : "none";
}

const char* word_of(TapKind kind) noexcept {
  switch (kind) {
    case TapKind::control:
      return "control";
    case TapKind::data:
      return "data";
    case TapKind::connection:
      return "connection";
    case TapKind::state:
      return "state";
  }
  return "?";
}

std::string to_text(const TapRecord& record, const std::string& whose, const Renderer::Options& options) {
  const bool connection = record.kind == TapKind::connection;
  const std::string about =
      whose + (connection ? record.peer_address + " " + record.summary : record.summary);
  std::string out =
      fmt::format("{} {} {:>4} {:<14} {:>8} {:>10} {:>5}  {}", time_of_day(record.time_ns, options.utc),
                  arrow_of(record.direction), record.peer, one_line(record.type), record.seq, record.bytes,
                  record.rows, one_line(about));
  out.erase(out.find_last_not_of(' ') + 1);
  out += '\n';
  if (options.verbosity > 0) {
    for (const std::string& row : record.details)
      out += "    " + one_line(row) + "\n";
  }
  return out;
}

std::string to_line(const nlohmann::ordered_json& object) {
  return object.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

std::string to_json(const TapRecord& record, const Renderer::Options& options) {
  nlohmann::ordered_json out;
  out["event"] = word_of(record.kind);
  out["time"] = timestamp(record.time_ns);
  out["number"] = record.number;
  out["direction"] = word_of(record.direction);
  out["peer"] = record.peer;
  out["address"] = record.peer_address;
  if (record.mirror) out["mirror"] = *record.mirror;
  if (record.session != 0) out["session"] = record.session;
  out["type"] = record.type;
  out["seq"] = record.seq;
  out["bytes"] = record.bytes;
  out["rows"] = record.rows;
  out["summary"] = record.summary;
  if (options.verbosity > 0) out["details"] = record.details;
  return to_line(out);
}

}  // namespace

std::string Renderer::heading() const {
  if (options_.json) return {};
  return fmt::format("{:<15} {} {:>4} {:<14} {:>8} {:>10} {:>5}  {}\n", "TIME", ' ', "PEER", "TYPE", "SEQ",
                     "BYTES", "ROWS", "WHAT");
}

bool Renderer::selects(const TapRecord& record) const {
  if (record.kind == TapKind::state) return true;
  return (!options_.mirror || record.mirror == options_.mirror) &&
         (!options_.session || record.session == options_.session);
}

std::string Renderer::render(const TapRecord& record) {
  std::string out = notice_gaps(record);
  if (!selects(record) || (record.kind == TapKind::state && options_.verbosity < 2)) return out;
  return out + (options_.json ? to_json(record, options_) : to_text(record, whose(record), options_));
}

/// "[photos#3] ". Whoever has one mirror, without a name, need not be told with each line.
std::string Renderer::whose(const TapRecord& record) {
  if (!record.mirror) return {};
  has_names_ = has_names_ || !record.mirror->empty();
  if (!has_names_ || (record.mirror->empty() && record.session == 0)) return {};
  return record.session == 0 ? fmt::format("[{}] ", *record.mirror)
                             : fmt::format("[{}#{}] ", *record.mirror, record.session);
}

std::string Renderer::notice_gaps(const TapRecord& record) {
  std::string out;
  const bool first = expected_ == 0;
  const bool restarted = record.number < expected_;
  if (restarted) out += notice(record, "restarted", 0);
  if (!first && record.number > expected_) out += notice(record, "missed", record.number - expected_);
  if (!first && !restarted && record.dropped > dropped_)
    out += notice(record, "dropped", record.dropped - dropped_);
  expected_ = record.number + 1;
  dropped_ = record.dropped;
  return out;
}

std::string Renderer::notice(const TapRecord& record, const char* event, std::uint64_t records) const {
  if (options_.json) {
    nlohmann::ordered_json out;
    out["event"] = event;
    out["time"] = timestamp(record.time_ns);
    if (records > 0) out["records"] = records;
    return to_line(out);
  }
  if (records == 0) return "-- another server, or the same started again --\n";
  return fmt::format("-- {} {} {} --\n", records, records == 1 ? "record" : "records",
                     std::string_view(event) == "missed" ? "missed" : "dropped by the server");
}

}  // namespace ssync::monitor
