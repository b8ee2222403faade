#include "clients_watch.h"

#include <poll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

#include "ssync/base/text.h"

namespace ssync::server_program {
namespace {

constexpr std::uint32_t kChanges =
    IN_CREATE | IN_CLOSE_WRITE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE | IN_ATTRIB | IN_ONLYDIR;
/// Changes come in threes (a temporary file, its name, its removal): after one, so long a pause ends them.
constexpr int kRestMs = 20;

void drain(int fd) noexcept {
  std::array<char, 4096> events{};
  while (::read(fd, events.data(), events.size()) > 0) {
  }
}

}  // namespace

Result<std::unique_ptr<ClientsWatch>> ClientsWatch::start(ClientFiles files, Take take) {
  SSYNC_TRY_VOID(files.make_directories());
  UniqueFd inotify(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
  if (!inotify) return fail(errno_error("watch the files of clients", errno));
  for (const std::string& directory : {files.clients_directory(), files.invitations_directory()}) {
    if (::inotify_add_watch(inotify.get(), directory.c_str(), kChanges) < 0)
      return fail(errno_error("watch " + escape(directory), errno));
  }
  SSYNC_TRY(EventFd wake, EventFd::create());
  return std::unique_ptr<ClientsWatch>(
      new ClientsWatch(std::move(files), std::move(take), std::move(inotify), std::move(wake)));
}

ClientsWatch::ClientsWatch(ClientFiles files, Take take, UniqueFd inotify, EventFd wake)
    : files_(std::move(files)),
      take_(std::move(take)),
      inotify_(std::move(inotify)),
      wake_(std::move(wake)),
      thread_([this] { run(); }) {}

ClientsWatch::~ClientsWatch() {
  stopping_.store(true);
  wake_.signal();
}

void ClientsWatch::run() {
  while (true) {
    std::array<pollfd, 2> items{{{inotify_.get(), POLLIN, 0}, {wake_.fd(), POLLIN, 0}}};
    if (::poll(items.data(), items.size(), -1) < 0 && errno != EINTR) return;
    wake_.drain();
    if (stopping_.load()) return;
    wait_for_rest();
    take_(files_.load());
  }
}

void ClientsWatch::wait_for_rest() const {
  pollfd item{inotify_.get(), POLLIN, 0};
  do {
    drain(inotify_.get());
  } while (::poll(&item, 1, kRestMs) > 0);
}

}  // namespace ssync::server_program
