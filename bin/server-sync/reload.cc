#include "reload.h"

#include <concepts>
#include <string_view>

#include <fmt/format.h>

#include "ssync/base/text.h"

namespace ssync::server_program {
namespace {

std::string shown(const std::string& value) {
  return escape(value);
}
template <std::unsigned_integral Number>
requires(!std::same_as<Number, bool>) std::string shown(Number value) {
  return std::to_string(value);
}
std::string shown(bool value) {
  return value ? "true" : "false";
}
std::string shown(const std::optional<std::string>& value) {
  return value ? escape(*value) : "not set";
}

/// Settings that a server has for life: its sockets, files and tap are made from them at the start.
void keep_what_needs_a_restart(const Options& before, Reload& reload) {
  const auto keep = [&]<typename T>(std::string_view name, T Options::*member) {
    T& value = reload.options.*member;
    if (value == before.*member) return;
    reload.notices.push_back(fmt::format("{} is {} in the configuration now, and stays {} until a restart",
                                         name, shown(value), shown(before.*member)));
    value = before.*member;
  };
  keep("address", &Options::address);
  keep("control-port", &Options::control_port);
  keep("data-port", &Options::data_port);
  keep("max-syncs", &Options::max_syncs);
  keep("require-keys", &Options::require_keys);
  keep("insecure", &Options::insecure);
  keep("monitor", &Options::monitor);
  keep("no-monitor", &Options::no_monitor);
  keep("state-dir", &Options::state_dir);
  keep("log-file", &Options::log_file);
  keep("json", &Options::json);
}

}  // namespace

Reload compare(const Options& before, const Options& after) {
  Reload reload;
  reload.options = after;
  keep_what_needs_a_restart(before, reload);
  return reload;
}

}  // namespace ssync::server_program
