#include "option_layers.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <sstream>
#include <utility>

#include "ssync/base/text.h"
#include "ssync/index/index.h"

namespace ssync::programs {
namespace {

/// Options that hold paths, in whatever program.
constexpr std::array<std::string_view, 3> kPaths = {"path", "state-dir", "log-file"};

bool is_path(const CLI::Option& option, std::string_view key) {
  return option.get_type_name() == kPathType || std::find(kPaths.begin(), kPaths.end(), key) != kPaths.end();
}

enum class Form { flag, count, whole_number, number, text };

Form form_of(const CLI::Option& option) {
  if (option.get_items_expected_min() == 0) {
    return option.get_multi_option_policy() == CLI::MultiOptionPolicy::TakeAll ? Form::count : Form::flag;
  }
  const std::string type = option.get_type_name();
  if (type.starts_with("UINT") || type.starts_with("INT")) return Form::whole_number;
  return type.starts_with("FLOAT") ? Form::number : Form::text;
}

std::optional<bool> to_bool(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (text == "true" || text == "1" || text == "yes" || text == "on") return true;
  if (text == "false" || text == "0" || text == "no" || text == "off") return false;
  return std::nullopt;
}

std::string_view word(bool value) {
  return value ? "true" : "false";
}

/// What is wrong with `value`, or nothing. The option is unusable afterwards if something is.
std::optional<std::string> set(CLI::Option& option, const std::string& value) {
  try {
    option.add_result(value);
    option.run_callback();
    return std::nullopt;
  } catch (const CLI::ValidationError& error) {
    // "--name: what is wrong"
    const std::string text = error.what();
    const std::size_t colon = text.find(": ");
    return colon == std::string::npos ? text : text.substr(colon + 2);
  } catch (const CLI::ParseError&) {
    return "cannot be " + escape(value);
  }
}

/// `name`: with or without "no-". A count of 0 is set by not setting it, as CLI11 takes "false" for one less.
std::optional<std::string> set_flag(CLI::Option& option, const std::string& name, std::string_view value) {
  if (form_of(option) == Form::count && (value == "false" || value == "0")) return std::nullopt;
  return set(option, option.get_flag_value(name, std::string(value)));
}

/// The text that the command line would have for the value of `item`; the Error says what it must be instead.
Result<std::string> text_of(const ConfigItem& item, const CLI::Option& option) {
  const auto must_be = [&](std::string_view what) {
    return fail(Errc::invalid_argument, fmt::format("must be {}, not {}", what, describe(item)));
  };
  const auto* flag = std::get_if<bool>(&item.value);
  const auto* whole = std::get_if<std::int64_t>(&item.value);
  const auto* broken = std::get_if<double>(&item.value);
  const auto* text = std::get_if<std::string>(&item.value);
  switch (form_of(option)) {
    case Form::flag:
      return flag ? Result<std::string>(word(*flag)) : must_be("true or false");
    case Form::count:
      if (flag) return std::string(word(*flag));
      if (whole && *whole >= 0 && *whole <= 9) return std::to_string(*whole);
      return must_be("true, false or a number from 0 to 9");
    case Form::whole_number:
      return whole ? Result<std::string>(std::to_string(*whole)) : must_be("a whole number");
    case Form::number:
      if (whole) return std::to_string(*whole);
      if (broken && std::isfinite(*broken)) return fmt::format("{}", *broken);
      return must_be("a number");
    case Form::text:
      break;
  }
  if (!text) return must_be("text in quotes");
  if (text->find('\0') != std::string::npos) return must_be("text without NUL");
  if (is_path(option, item.key) && !text->starts_with('/')) {
    return must_be(text->starts_with('~') ? "a path from / on (nothing replaces the ~)" : "a path from / on");
  }
  return *text;
}

std::optional<std::string> environment(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  if (value == nullptr || *value == '\0') return std::nullopt;
  return value;
}

}  // namespace

OptionLayers::OptionLayers(CLI::App& app, std::string prefix) : app_(app), prefix_(std::move(prefix)) {
  for (const CLI::Option* option : app_.get_options()) {
    if (option->count() > 0) given_[option] = {Layer::command_line, option->get_name(), 0};
  }
}

Layer OptionLayers::layer(const CLI::Option* option) const {
  const auto found = given_.find(option);
  return found == given_.end() ? Layer::nowhere : found->second.layer;
}

Result<void> OptionLayers::take_environment() {
  for (CLI::Option* option : app_.get_options()) {
    if (!option->get_configurable() || layer(option) == Layer::command_line) continue;
    for (const std::string& name : option->get_lnames())
      SSYNC_TRY_VOID(take_variable(*option, name));
  }
  return {};
}

Result<void> OptionLayers::take_variable(CLI::Option& option, const std::string& name) {
  const std::string variable = variable_name(prefix_, name);
  const std::optional<std::string> value = environment(variable);
  if (!value) return {};
  const auto wrong = [&](const std::string& what) {
    return fail(Errc::invalid_argument, fmt::format("{}: {}", variable, what));
  };
  if (layer(&option) == Layer::environment)
    return wrong(fmt::format("{} says it too: one of them only", given_[&option].name));
  std::optional<std::string> trouble;
  const Form form = form_of(option);
  if (form == Form::flag || form == Form::count) {
    const std::optional<bool> flag = to_bool(*value);
    const bool count = form == Form::count && value->size() == 1 && *value >= "0" && *value <= "9";
    if (!flag && !count) return wrong(fmt::format("must be true or false, not '{}'", escape(*value)));
    trouble = set_flag(option, name, count ? std::string_view(*value) : word(*flag));
  } else {
    trouble = set(option, *value);
  }
  if (trouble) return wrong(*trouble);
  given_[&option] = {Layer::environment, variable, 0};
  return {};
}

Result<void> OptionLayers::take_table(const ConfigFile& file, const ConfigTable& table,
                                      const std::vector<std::string>& more_names, const Explain& explain) {
  for (const ConfigItem& item : table) {
    if (std::find(more_names.begin(), more_names.end(), item.key) != more_names.end()) continue;
    CLI::Option* option = item.key.empty() ? nullptr : app_.get_option_no_throw("--" + item.key);
    if (option == nullptr) return fail(unknown_key(file, item, more_names, explain));
    SSYNC_TRY_VOID(take_item(file, item, *option));
  }
  return {};
}

Result<void> OptionLayers::take_item(const ConfigFile& file, const ConfigItem& item, CLI::Option& option) {
  const auto wrong = [&](const std::string& what) {
    return fail(Errc::invalid_argument, fmt::format("{}: '{}' {}", file.place(item.line), item.key, what));
  };
  if (!option.get_configurable()) return wrong("cannot be said in a file");
  const Result<std::string> text = text_of(item, option);
  if (!text) return wrong(text.error().message);
  const Given& given = given_[&option];
  if (given.layer == Layer::file)
    return wrong(fmt::format("says what '{}' in line {} says: one of them only", given.name, given.line));
  if (given.layer != Layer::nowhere) return {};
  const Form form = form_of(option);
  const std::optional<std::string> trouble =
      form == Form::flag || form == Form::count ? set_flag(option, item.key, *text) : set(option, *text);
  if (trouble) return wrong(*trouble);
  given_[&option] = {Layer::file, item.key, item.line};
  return {};
}

Error OptionLayers::unknown_key(const ConfigFile& file, const ConfigItem& item,
                                const std::vector<std::string>& more_names, const Explain& explain) const {
  std::string text = fmt::format("{}: unknown key '{}'", file.place(item.line), escape(item.key));
  const std::string explained = explain ? explain(item) : std::string();
  std::vector<std::string> names = more_names;
  for (const CLI::Option* option : app_.get_options({})) {
    if (!option->get_configurable()) continue;
    names.insert(names.end(), option->get_lnames().begin(), option->get_lnames().end());
  }
  if (!explained.empty()) {
    text += ": " + explained;
  } else if (const std::optional<std::string> nearest = nearest_name(item.key, names)) {
    text += fmt::format("; did you mean '{}'?", *nearest);
  } else {
    text += fmt::format("; known are {}", fmt::join(names, ", "));
  }
  return {Errc::invalid_argument, std::move(text), 0};
}

std::optional<std::string> config_path(const CLI::Option& option, std::string_view prefix) {
  if (option.count() > 0) return option.results().back();
  return environment(variable_name(prefix, option.get_lnames().front()));
}

std::string variable_name(std::string_view prefix, std::string_view option_name) {
  std::string name(prefix);
  for (const char c : option_name)
    name += c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return name;
}

CLI::Validator not_empty() {
  return CLI::Validator(
      [](std::string& text) { return text.empty() ? std::string("must not be empty") : std::string(); }, "");
}

CLI::Validator one_of(std::vector<std::string> words) {
  return CLI::Validator(
      [words = std::move(words)](std::string& text) {
        if (std::find(words.begin(), words.end(), text) != words.end()) return std::string();
        return fmt::format("must be {}, not '{}'", fmt::join(words, " or "), escape(text));
      },
      "");
}

CLI::Option* add_switch(CLI::App& app, const std::string& names, std::optional<bool>& value,
                        const std::string& description) {
  return app
      .add_flag_function(
          names, [&value](std::int64_t count) { value = count > 0; }, description)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
}

Answer answer(const CLI::App& app, const CLI::ParseError& error) {
  std::ostringstream out;
  std::ostringstream err;
  const int code = app.exit(error, out, err) == 0 ? 0 : to_int(ExitCode::usage);
  std::string text = out.str();
  if (!text.empty() && !text.ends_with('\n')) text += '\n';  // after a footer
  return {code, std::move(text), err.str(), err.str()};
}

Answer answer(std::string_view program, const Error& error) {
  const bool file = error.sys_errno != 0 || error.code == Errc::refused;
  const ExitCode code = file ? ExitCode::file : ExitCode::usage;
  return {to_int(code), "", fmt::format("{}: {}\n", program, error.text()), error.text()};
}

std::optional<Answer> read(CLI::App& app, int argc, const char* const* argv,
                           const std::function<Result<void>()>& take, std::string& state_dir) {
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return answer(app, error);
  }
  if (const Result<void> taken = take(); !taken) return answer(app.get_name(), taken.error());
  if (!state_dir.empty()) return std::nullopt;
  Result<std::string> found = index::default_state_dir();
  if (!found) {
    Answer wrong = answer(app.get_name(), found.error());
    wrong.code = to_int(ExitCode::file);
    return wrong;
  }
  state_dir = std::move(*found);
  return std::nullopt;
}

int say(const Answer& answer) {
  std::fputs(answer.out.c_str(), stdout);
  std::fputs(answer.err.c_str(), stderr);
  return answer.code;
}

Error error_of(const Answer& answer) {
  std::string text = answer.why.empty() ? answer.out : answer.why;
  while (text.ends_with('\n'))
    text.pop_back();
  return {Errc::invalid_argument, std::move(text), 0};
}

}  // namespace ssync::programs
