#include "harness.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <random>
#include <sstream>
#include <thread>

#include <gtest/gtest.h>

namespace ssync::integration {

using nlohmann::json;

TemporaryDirectory::TemporaryDirectory() {
  const char* base = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : nullptr;
  std::string pattern =
      (base != nullptr ? stdfs::path(base) : stdfs::temp_directory_path()) / "ssync-test.XXXXXX";
  if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp " + pattern);
  path_ = pattern;
}

TemporaryDirectory::~TemporaryDirectory() {
  // Tests make directories that even their owner cannot write.
  run({"chmod", "-R", "u+rwX", path_.string()});
  std::error_code ignored;
  stdfs::remove_all(path_, ignored);
}

Process::Process(const std::vector<std::string>& arguments, const Files& files,
                 const std::vector<std::string>& environment)
    : files_(files) {
  std::vector<char*> argv;
  for (const std::string& argument : arguments)
    argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  std::vector<char*> env;
  for (const std::string& variable : environment)
    env.push_back(const_cast<char*>(variable.c_str()));
  for (char** variable = environ; *variable != nullptr; ++variable)
    env.push_back(*variable);
  env.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 1, files.out.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
  posix_spawn_file_actions_addopen(&actions, 2, files.err.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
  const int error = posix_spawnp(&pid_, argv[0], &actions, nullptr, argv.data(), env.data());
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) throw std::system_error(error, std::generic_category(), "starting " + arguments.front());
}

Process::~Process() {
  if (!running()) return;
  signal(SIGKILL);
  (void)wait(std::chrono::seconds(10));
}

void Process::signal(int number) const {
  ::kill(pid_, number);
}

std::optional<int> Process::wait(std::chrono::milliseconds limit) {
  eventually([this] { return !running(); }, limit);
  return status_;
}

bool Process::running() {
  if (status_) return false;
  int status = 0;
  const pid_t reaped = waitpid(pid_, &status, WNOHANG);
  if (reaped != pid_) return true;
  status_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return false;
}

std::string Process::out() const {
  return read_file(files_.out);
}
std::string Process::err() const {
  return read_file(files_.err);
}

std::vector<json> Finished::events() const {
  std::vector<json> found;
  std::istringstream lines(out);
  for (std::string line; std::getline(lines, line);) {
    json value = json::parse(line, nullptr, false);
    if (value.is_object()) found.push_back(std::move(value));
  }
  return found;
}

json Finished::event(std::string_view name) const {
  json last = json::object();
  for (json& value : events()) {
    if (value.value("event", "") == name) last = std::move(value);
  }
  return last;
}

Finished run(const std::vector<std::string>& arguments, std::chrono::seconds limit) {
  char out[] = "/tmp/ssync-run-out.XXXXXX";
  char err[] = "/tmp/ssync-run-err.XXXXXX";
  ::close(mkstemp(out));
  ::close(mkstemp(err));
  Finished finished;
  {
    Process process(arguments, {out, err});
    const std::optional<int> code = process.wait(limit);
    if (!code)
      ADD_FAILURE() << arguments.front() << " did not end within " << limit.count() << " s; " << process.out()
                    << process.err();
    finished = {code.value_or(-1), process.out(), process.err()};
  }
  unlink(out);
  unlink(err);
  return finished;
}

bool eventually(const std::function<bool()>& condition, std::chrono::milliseconds limit) {
  const auto until = std::chrono::steady_clock::now() + limit;
  while (!condition()) {
    if (std::chrono::steady_clock::now() >= until) return condition();
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return true;
}

Bench::Bench(std::string prefix) : prefix_(std::move(prefix)) {
  // Of all programs from now on: where a server leaves what lets others of its user in, and where keys are.
  ::setenv("XDG_RUNTIME_DIR", path("").c_str(), 1);
  ::setenv("XDG_CONFIG_HOME", path("config").c_str(), 1);
  stdfs::create_directory(source());
  stdfs::create_directory(mirror());
}

Bench::~Bench() {
  if (server_ && server_->running()) stop_server();
}

bool Bench::run_as_ordinary_user(const std::vector<gid_t>& groups) {
  if (geteuid() != 0) return true;
  if (run({"chown", "-R", "65534:65534", path("").string()}).code != 0) return false;
  std::string more;
  for (const gid_t group : groups)
    more += (more.empty() ? "" : ",") + std::to_string(group);
  run_as_ = {"setpriv", "--reuid=65534", "--regid=65534",
             more.empty() ? "--clear-groups" : "--groups=" + more};
  std::vector<std::string> try_out = run_as_;
  try_out.insert(try_out.end(), {program("client-sync"), "--version"});
  return run(try_out).code == 0;
}

std::vector<std::string> Bench::server_arguments(const std::vector<std::string>& more) const {
  std::vector<std::string> arguments = run_as_;
  arguments.insert(arguments.end(),
                   {program(prefix_ + "server-sync"), mirror().string(), "--json", "--state-dir",
                    path("server-state").string(), "--control-port", std::to_string(control_port_),
                    "--data-port", std::to_string(data_port_)});
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

std::vector<std::string> Bench::client_arguments(const std::vector<std::string>& more) const {
  std::vector<std::string> arguments = run_as_;
  arguments.insert(
      arguments.end(),
      {program(prefix_ + "client-sync"), source().string(), "--state-dir", path("client-state").string(),
       "--control-port", std::to_string(control_port_), "--data-port", std::to_string(data_port_)});
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

void Bench::start_server(const std::vector<std::string>& more, const std::optional<Process::Files>& files) {
  const std::string run_name = "server-" + std::to_string(server_runs_++);
  const Process::Files to = files.value_or(Process::Files{path(run_name + ".out"), path(run_name + ".err")});
  std::error_code ignored;
  if (!files) stdfs::remove(to.out, ignored);
  const std::size_t skip = read_file(to.out).size();
  server_ = std::make_unique<Process>(server_arguments(more), to);
  json listening;
  const bool up = eventually([&] {
    if (!server_->running()) return true;
    std::istringstream lines(server_->out().substr(skip));
    std::string line;
    while (std::getline(lines, line)) {
      listening = json::parse(line, nullptr, false);
      if (listening.is_object() && listening.value("event", "") == "listening") return true;
    }
    return false;
  });
  if (!up || !server_->running()) {
    ADD_FAILURE() << "server-sync did not start: " << server_->out() << server_->err();
    return;
  }
  control_port_ = listening.at("control_port").get<std::uint16_t>();
  data_port_ = listening.at("data_port").get<std::uint16_t>();
}

int Bench::stop_server() {
  server_->signal(SIGTERM);
  const std::optional<int> code = server_->wait(std::chrono::seconds(20));
  if (!code) ADD_FAILURE() << "server-sync did not stop: " << server_->out() << server_->err();
  return code.value_or(-1);
}

void Bench::kill_server() {
  server_->signal(SIGKILL);
  (void)server_->wait(std::chrono::seconds(10));
}

Finished Bench::sync(const std::vector<std::string>& more, std::chrono::seconds limit) {
  std::vector<std::string> options{"--once", "--json"};
  options.insert(options.end(), more.begin(), more.end());
  return run(client_arguments(options), limit);
}

void Bench::expect_sync(const std::vector<std::string>& more) {
  const Finished done = sync(more);
  EXPECT_EQ(done.code, 0) << done.out << done.err << (server_ ? server_->err() : "");
  EXPECT_EQ(differences(), "") << done.out << done.err;
}

std::string Bench::differences() const {
  return compare_trees(source(), mirror());
}

std::string compare_trees(const stdfs::path& a, const stdfs::path& b) {
  const auto judge = [](const stdfs::path& from, const stdfs::path& to) {
    const Finished judged =
        run({"rsync", "-anic", "--delete", "--modify-window=-1", from.string() + "/", to.string() + "/"});
    return judged.code == 0 && judged.out.empty()
               ? std::string()
               : from.string() + " -> " + to.string() + ":\n" + judged.out + judged.err;
  };
  std::string found = judge(a, b) + judge(b, a);
  const Finished content = run({"diff", "-r", "--no-dereference", a.string(), b.string()});
  if (content.code != 0) found += content.out + content.err;
  return found;
}

void write_file(const stdfs::path& path, std::string_view content) {
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out.write(content.data(), static_cast<std::streamsize>(content.size()));
  if (!out.flush()) throw std::runtime_error("writing " + path.string());
}

std::string read_file(const stdfs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream content;
  content << in.rdbuf();
  return content.str();
}

void set_mtime(const stdfs::path& path, std::int64_t s, std::int64_t ns) {
  timespec times[2];
  times[0] = {0, UTIME_OMIT};
  times[1] = {static_cast<time_t>(s), static_cast<long>(ns)};
  if (utimensat(AT_FDCWD, path.c_str(), times, AT_SYMLINK_NOFOLLOW) != 0)
    throw std::system_error(errno, std::generic_category(), path.string());
}

Times mtime_of(const stdfs::path& path) {
  struct stat found {};
  if (lstat(path.c_str(), &found) != 0)
    throw std::system_error(errno, std::generic_category(), path.string());
  return {found.st_mtim.tv_sec, found.st_mtim.tv_nsec};
}

std::uint64_t inode_of(const stdfs::path& path) {
  struct stat found {};
  if (lstat(path.c_str(), &found) != 0)
    throw std::system_error(errno, std::generic_category(), path.string());
  return found.st_ino;
}

std::string random_bytes(std::uint64_t seed, std::size_t size) {
  std::mt19937_64 random(seed);
  std::string bytes(size, '\0');
  for (char& byte : bytes)
    byte = static_cast<char>(random());
  return bytes;
}

stdfs::path output_directory() {
  const char* named = std::getenv("SSYNC_TEST_OUTPUT");
  stdfs::path path = named != nullptr ? named : "test-output";
  stdfs::create_directories(path);
  return stdfs::absolute(path);
}

std::string program(std::string_view name) {
  return std::string(SSYNC_BIN_DIR) + "/" + std::string(name);
}

}  // namespace ssync::integration
