// Where a program's options come from: the command line, the environment, a configuration file, in this
// order.
//
// CLI11 has both of the latter too. It lets the file go before the environment, though, reads a language of
// its own that only looks like TOML, and its errors name neither the line nor the variable.
#pragma once

#include <charconv>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "ssync/base/exit_code.h"
#include "ssync/base/result.h"
#include "ssync/base/text.h"

#include "config_file.h"

namespace ssync::programs {

/// A greater one goes before a smaller one.
enum class Layer : std::uint8_t { nowhere, file, environment, command_line };

/// The type name of an option that is a path. In a file, it must be one from / on.
inline constexpr const char* kPathType = "PATH";

/// Fills in what the command line left open. One thread; the App must outlive it. Options that are not
/// `configurable()` can be given on the command line only.
class OptionLayers {
 public:
  /// After app.parse(). `prefix`: of the environment's variables, "SERVER_SYNC_"; empty: there are none.
  OptionLayers(CLI::App& app, std::string prefix);

  /// Sets options from the environment: --max-delete is PREFIX_MAX_DELETE. A variable that is set but empty
  /// counts as not set. Variables that are no option's are left alone: systems for containers make some of
  /// that form. Errors: Errc::invalid_argument, "VARIABLE: what".
  [[nodiscard]] Result<void> take_environment();

  /// What the error about an unknown key says of it; empty: the error names the known key that is most like
  /// it.
  using Explain = std::function<std::string(const ConfigItem& item)>;

  /// Sets options from a table of `file`: each key is an option's long name. A key that a layer before this
  /// one has set is still checked for its type. `more_names`: keys that the caller takes itself; skipped.
  /// Errors: Errc::invalid_argument, "FILE:LINE: what".
  [[nodiscard]] Result<void> take_table(const ConfigFile& file, const ConfigTable& table,
                                        const std::vector<std::string>& more_names = {},
                                        const Explain& explain = nullptr);

  [[nodiscard]] Layer layer(const CLI::Option* option) const;

 private:
  struct Given {
    Layer layer = Layer::nowhere;
    std::string name;        ///< of the key or variable
    std::uint32_t line = 0;  ///< of the file
  };

  [[nodiscard]] Result<void> take_variable(CLI::Option& option, const std::string& name);
  [[nodiscard]] Result<void> take_item(const ConfigFile& file, const ConfigItem& item, CLI::Option& option);
  [[nodiscard]] Error unknown_key(const ConfigFile& file, const ConfigItem& item,
                                  const std::vector<std::string>& more_names, const Explain& explain) const;

  CLI::App& app_;
  const std::string prefix_;
  std::map<const CLI::Option*, Given> given_;
};

/// The file that the command line (`option`) or else the environment names; nullopt: none is read.
[[nodiscard]] std::optional<std::string> config_path(const CLI::Option& option, std::string_view prefix);

/// "SERVER_SYNC_MAX_DELETE".
[[nodiscard]] std::string variable_name(std::string_view prefix, std::string_view option_name);

/// A check for options with numbers, to be given to transform(): decimal, between `min` and `max`. Without
/// it, CLI11 takes -1 for the greatest number of an unsigned type, and 010 for 8. Says nothing in --help.
template <typename T>
CLI::Validator between(T min, T max) {
  return CLI::Validator(
      [min, max](std::string& text) {
        T value{};
        const char* const end = text.data() + text.size();
        const auto [stop, error] = std::from_chars(text.data(), end, value);
        if (error != std::errc() || stop != end || !(value >= min && value <= max))
          return fmt::format("must be a number between {} and {}, not {}", min, max, escape(text));
        text = fmt::format("{}", value);
        return std::string();
      },
      "");
}

/// Refuses an empty text, which a script may pass by mistake.
[[nodiscard]] CLI::Validator not_empty();

/// Accepts these words only.
[[nodiscard]] CLI::Validator one_of(std::vector<std::string> words);

/// A flag that may be absent, "--x,!--no-x". To CLI11's own add_flag() a std::optional<bool> is a count,
/// which is 0, and so false, when nothing is said.
CLI::Option* add_switch(CLI::App& app, const std::string& names, std::optional<bool>& value,
                        const std::string& description = "");

/// There are no options to go on with: --help was answered, or something is wrong.
struct Answer {
  int code = 0;
  std::string out;  ///< for standard output
  std::string err;  ///< for standard error
  std::string why;  ///< the same as a sentence, without the program's name
};

/// The answer when app.parse() threw `error`.
[[nodiscard]] Answer answer(const CLI::App& app, const CLI::ParseError& error);
/// "PROGRAM: text". ExitCode::file when the system has the reason or a link is refused, else ExitCode::usage.
[[nodiscard]] Answer answer(std::string_view program, const Error& error);
/// Parses the command line; `take` then takes what is still open from environment and file; a state directory
/// that nobody named is the default one. What is to be answered instead, if there are no options to go on
/// with.
[[nodiscard]] std::optional<Answer> read(CLI::App& app, int argc, const char* const* argv,
                                         const std::function<Result<void>()>& take, std::string& state_dir);
/// Prints it; the exit code.
int say(const Answer& answer);
/// The answer as an Error (Errc::invalid_argument), for callers that print nothing.
[[nodiscard]] Error error_of(const Answer& answer);

}  // namespace ssync::programs
