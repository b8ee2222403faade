// The server's side of one client's session, from welcome on. It knows its two peers, what was asked and what
// was said; the sessions around it are server.cc. State table: proto-spec/02 §4.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>

#include "ssync/session/server.h"

#include "credit.h"

namespace ssync::session::server {

class Conversation {
 public:
  /// Whose it is.
  struct Who {
    SessionKey key = 0;
    Peer control = 0;
    std::uint32_t hello_seq = 0;
    Ids ids;
  };
  /// `config` and `credit` are the server's and outlive it.
  Conversation(const Config& config, CreditPool& credit, const Who& who, Time now);

  /// Both are empty once that connection is lost.
  [[nodiscard]] std::optional<Peer> control() const { return control_; }
  [[nodiscard]] std::optional<Peer> data() const { return data_; }
  /// It is over: `last_word().text` says why, unless it is complete; the owner closes.
  [[nodiscard]] bool ended() const { return ended_; }
  [[nodiscard]] bool completed() const { return completed_; }
  /// It ended as the client wished (bye, or the last acknowledgement): the client hangs up by itself.
  [[nodiscard]] bool left() const { return left_; }
  [[nodiscard]] const wire::ErrorReply& last_word() const { return last_word_; }

  void welcome(wire::Welcome welcome, Effects& out, Time now);
  void request(wire::Request request, Effects& out, Time now);
  /// True when the payload is this session's id.
  [[nodiscard]] bool attach(Peer peer, const wire::DataHead& head, std::span<const std::byte> id,
                            Effects& out, Time now);
  void data_message(wire::DataHead head, std::size_t head_bytes, Buffer payload, Effects& out, Time now);
  void list_taken(std::uint64_t number, Effects& out);
  void output(Output output, Effects& out);
  [[nodiscard]] bool output_room() const { return outputs_.size() < config_.outputs_max; }
  void credit_returned(std::uint64_t bytes, Effects& out, Time now);
  void progress(const Progress& progress) { progress_ = progress; }
  void tick(Effects& out, Time now);
  [[nodiscard]] Time next_deadline() const;
  void control_disconnected();
  void data_disconnected(Effects& out);
  /// Says the error as the reply to every open request, and ends; the first end is the one that counts.
  void fail(wire::ErrorReply error, Effects& out);
  void fail(wire::ErrorCode code, bool retry, std::string text, Effects& out) {
    fail(wire::ErrorReply{code, retry, std::move(text)}, out);
  }

 private:
  void on(wire::DirectoryList& list, std::uint32_t seq, Effects& out);
  void on(wire::FileList& list, std::uint32_t seq, Effects& out);
  /// Whether a list message with this number may come now; else the session has failed.
  [[nodiscard]] bool take_list(std::uint64_t number, std::uint32_t seq, Effects& out);
  void on(wire::Next& next, std::uint32_t seq, Effects& out, Time now);
  void on(wire::Digests& digests, std::uint32_t seq, Effects& out);
  void on(wire::Fail& failed, std::uint32_t seq, Effects& out);
  void on(wire::Bye& bye, std::uint32_t seq, Effects& out);
  void answer_next(Effects& out);
  void reply(std::uint32_t seq, wire::ReplyBody body, Effects& out);
  void answer_open(const wire::ErrorReply& error, Effects& out);
  /// The error is the reply to the request `seq` too, which is not among those kept as open.
  void fail_request(std::uint32_t seq, wire::ErrorCode code, bool retry, std::string text, Effects& out);
  void leave(bool completed, std::string reason);
  void send_credit(Effects& out, Time now);

  const Config& config_;
  CreditPool& credit_pool_;
  const SessionKey key_;
  const Ids ids_;
  std::optional<Peer> control_;
  std::optional<Peer> data_;
  std::uint32_t seq_;                        ///< of the latest request
  std::optional<std::uint32_t> open_hello_;  ///< until welcome
  bool ended_ = false;
  bool left_ = false;
  bool completed_ = false;
  wire::ErrorReply last_word_;

  struct List {
    std::uint64_t next = 0;      ///< number expected
    std::uint64_t next_row = 0;  ///< row id expected
    bool complete = false;
    bool sums_offered = false;
    bool by_sums = false;            ///< it is of directories; rows come as they are asked for
    bool rows_asked = false;         ///< some were
    std::deque<std::uint32_t> open;  ///< seqs of its messages without their ok, from number next - size
  };
  List list_;

  // `next`
  struct OpenNext {
    std::uint32_t seq = 0;
    Time since;
  };
  std::optional<OpenNext> open_next_;
  std::deque<Output> outputs_;
  std::uint64_t said_ = 0;  ///< number of the last numbered reply
  std::uint64_t plan_number_ = 0;
  bool proceeding_ = false;
  std::uint64_t done_number_ = 0;
  Progress progress_;
  bool error_queued_ = false;  ///< the sync said an error: nothing follows it

  // what was asked for and is not answered, as counts: which rows is the sync's business
  std::uint64_t digests_open_ = 0;
  std::uint64_t files_asked_ = 0, files_failed_ = 0;

  // data
  std::optional<CreditGrant> credit_;  ///< from attach on
  std::uint64_t data_number_ = 0;
  std::uint64_t credit_number_ = 0;
  Time credit_sent_;

  Time last_heard_;
  Time greeted_at_;
};

}  // namespace ssync::session::server
