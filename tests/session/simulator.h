// Real Client machines against a real Server machine over a network that is made up: time jumps from event to
// event, every delay, loss, stall and restart is drawn from one seed. What both programs do beside the
// conversation is a model: a source is a list of numbers of bytes, the mirror what was delivered of it.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "ssync/session/client.h"
#include "ssync/session/server.h"

namespace ssync::session::simulator {

using std::chrono::milliseconds;

/// What a source holds: the size of each file, by row. Row 0 is the root. A file that vanished cannot be
/// sent.
struct Source {
  std::vector<std::uint64_t> sizes;
  std::vector<bool> vanished;
};
/// What the mirrors hold of each client's source: row and size.
using Mirror = std::map<std::uint8_t, std::map<RowId, std::uint64_t>>;

/// Virtual time. Events of one time run in the order in which they were asked for.
class Calendar {
 public:
  void at(Time when, std::function<void()> what) { events_.emplace(when, std::move(what)); }
  void in(milliseconds delay, std::function<void()> what) { at(now_ + delay, std::move(what)); }
  [[nodiscard]] Time now() const { return now_; }
  /// False: nothing is left to happen.
  bool step();

 private:
  Time now_{std::chrono::hours(1)};
  std::multimap<Time, std::function<void()>> events_;
};

/// What comes in while a program stalls is kept in its order.
class Inbox {
 public:
  explicit Inbox(Calendar& calendar) : calendar_(calendar) {}
  void run(std::function<void()> what);
  void stall(milliseconds duration);
  /// Drops what is kept: it holds the host that holds this.
  void clear() { kept_.clear(); }

 private:
  void drain();

  Calendar& calendar_;
  Time stalled_until_{};
  std::deque<std::function<void()>> kept_;
};

class ServerHost;
class ClientHost;

class World {
 public:
  explicit World(std::uint64_t seed);
  ~World();
  /// Until every source is mirrored; empty when all went well, else what is wrong.
  std::string run();

  Calendar calendar;
  Mirror mirror;
  std::shared_ptr<ServerHost> server;
  std::vector<std::shared_ptr<ClientHost>> clients;
  std::vector<std::string> mirrors;  ///< that the server has
  std::size_t syncs_max = 0;

  [[nodiscard]] std::uint64_t pick(std::uint64_t below) { return random_() % below; }
  [[nodiscard]] bool chance(std::uint64_t percent) { return pick(100) < percent; }
  /// While there is trouble left, sometimes; the world calms down, so that every run ends.
  [[nodiscard]] bool trouble(std::uint64_t per_mille);
  /// Most messages take milliseconds, some a second or more.
  [[nodiscard]] milliseconds delay();
  void complain(const std::string& what);
  [[nodiscard]] bool broken() const { return !complaint_.empty(); }
  [[nodiscard]] Peer new_peer() { return ++peers_; }
  /// The server program ends and starts again: everybody's connections break.
  void restart_server();
  /// A mirror goes, and is there again later.
  void take_mirror_away();

 private:
  std::mt19937_64 random_;
  std::string complaint_;
  Peer peers_ = 0;
  std::vector<std::shared_ptr<ServerHost>> stopped_;  ///< the calendar may still have something for them
  int trouble_left_;
};

/// One direction of a connection: messages arrive in order, each some time after it was sent.
class Channel {
 public:
  explicit Channel(World& world) : world_(world) {}
  void send(std::function<void()> arrive);

 private:
  World& world_;
  Time last_{};
};

/// A client's two sockets and what flows in them. Broken: nothing arrives any more, but each end learns of it
/// later, the server perhaps never.
struct Link {
  Link(World& world, Peer control_peer, Peer data_peer);
  Peer control, data;
  Channel control_up, control_down, data_up, data_down;
  bool broken = false;
  std::weak_ptr<ClientHost> client;
  std::uint64_t attempt = 0;
};

/// The server program: the machine, and a sync that lists, asks, plans, requests, takes data and is done.
class ServerHost : public std::enable_shared_from_this<ServerHost> {
 public:
  explicit ServerHost(World& world);
  void start();  ///< its ticks
  void request(const std::shared_ptr<Link>& link, wire::Frames frames);
  void data(const std::shared_ptr<Link>& link, wire::DataHead head, std::size_t payload_bytes,
            wire::SessionId id);
  void set_mirrors();  ///< the world's
  /// Somebody who keeps no rule, or says hello and is never heard of again, on connections of its own.
  void intrude();
  void stall(milliseconds duration) { inbox_.stall(duration); }
  void dissolve() { inbox_.clear(); }
  void stop();
  [[nodiscard]] bool stopped() const { return stopped_; }

 private:
  struct Sync {
    Sync(World& world, SessionKey session) : key(session), work(world) {}
    const SessionKey key;
    Channel work;  ///< what it does takes time, one thing after the other
    std::string mirror;
    Peer control = 0;
    std::uint8_t client = 0;
    std::vector<std::uint64_t> rows;
    std::vector<RowId> wanted;
    std::map<RowId, std::uint64_t> arriving;
    std::size_t files_open = 0, requested = 0, questions_open = 0;
    std::uint64_t unreturned = 0;
    bool failed = false;  ///< it has said its error
    bool listed = false, proceeded = false;
    std::deque<server::Output> outputs;
  };

  /// Runs `what` here when the program is not stalled, unless it was stopped meanwhile.
  void turn(std::function<void()> what);
  void later(Sync& sync, std::function<void(Sync&)> what);  ///< in this sync, if it is still open then
  [[nodiscard]] std::shared_ptr<Sync> find(SessionKey key) const;
  [[nodiscard]] bool is_open(const Sync& sync) const { return find(sync.key).get() == &sync; }
  void carry_out(server::Effects effects);
  void on(server::SendReply& effect);
  void on(server::SendCredit& effect);
  void on(server::Kick& effect);
  void on(server::OpenSync& effect);
  void on(server::Attached&) {}
  void on(server::StartScan& effect);
  void on(server::ListRows& effect);
  void on(server::ListDirectories& effect);
  void on(server::DigestRows& effect);
  void on(server::FileFailed& effect);
  void on(server::Proceed& effect);
  void on(server::Deliver& effect);
  void on(server::CloseSync& effect);
  void on(server::Notice&) {}
  void intrude_now(Peer peer);
  void compare(Sync& sync);
  void plan(Sync& sync);
  void request_files(Sync& sync);
  void file_ended(Sync& sync, RowId row);
  void say(Sync& sync, server::Output output);
  void pump(Sync& sync);
  void lost(Peer peer);
  void tick();
  /// Nobody is kept without a reply for longer than is allowed, nor without a turn that is free.
  void check_patience();

  /// A request that arrived.
  struct Asked {
    Time at;
    bool replied = false;
    bool waits_for_turn = false;  ///< a hello, until its sync is opened
    bool polls = false;           ///< a next
    std::string mirror;
  };

  World& world_;
  server::Server machine_;
  std::map<SessionKey, std::shared_ptr<Sync>> syncs_;
  Time turns_changed_{};  ///< when a sync was opened or closed, or a mirror came or went
  std::map<Peer, std::shared_ptr<Link>> links_;
  std::map<Peer, std::map<std::uint32_t, Asked>> asked_;
  std::uint8_t ids_ = 0;
  std::size_t intruders_ = 0;
  Inbox inbox_;
  bool stopped_ = false;
};

/// The client program: syncs its source until it is told that it is mirrored; starts again after each
/// failure.
class ClientHost : public std::enable_shared_from_this<ClientHost> {
 public:
  ClientHost(World& world, std::uint8_t number, std::string mirror, Source source);
  void start();
  void reply(std::uint64_t attempt, wire::Reply reply);
  void credit(std::uint64_t attempt, wire::DataHead head);
  void lost(std::uint64_t attempt);
  void stall(milliseconds duration) { inbox_.stall(duration); }
  void dissolve() { inbox_.clear(); }
  [[nodiscard]] bool done() const { return done_; }
  [[nodiscard]] std::string state() const;
  [[nodiscard]] const Source& source() const { return source_; }
  [[nodiscard]] std::uint8_t number() const { return number_; }
  [[nodiscard]] const std::string& mirror() const { return mirror_; }
  void break_link();

 private:
  void turn(std::uint64_t attempt, std::function<void()> what);
  void carry_out(client::Effects effects);
  void on(client::Send& effect);
  void on(client::SendData& effect);
  void on(client::StartList& effect);
  void on(client::Waiting&) {}
  void on(client::HashFiles& effect);
  void on(client::ListDirectories& effect);
  void on(client::ReadFiles& effect);
  void on(client::ShowPlan& effect);
  void on(client::ShowChanges&) {}
  void on(client::ShowProblems&) {}
  void on(client::ShowProgress&) {}
  void on(client::Finished& effect);
  void on(client::Failed& effect);
  void pump();
  void pump_list();
  void pump_files();
  void tick(std::uint64_t attempt);
  void hang_up();

  World& world_;
  const std::uint8_t number_;
  const std::string mirror_;
  const Source source_;
  std::unique_ptr<client::Client> machine_;
  std::unique_ptr<wire::FileListEncoder> encoder_;
  std::shared_ptr<Link> link_;
  std::uint64_t attempt_ = 0;
  std::size_t listed_ = 0;
  bool listing_ = false, over_ = true, done_ = false;
  std::deque<RowId> to_send_;
  std::uint64_t sent_of_file_ = 0;
  Inbox inbox_;
};

}  // namespace ssync::session::simulator
