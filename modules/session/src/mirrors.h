// Which mirrors a server has, and how it says so.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "ssync/session/server.h"

namespace ssync::session::server {

class MirrorTable {
 public:
  /// Those that who asks may know of; empty: all.
  using May = std::function<bool(const std::string& name)>;

  /// The names that are gone. Requires: valid names, each once.
  [[nodiscard]] std::vector<std::string> set(std::vector<OfferedMirror> mirrors);
  [[nodiscard]] bool has(const std::string& name) const { return comments_.count(name) > 0; }
  /// "there is no mirror 'foo' here; there are: a, b, c": as many as a text can hold, 20 at most.
  [[nodiscard]] std::string unknown_text(const std::string& name, const May& may = {}) const;
  /// What there is after this name, as much as goes into a message.
  [[nodiscard]] wire::Mirrors page(const std::string& after, const May& may = {}) const;

 private:
  [[nodiscard]] std::string names_text(std::size_t room, const May& may) const;

  std::map<std::string, std::string> comments_;  ///< by name
};

}  // namespace ssync::session::server
