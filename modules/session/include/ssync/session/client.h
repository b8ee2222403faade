// The client's side of one sync: replies and events in, effects out. No sockets, threads, files or clock. One
// object is one session on one pair of fresh sockets; after Failed or Finished it is used up. State table:
// proto-spec/02 §5.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "ssync/base/result.h"
#include "ssync/session/server.h"
#include "ssync/wire/codec.h"
#include "ssync/wire/data.h"
#include "ssync/wire/messages.h"

namespace ssync::session {

namespace client {

struct Send {
  wire::Frames frames;
};
struct SendData {
  Buffer head;
  Buffer payload;
};  ///< attach; must not be dropped: retried by the program until taken
/// Welcome came: scan the source, list it with list_ready().
struct StartList {
  wire::Welcome welcome;
};
/// Hello was answered with wait; it is repeated by itself. For the log, when the reason changes.
struct Waiting {
  std::string reason;
  std::uint64_t place = 0;  ///< in the queue; 1 is the next, 0 unknown
};
/// Checksums or digests of these rows: answer with digests_ready().
struct HashFiles {
  std::vector<wire::DigestQuery> rows;
};
/// The rows of these directories of the list: answer with list_ready(), in this order.
struct ListDirectories {
  std::vector<wire::AskedDirectory> rows;
};
struct ReadFiles {
  std::vector<wire::RequestRow> rows;
};
/// The plan: answer with plan_accepted() or plan_refused().
struct ShowPlan {
  wire::Plan plan;
};
struct ShowChanges {
  std::vector<wire::ChangeRow> rows;
};
struct ShowProblems {
  std::vector<Problem> rows;
};
struct ShowProgress {
  wire::Wait wait;
};
/// The end, well: sync:done came and bye was answered (or timed out).
struct Finished {
  wire::SyncDone done;
};
/// The end: close both sockets. `retry`: starting again may help. A welcome to another mirror than hello
/// asked for is `protocol`: nothing was sent to it.
struct Failed {
  enum class Why : std::uint8_t {
    connection,
    connect_timeout,
    idle_timeout,
    server_error,
    protocol,
    refused_plan,
    interrupted
  };
  Why why = Why::connection;
  std::optional<wire::ErrorCode> code;  ///< server_error
  bool retry = true;
  std::string text;
};
using Effect = std::variant<Send, SendData, StartList, Waiting, HashFiles, ListDirectories, ReadFiles,
                            ShowPlan, ShowChanges, ShowProblems, ShowProgress, Finished, Failed>;
using Effects = std::vector<Effect>;

struct Config {
  wire::Hello hello;
  std::chrono::milliseconds connect = std::chrono::seconds(30);  ///< --contimeout: until welcome or wait
  std::chrono::milliseconds idle = wire::kIdle;                  ///< without any reply
  std::chrono::milliseconds repeat_hello =
      std::chrono::milliseconds(100);  ///< from one hello to the next at least
};

class Client {
 public:
  explicit Client(Config config);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // From the transport.
  [[nodiscard]] Effects start(Time now);  ///< sockets are connecting
  [[nodiscard]] Effects on_connected(Time now);
  [[nodiscard]] Effects on_reply(wire::Reply reply, Time now);
  [[nodiscard]] Effects on_credit(const wire::DataHead& head, Time now);
  [[nodiscard]] Effects on_malformed(const Error& error, Time now);
  [[nodiscard]] Effects on_disconnected(const std::string& reason, Time now);
  [[nodiscard]] Effects on_tick(Time now);
  [[nodiscard]] Time next_deadline() const;

  // From the source.
  [[nodiscard]] bool list_room() const;  ///< the window has room for a list message
  /// Numbers are filled in. Directories only when the welcome offers it.
  [[nodiscard]] Effects list_ready(wire::FileListEncoder::Encoded encoded, Time now);
  [[nodiscard]] Effects list_ready(wire::DirectoryList directories, Time now);
  [[nodiscard]] Effects digests_ready(std::vector<wire::DigestRow> rows, Time now);
  [[nodiscard]] Effects file_failed(wire::Fail fail, Time now);
  /// Whether credit covers a data message with these segments and payload now.
  [[nodiscard]] bool data_room(std::size_t table_bytes, std::size_t payload_bytes) const;
  /// Numbers it and takes it from the credit. Requires: data_room(). The caller sends it, in this order.
  [[nodiscard]] wire::DataHead number_data(std::vector<wire::Segment> segments, std::size_t payload_bytes,
                                           Time now);

  // From the user.
  [[nodiscard]] Effects plan_accepted(Time now);
  [[nodiscard]] Effects plan_refused(std::uint8_t exit_code, Time now);  ///< bye, then Failed{refused_plan}
  [[nodiscard]] Effects interrupt(std::uint8_t exit_code, Time now);     ///< bye, then Failed{interrupted}

  [[nodiscard]] const std::optional<wire::Welcome>& welcome() const;
  /// One line on what the session waits for, for a stall report.
  [[nodiscard]] std::string state_text() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace client
}  // namespace ssync::session
