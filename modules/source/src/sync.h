// One sync on the client: transport <-> session machine <-> list, readers. The calling thread owns the
// sockets until it is over.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "ssync/base/event_fd.h"
#include "ssync/base/exit_code.h"
#include "ssync/fs/tree.h"
#include "ssync/index/index.h"
#include "ssync/net/transport.h"
#include "ssync/session/client.h"
#include "ssync/source/observer.h"
#include "ssync/source/source.h"
#include "ssync/transfer/source_reader.h"

#include "answers.h"
#include "feed.h"
#include "listing.h"
#include "served.h"
#include "stop.h"
#include "uploads.h"

namespace ssync::source {

/// How a sync ended.
struct Outcome {
  ExitCode code = ExitCode::ok;
  bool done = false;                        ///< sync:done came: the code is the sync's
  bool retry = false;                       ///< trying again may help
  bool reached = false;                     ///< the server answered at all
  bool server_gone = false;                 ///< the connection could not be made, or broke
  std::optional<std::uint64_t> left_to_do;  ///< how many changes the plan had; absent: there was no plan
  std::uint64_t bytes_sent = 0;             ///< of files
  std::string text;                         ///< why, when not done
};

/// What a sync works on.
struct Work {
  fs::Tree& tree;
  index::Index& index;
  index::Header header;                ///< when this sync has listed the source
  std::vector<std::string> leave_out;  ///< see scanner::Options
  wire::Hello hello;
  std::chrono::milliseconds connect;  ///< how long to try to reach the server
  /// Starts to connect.
  std::function<Result<std::unique_ptr<net::ClientTransport>>()> transport;
  /// Why the source cannot be used: its file system is gone or does not answer. Called often; never waits for
  /// the file system.
  std::function<std::optional<Error>()> trouble;
};

class Sync {
 public:
  /// All must outlive it.
  Sync(const Options& options, Work work, Stop& stop, Observer& observer);
  ~Sync();
  /// Runs one sync to its end. Errors: of this machine (descriptors, sockets), not of the peer.
  [[nodiscard]] Result<Outcome> run();

 private:
  using Effects = session::client::Effects;
  using Time = session::Time;

  /// What is on its way to the data socket.
  struct NextData {
    std::optional<transfer::ReadOutput> chunk;  ///< popped, waiting for credit
    std::optional<net::DataMessage> message;    ///< numbered, waiting for the socket
    std::vector<transfer::SentFile> finished;   ///< the files that end in the message
  };
  /// What the report at the end is made of.
  struct Tally {
    Traffic traffic;
    std::optional<PlanTotals> plan;
    std::uint64_t files_sent = 0, file_bytes_sent = 0;
    bool own_problems = false;  ///< this end could not read everything
  };

  [[nodiscard]] Result<void> round();
  void pump();
  void pump_lists();
  void pump_asked_rows();
  void pump_answers();
  void pump_chunks();
  [[nodiscard]] bool send_pending();
  void finished_files(const std::vector<transfer::SentFile>& files);

  void carry_out(Effects effects);
  void on(session::client::Send& effect);
  void on(session::client::SendData& effect);
  void on(session::client::StartList& effect);
  void on(session::client::Waiting& effect);
  void on(session::client::HashFiles& effect);
  void on(session::client::ListDirectories& effect);
  void on(session::client::ReadFiles& effect);
  void on(session::client::ShowPlan& effect);
  void on(session::client::ShowChanges& effect);
  void on(session::client::ShowProblems& effect);
  void on(session::client::ShowProgress& effect);
  void on(session::client::Finished& effect);
  void on(session::client::Failed& effect);

  /// The listed row that the server named, or nullopt when it named one that we did not list so: the session
  /// fails.
  [[nodiscard]] std::optional<Snapshot::View> asked_row(RowId id, std::string_view location,
                                                        std::string_view name);
  /// False: the server asked for it too often, and the session has failed.
  [[nodiscard]] bool is_first_time(RowId row, Served::What what);
  void local_failure(const Error& error);
  void over(Outcome outcome);

  const Options& options_;
  Work work_;
  Stop& stop_;
  Observer& observer_;
  session::client::Client session_;
  std::optional<EventFd> wake_;
  std::unique_ptr<net::ClientTransport> transport_;

  BoundedQueue<Listing::Item> lists_;
  std::unique_ptr<Feed> feed_;
  std::unique_ptr<Listing> list_;
  std::unique_ptr<Answers> answers_;
  std::unique_ptr<Uploads> uploads_;
  Served served_;

  bool connected_ = false;
  bool list_complete_ = false;                ///< its last item was popped
  std::deque<wire::AskedDirectory> to_list_;  ///< asked for while the list was made
  std::optional<Listing::Item> next_list_;    ///< popped, waiting for room in the window
  NextData next_data_;

  Tally tally_;
  std::chrono::steady_clock::time_point started_;
  std::optional<Outcome> outcome_;
};

}  // namespace ssync::source
