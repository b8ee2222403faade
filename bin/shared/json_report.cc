#include "json_report.h"

#include <chrono>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "ssync/base/text.h"

namespace ssync::programs {

std::string utc_now() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now);
  const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(now - seconds);
  // The calendar is only asked once a second.
  thread_local struct {
    std::chrono::seconds at{-1};
    std::string text;
  } last;
  if (last.at != seconds) {
    last.text = fmt::format("{:%Y-%m-%dT%H:%M:%S}", fmt::gmtime(static_cast<std::time_t>(seconds.count())));
    last.at = seconds;
  }
  return fmt::format("{}.{:06}Z", last.text, micros.count());
}

EventLine::EventLine(std::string_view name)
    : line_(fmt::format(R"({{"event":"{}","time":"{}")", name, utc_now())) {}

void EventLine::add(std::string_view name, std::string_view printable) {
  line_.append(",\"").append(name).append("\":\"");
  for (const char c : printable) {
    if (c == '"' || c == '\\') line_.push_back('\\');
    line_.push_back(c);
  }
  line_.push_back('"');
}

void EventLine::add(std::string_view name, std::uint64_t number) {
  line_.append(",\"").append(name).append("\":").append(std::to_string(number));
}

std::string EventLine::finish() && {
  line_.push_back('}');
  return std::move(line_);
}

std::string event_line(std::string_view name, const nlohmann::json& fields) {
  nlohmann::ordered_json out;
  out["event"] = name;
  out["time"] = utc_now();
  for (const auto& [key, value] : fields.items())
    out[key] = value;
  return out.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

nlohmann::json to_json(const PlanTotals& t) {
  return {{"source_entries", t.source_entries},
          {"source_files", t.source_files},
          {"source_directories", t.source_directories},
          {"source_links", t.source_links},
          {"source_bytes", t.source_bytes},
          {"mirror_entries", t.mirror_entries},
          {"mirror_bytes", t.mirror_bytes},
          {"requests", t.requests},
          {"request_bytes", t.request_bytes},
          {"created", t.created},
          {"copies", t.copies},
          {"renames", t.renames},
          {"reused_bytes", t.reused_bytes},
          {"metadata", t.metadata},
          {"deletes", t.deletes},
          {"delete_bytes", t.delete_bytes},
          {"places", t.places},
          {"places_lost", t.places_lost},
          {"extras_kept", t.extras_kept},
          {"problems", t.problems},
          {"unchanged", t.unchanged},
          {"specials", t.specials}};
}

nlohmann::json to_json(const SyncStats& s) {
  nlohmann::json out = {{"transferred_files", s.transferred_files},
                        {"transferred_bytes", s.transferred_bytes},
                        {"created", s.created},
                        {"copied", s.copied},
                        {"renamed", s.renamed},
                        {"reused_bytes", s.reused_bytes},
                        {"deleted", s.deleted},
                        {"metadata", s.metadata},
                        {"problems", s.problems},
                        {"vanished", s.vanished},
                        {"warnings", s.warnings},
                        {"deletes_withheld", s.deletes_withheld},
                        {"guard", guard_name(s.guard)}};
  out["plan"] = to_json(s.plan);
  return out;
}

nlohmann::json to_json(const Problem& problem) {
  return {{"path", printable(problem.path())}, {"text", problem.text},         {"errno", problem.sys_errno},
          {"subtree", problem.subtree},        {"vanished", problem.vanished}, {"warning", problem.warning}};
}

}  // namespace ssync::programs
