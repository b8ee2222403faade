// Everything of users' that is parsed by the programs: configuration, lines of invitations, the small forms
// of text. What is taken says the same when it is written and read again.
#include <string>

#include <CLI/CLI.hpp>

#include "ssync/support/fuzz_input.h"

#include "config_file.h"
#include "invitation_line.h"
#include "mirror_name.h"
#include "option_layers.h"
#include "words.h"

namespace {

using namespace ssync;
using namespace ssync::programs;
using support::require;

void take_config(const std::string& text) {
  const auto file = parse_config("fuzzed.toml", text);
  if (!file) {
    (void)file.error().text();
    return;
  }
  for (const ConfigItem& item : file->items) {
    require(item.line >= 1, "each item is on a line");
    (void)describe(item);
  }
  CLI::App app;
  std::uint64_t number = 0;
  bool flag = false;
  std::string word;
  std::vector<std::string> words;
  app.add_option("--max-delete", number)->transform(between<std::uint64_t>(0, 1000));
  app.add_flag("--fsync", flag);
  app.add_option("--path", word)->type_name(kPathType);
  app.add_option("--address", words);
  OptionLayers layers(app, "");
  if (!layers.take_table(*file, file->items, {"mirror"})) return;
  require(number <= 1000, "a number is between its limits");
}

void take_words(const std::string& text) {
  if (const auto duration = parse_duration(text))
    require(parse_duration(text_of(*duration)).value() == *duration, "a duration comes back");
  if (const auto time = parse_time(text))
    require(parse_time(text_of(*time)).value() == *time, "a time comes back");
  if (const auto size = parse_size(text))
    require(parse_size(text_of_size(*size)).value() == *size, "a size comes back");
  for (const std::string& one : split_list(text))
    require(!one.empty(), "no part of a list is empty");
  (void)check_client_name(text);
  (void)check_mirror_name(text);
  if (const auto line = parse_invitation_line(text)) {
    const auto again = parse_invitation_line(text_of(*line));
    require(again.has_value() && again->host == line->host && again->control_port == line->control_port &&
                again->server == line->server && again->token == line->token,
            "a line comes back");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* first, std::size_t size) {
  if (size == 0) return 0;
  const std::string text(reinterpret_cast<const char*>(first) + 1, size - 1);
  if (first[0] % 2 == 0) {
    take_config(text);
  } else {
    take_words(text);
  }
  return 0;
}
