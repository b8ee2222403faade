#include "problems.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "ssync/model/entry_rules.h"

namespace ssync::scanner {

std::string text_of(std::string_view operation, const Error& error) {
  if (error.sys_errno == 0) return std::string(operation) + ": " + error.message;
  return Error{error.code, std::string(operation), error.sys_errno}.text();
}

Problem unreadable_problem(PathView path, std::string text, int sys_errno) {
  Problem problem;
  problem.location = path.location;
  problem.name = path.name;
  problem.text = std::move(text);
  problem.sys_errno = sys_errno;
  problem.subtree = true;
  return problem;
}

Problem unlistable_problem(std::string_view location, std::string_view name, std::string_view rule) {
  constexpr std::string_view kCut = "...";
  Problem problem;
  problem.location = location;
  const std::size_t room = kPathBytesMax - std::min(kPathBytesMax, location.size() + 1);
  const std::size_t kept = std::min(kNameBytesMax, room);
  if (kept > kCut.size()) problem.name.append(name.substr(0, kept - kCut.size())).append(kCut);
  std::ranges::replace_if(
      problem.name, [](char c) { return c == '/' || c == '\0'; }, '?');
  problem.text = fmt::format("its name {}: left out, give it another one", rule);
  return problem;
}

std::optional<std::string> broken_rule(ScannedEntry& entry, index::Role role) {
  std::uint32_t& ns = entry.seen.values.mtime.ns;
  if (role == index::Role::mirror && ns > kTimeNsMax) ns = kTimeNsMax;
  if (ns > kTimeNsMax)
    return "its modification time has a second or more of nanoseconds: set it anew (touch), or check the "
           "disk";
  const char* const rule = broken_values_rule(entry.seen.values, entry.target);
  if (rule == nullptr) return std::nullopt;
  return fmt::format("{}: left out, check the disk (fsck)", rule);
}

}  // namespace ssync::scanner
