#include "config_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include <fmt/format.h>

#include "ssync/base/overload.h"
#include "ssync/base/text.h"
#include "ssync/base/unique_fd.h"
#include "ssync/fs/path.h"

#include <toml++/toml.h>

namespace ssync::programs {
namespace {

ConfigTable items_of(const toml::table& table);

decltype(ConfigItem::value) value_of(const toml::node& node) {
  switch (node.type()) {
    case toml::node_type::boolean:
      return node.as_boolean()->get();
    case toml::node_type::integer:
      return node.as_integer()->get();
    case toml::node_type::floating_point:
      return node.as_floating_point()->get();
    case toml::node_type::string:
      return node.as_string()->get();
    case toml::node_type::table:
      return items_of(*node.as_table());
    case toml::node_type::array:
      return OtherValue{"an array"};
    default:
      return OtherValue{"a date or time"};
  }
}

/// toml++ sorts by key; people read from the top.
ConfigTable items_of(const toml::table& table) {
  struct Placed {
    toml::source_position position;
    ConfigItem item;
  };
  std::vector<Placed> placed;
  for (const auto& [key, node] : table) {
    const toml::source_position begin = key.source().begin;
    placed.push_back({begin, {std::string(key.str()), begin.line, value_of(node)}});
  }
  std::stable_sort(placed.begin(), placed.end(),
                   [](const Placed& a, const Placed& b) { return a.position < b.position; });
  ConfigTable items;
  for (Placed& each : placed)
    items.push_back(std::move(each.item));
  return items;
}

Result<void> check_lines(const ConfigFile& file, std::string_view text) {
  std::uint32_t line = 1;
  for (std::size_t at = 0; at < text.size(); ++line) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    if (end - at > kConfigLineBytesMax) {
      return fail(Errc::limit, fmt::format("{}: longer than {}: this is no configuration", file.place(line),
                                           human_bytes(kConfigLineBytesMax)));
    }
    at = end + 1;
  }
  return {};
}

}  // namespace

std::string ConfigFile::place(std::uint32_t line) const {
  return fmt::format("{}:{}", escape(path), line);
}

Result<ConfigFile> parse_config(const std::string& path, std::string_view text) {
  ConfigFile file{path, {}};
  SSYNC_TRY_VOID(check_lines(file, text));
  try {
    file.items = items_of(toml::parse(text));
    return file;
  } catch (const toml::parse_error& error) {
    const toml::source_position at = error.source().begin;
    return fail(Errc::invalid_argument, fmt::format("{}:{}:{}: {}", escape(path), at.line, at.column,
                                                    escape_text(error.description())));
  }
}

Result<ConfigFile> read_config(const std::string& path) {
  if (path.empty()) return fail(Errc::invalid_argument, "the configuration file has no name");
  SSYNC_TRY_VOID(fs::check_links(path));
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (fd.get() < 0) return fail(errno_error(escape(path), errno));
  std::string text;
  std::array<char, 16384> block{};
  for (;;) {
    const ssize_t got = ::read(fd.get(), block.data(), block.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail(errno_error(escape(path), errno));
    if (got == 0) return parse_config(path, text);
    text.append(block.data(), static_cast<std::size_t>(got));
    if (text.size() > kConfigBytesMax) {
      return fail(Errc::limit, fmt::format("{}: more than {}: this is no configuration", escape(path),
                                           human_bytes(kConfigBytesMax)));
    }
  }
}

std::string describe(const ConfigItem& item) {
  return std::visit(Overload{
                        [](bool value) { return std::string(value ? "true" : "false"); },
                        [](std::int64_t value) { return std::to_string(value); },
                        [](double value) { return fmt::format("{}", value); },
                        [](const std::string& value) { return fmt::format("text \"{}\"", escape(value)); },
                        [](const ConfigTable&) { return std::string("a table"); },
                        [](const OtherValue& value) { return std::string(value.kind); },
                    },
                    item.value);
}

}  // namespace ssync::programs
