// Keeps a running server at what the files of its clients say.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "ssync/base/event_fd.h"
#include "ssync/base/result.h"
#include "ssync/base/unique_fd.h"

#include "client_files.h"

namespace ssync::server_program {

/// Reads the files again when one of them changes (inotify(7)), and when it is told to; a thread of its own.
class ClientsWatch {
 public:
  using Take = std::function<void(Result<ClientFiles::Loaded>)>;

  /// `take` gets what was read, in that thread. The directories are made. Errors: inotify, a directory cannot
  /// be made.
  [[nodiscard]] static Result<std::unique_ptr<ClientsWatch>> start(ClientFiles files, Take take);
  ~ClientsWatch();
  ClientsWatch(const ClientsWatch&) = delete;
  ClientsWatch& operator=(const ClientsWatch&) = delete;
  /// Any thread.
  void read_again() noexcept { wake_.signal(); }

 private:
  ClientsWatch(ClientFiles files, Take take, UniqueFd inotify, EventFd wake);
  void run();
  void wait_for_rest() const;

  const ClientFiles files_;
  const Take take_;
  const UniqueFd inotify_;
  EventFd wake_;
  std::atomic<bool> stopping_{false};
  std::jthread thread_;  ///< last: it uses the rest
};

}  // namespace ssync::server_program
