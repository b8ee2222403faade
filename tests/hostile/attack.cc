#include "attack.h"

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "ssync/support/sanitizers.h"

namespace ssync::hostile {
namespace {

std::string proc(pid_t pid, const std::string& name) {
  return "/proc/" + std::to_string(pid) + "/" + name;
}

void raise(std::atomic<std::size_t>& most, std::size_t value) {
  if (value > most) most = value;
}

}  // namespace

std::size_t rss_mib(pid_t pid) {
  std::ifstream file(proc(pid, "statm"));
  std::size_t size = 0;
  std::size_t resident = 0;
  file >> size >> resident;
  return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)) / (1024 * 1024);
}

std::size_t descriptors(pid_t pid) {
  std::error_code error;
  std::size_t count = 0;
  for (std::filesystem::directory_iterator entry(proc(pid, "fd"), error), end; !error && entry != end;
       entry.increment(error))
    ++count;
  return count;
}

double cpu_seconds(pid_t pid) {
  std::ifstream file(proc(pid, "stat"));
  std::stringstream text;
  text << file.rdbuf();
  std::string rest = text.str();
  rest.erase(0, rest.rfind(')') + 2);  // the program's name
  std::istringstream fields(rest);
  std::vector<std::string> all{std::istream_iterator<std::string>(fields), {}};
  constexpr std::size_t kUser = 11;
  if (all.size() <= kUser + 1) return 0;
  return (std::stod(all[kUser]) + std::stod(all[kUser + 1])) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

Attack::Attack(pid_t victim, std::function<void()> step) : victim_(victim), cpu_before_(cpu_seconds(victim)) {
  watching_ = std::thread([this] {
    while (!stopping_) {
      raise(rss_max_, rss_mib(victim_));
      raise(descriptors_max_, descriptors(victim_));
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
  });
  attacking_ = std::thread([this, step = std::move(step)] {
    while (!stopping_) {
      step();
      ++steps_;
    }
  });
}

void Attack::stop() {
  stopping_ = true;
  if (watching_.joinable()) watching_.join();
  if (attacking_.joinable()) attacking_.join();
}

double Attack::cpu() const {
  const std::chrono::duration<double> lasted = std::chrono::steady_clock::now() - began_;
  return (cpu_seconds(victim_) - cpu_before_) / lasted.count();
}

void expect_bearable(const Attack& attack, std::size_t descriptors_max) {
  EXPECT_LE(attack.descriptors_max(), descriptors_max);
  if (support::kHasSanitizer) return;  // whose memory and time are its own
  EXPECT_LT(attack.rss_mib_max(), 300U);
}

void expect_little_work(const Attack& attack) {
  std::this_thread::sleep_for(std::chrono::seconds(2));
  if (!support::kHasSanitizer) {
    EXPECT_LT(attack.cpu(), 1.0);
  }
}

}  // namespace ssync::hostile
