#include "ssync/model/entry_rules.h"

namespace ssync {

const char* broken_name_rule(std::string_view name) noexcept {
  if (name.empty()) return "is empty";
  if (name == ".") return "is '.'";
  if (name == "..") return "is '..'";
  if (name.size() > kNameBytesMax) return "is longer than 255 bytes";
  if (name.find('\0') != std::string_view::npos) return "has a NUL byte";
  if (name.find('/') != std::string_view::npos) return "has a '/'";
  return nullptr;
}

const char* broken_path_rule(PathView path) noexcept {
  if (const char* rule = broken_name_rule(path.name)) return rule;
  // The location has a separator after it, unless it is empty.
  const std::size_t bytes =
      path.location.empty() ? path.name.size() : path.location.size() + 1 + path.name.size();
  return bytes > kPathBytesMax ? "is longer than 65536 bytes with its directory" : nullptr;
}

const char* broken_values_rule(const Values& values, std::string_view target) noexcept {
  const bool is_link = values.kind == Kind::symlink;
  const bool has_size = values.kind == Kind::file || values.kind == Kind::special;
  if (!is_kind(values.kind)) return "has an unknown kind";
  if (values.mode > kModeMax) return "has a mode of more than 12 bits";
  if (values.mtime.ns > kTimeNsMax) return "has a second or more of nanoseconds";
  if (values.size > kSizeMax) return "has a size of 2^63 or more";
  if (values.size != 0 && !has_size) return "has a size and is no file";
  if (values.mode != 0 && is_link) return "is a link with a mode";
  if (target.empty() == is_link)
    return is_link ? "is a link without a target" : "has a target and is no link";
  if (target.size() > kTargetBytesMax) return "has a target of more than 65536 bytes";
  if (target.find('\0') != std::string_view::npos) return "has a NUL byte in its target";
  return nullptr;
}

}  // namespace ssync
