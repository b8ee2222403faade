// What a program's options depend on beside its command line: the environment, and files.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ssync::support {

/// A temporary directory, and variables of the environment. Both are as before once it is gone. One at a
/// time, in one thread.
class Surroundings {
 public:
  Surroundings() {
    std::string form = (std::filesystem::temp_directory_path() / "ssync-options.XXXXXX").string();
    if (::mkdtemp(form.data()) != nullptr) directory_ = form;
  }
  ~Surroundings() {
    for (const auto& [name, value] : before_)
      value ? ::setenv(name.c_str(), value->c_str(), 1) : ::unsetenv(name.c_str());
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
  }
  Surroundings(const Surroundings&) = delete;
  Surroundings& operator=(const Surroundings&) = delete;

  [[nodiscard]] std::string path(std::string_view name) const { return (directory_ / name).string(); }

  std::string write(std::string_view name, std::string_view text) const {
    std::ofstream(directory_ / name, std::ios::binary) << text;
    return path(name);
  }
  std::string make_directory(std::string_view name) const {
    std::filesystem::create_directories(directory_ / name);
    return path(name);
  }
  void set(const std::string& name, const std::string& value) {
    const char* before = std::getenv(name.c_str());
    before_.try_emplace(name, before == nullptr ? std::nullopt : std::optional<std::string>(before));
    ::setenv(name.c_str(), value.c_str(), 1);
  }

 private:
  std::filesystem::path directory_;
  std::map<std::string, std::optional<std::string>> before_;
};

/// Arguments as main() gets them.
class Arguments {
 public:
  Arguments(std::string program, const std::vector<std::string>& arguments) : texts_{std::move(program)} {
    texts_.insert(texts_.end(), arguments.begin(), arguments.end());
    for (const std::string& text : texts_)
      pointers_.push_back(text.c_str());
    pointers_.push_back(nullptr);
  }
  Arguments(const Arguments&) = delete;
  Arguments& operator=(const Arguments&) = delete;

  [[nodiscard]] int argc() const { return static_cast<int>(texts_.size()); }
  [[nodiscard]] const char* const* argv() const { return pointers_.data(); }

 private:
  std::vector<std::string> texts_;
  std::vector<const char*> pointers_;
};

}  // namespace ssync::support
