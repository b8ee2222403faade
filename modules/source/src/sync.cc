#include "sync.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "ssync/base/text.h"

#include "failed.h"

namespace ssync::source {
namespace {

using session::client::Client;
using session::client::Failed;
using Clock = std::chrono::steady_clock;

constexpr auto kTickMax = std::chrono::milliseconds(100);

session::client::Config config_of(wire::Hello hello, std::chrono::milliseconds connect) {
  session::client::Config config;
  config.hello = std::move(hello);
  config.connect = connect;
  return config;
}

}  // namespace

Sync::Sync(const Options& options, Work work, Stop& stop, Observer& observer)
    : options_(options),
      work_(std::move(work)),
      stop_(stop),
      observer_(observer),
      session_(config_of(work_.hello, work_.connect)),
      lists_(options.capacities.lists) {}

Sync::~Sync() {
  if (feed_) feed_->stop();
  if (answers_) answers_->stop();
  if (uploads_) uploads_->stop();
  lists_.close();
  uploads_.reset();
  answers_.reset();
  feed_.reset();
  list_.reset();
  transport_.reset();  // before the buffers that it may still hold
}

Result<Outcome> Sync::run() {
  SSYNC_TRY(EventFd wake, EventFd::create());
  wake_.emplace(std::move(wake));
  const auto signal = [this] { wake_->signal(); };
  lists_.on_item(signal);
  answers_ = std::make_unique<Answers>(work_.tree, options_.capacities, signal);
  uploads_ = std::make_unique<Uploads>(work_.tree, options_.capacities, signal);
  started_ = Clock::now();
  SSYNC_TRY(transport_, work_.transport());
  carry_out(session_.start(Clock::now()));
  while (!outcome_)
    SSYNC_TRY_VOID(round());
  observer_.progress_ended();
  return *outcome_;
}

Result<void> Sync::round() {
  const auto now = Clock::now();
  const auto tick = answers_->open() ? Answers::kWait : kTickMax;
  const auto until = std::clamp<std::chrono::nanoseconds>(session_.next_deadline() - now,
                                                          std::chrono::milliseconds(0), tick);
  const std::array<int, 3> fds{wake_->fd(), stop_.fd(), stop_.watched_fd()};
  SSYNC_TRY(const net::Ready ready, transport_->wait(std::chrono::ceil<std::chrono::milliseconds>(until),
                                                     std::span(fds).first(stop_.watched_fd() < 0 ? 2 : 3)));
  if (ready.fds.at(0)) wake_->drain();
  if (ready.fds.size() > 2 && ready.fds.at(2)) stop_.take_watched();
  if (stop_.is_set()) {
    carry_out(session_.interrupt(static_cast<std::uint8_t>(ExitCode::interrupted), Clock::now()));
    return {};
  }
  if (!connected_ && transport_->connected()) {
    connected_ = true;
    carry_out(session_.on_connected(Clock::now()));
  }
  while (ready.control && !outcome_) {
    SSYNC_TRY(std::optional<wire::Frames> frames, transport_->receive_control());
    if (!frames) break;
    tally_.traffic.received += frames->bytes();
    Result<wire::Reply> reply = wire::decode_reply(std::move(*frames));
    carry_out(reply ? session_.on_reply(std::move(*reply), Clock::now())
                    : session_.on_malformed(reply.error(), Clock::now()));
  }
  while (ready.data && !outcome_) {
    SSYNC_TRY(std::optional<net::DataMessage> message, transport_->receive_data());
    if (!message) break;
    tally_.traffic.received += message->head.bytes().size() + message->payload.bytes().size();
    Result<wire::DataHead> head = wire::decode_data(message->head.bytes(), message->payload.bytes().size());
    carry_out(head ? session_.on_credit(*head, Clock::now())
                   : session_.on_malformed(head.error(), Clock::now()));
  }
  if (ready.disconnected && !outcome_) {
    carry_out(session_.on_disconnected(transport_->disconnect_reason(), Clock::now()));
    if (outcome_ && transport_->is_refused()) {
      outcome_->retry = false;
      outcome_->code = ExitCode::start;
    }
  }
  // Asked in this thread, so that it is noticed even while every thread that reads the source hangs in it.
  if (const auto trouble = work_.trouble(); trouble && !outcome_) local_failure(*trouble);
  if (!outcome_) pump();
  if (!outcome_) carry_out(session_.on_tick(Clock::now()));
  return {};
}

void Sync::pump() {
  if (!list_) return;
  pump_lists();
  if (!outcome_) pump_asked_rows();
  if (!outcome_) pump_answers();
  if (!outcome_) uploads_->pump(*list_);
  if (!outcome_) pump_chunks();
  if (!list_complete_ && list_->listed() > 0) observer_.listing(list_->listed());
}

void Sync::pump_lists() {
  while (!outcome_) {
    if (!next_list_) next_list_ = lists_.try_pop();
    if (!next_list_) return;
    if (!*next_list_) return local_failure(next_list_->error());
    if (!session_.list_room()) return;
    Listing::Message message = std::move(**next_list_);
    next_list_.reset();
    if (std::visit([](const auto& part) { return part.last; }, message)) {
      list_complete_ = true;
      for (const Problem& problem : feed_->take_problems()) {
        if (!problem.warning) tally_.own_problems = true;
        observer_.problem(problem);
      }
    }
    std::visit([this](auto& part) { carry_out(session_.list_ready(std::move(part), Clock::now())); },
               message);
  }
}

void Sync::pump_asked_rows() {
  if (!list_complete_) return;  // until then they are its thread's
  for (; !to_list_.empty() && !outcome_; to_list_.pop_front()) {
    if (Result<void> asked = list_->asked_rows().ask(to_list_.front()); !asked)
      return carry_out(session_.on_malformed(asked.error(), Clock::now()));
  }
  while (!outcome_ && session_.list_room()) {
    auto encoded = list_->asked_rows().next();
    if (!encoded) return local_failure(encoded.error());
    if (!*encoded) return;
    carry_out(session_.list_ready(std::move(**encoded), Clock::now()));
  }
}

void Sync::pump_answers() {
  while (!outcome_) {
    if (const Result<void> read = answers_->pump(*list_); !read) return local_failure(read.error());
    std::vector<wire::DigestRow> rows = answers_->take_due();
    if (rows.empty()) return;
    carry_out(session_.digests_ready(std::move(rows), Clock::now()));
  }
}

void Sync::pump_chunks() {
  while (!outcome_) {
    if (next_data_.message && !send_pending()) return;
    if (!feed_->has_room()) return;
    if (!next_data_.chunk) next_data_.chunk = uploads_->next();
    if (!next_data_.chunk) return;
    if (auto* failure = std::get_if<transfer::ReadFailure>(&*next_data_.chunk)) {
      if (failure->lost) return local_failure(*failure->lost);
      wire::Fail fail;
      fail.row = failure->row;
      fail.vanished = failure->problem.vanished;
      fail.sys_errno = failure->problem.sys_errno;
      fail.text = failure->problem.text;
      next_data_.chunk.reset();
      carry_out(session_.file_failed(std::move(fail), Clock::now()));
      continue;
    }
    auto& chunk = std::get<transfer::Chunk>(*next_data_.chunk);
    std::size_t table = 0;
    for (const wire::Segment& segment : chunk.segments)
      table += wire::table_bytes(segment);
    const std::size_t payload_bytes = chunk.payload.bytes().size();
    if (!session_.data_room(table, payload_bytes)) return;
    const wire::DataHead head = session_.number_data(std::move(chunk.segments), payload_bytes, Clock::now());
    next_data_.message.emplace();
    next_data_.message->head = wire::encode(head);
    next_data_.message->payload = std::move(chunk.payload);
    next_data_.finished = std::move(chunk.finished);
    tally_.file_bytes_sent += payload_bytes;
    next_data_.chunk.reset();
  }
}

/// Hands the numbered message to the socket; false: it takes nothing just now.
bool Sync::send_pending() {
  const std::size_t bytes =
      next_data_.message->head.bytes().size() + next_data_.message->payload.bytes().size();
  const Result<bool> taken = transport_->send_data(next_data_.message->head, next_data_.message->payload);
  if (!taken) {
    carry_out(session_.on_disconnected(taken.error().text(), Clock::now()));
    return false;
  }
  if (!*taken) return false;
  next_data_.message.reset();
  tally_.traffic.sent += bytes;
  finished_files(std::exchange(next_data_.finished, {}));
  return true;
}

void Sync::finished_files(const std::vector<transfer::SentFile>& files) {
  for (const transfer::SentFile& file : files) {
    ++tally_.files_sent;
    const Result<void> kept = list_->sent(file.row, file.values, file.checksum,
                                          file.exact ? std::optional(file.seen) : std::nullopt);
    if (!kept) return local_failure(kept.error());
  }
  observer_.sending(tally_.files_sent, tally_.file_bytes_sent, tally_.plan.value_or(PlanTotals{}));
}

void Sync::carry_out(Effects effects) {
  for (session::client::Effect& effect : effects) {
    if (outcome_) return;
    std::visit([this](auto& what) { on(what); }, effect);
  }
}

void Sync::on(session::client::Send& effect) {
  tally_.traffic.sent += effect.frames.bytes();
  const Result<void> sent = transport_->send_control(std::move(effect.frames));
  if (!sent) carry_out(session_.on_disconnected(sent.error().text(), Clock::now()));
}

void Sync::on(session::client::SendData& effect) {
  next_data_.message.emplace();
  next_data_.message->head = std::move(effect.head);
  next_data_.message->payload = std::move(effect.payload);
  (void)send_pending();  // false: pump_chunks() tries again
}

void Sync::on(session::client::StartList& effect) {
  const wire::Welcome& welcome = effect.welcome;
  observer_.connected(welcome.program, welcome.synced_before);
  for (const std::string& note : welcome.notes)
    observer_.notice(note);
  Feed::Options scan;
  scan.digest_kind = options_.sync.digest_kind;
  scan.with_digests = options_.eager_digest;
  scan.reads_content = options_.sync.reads_content();
  scan.accept_missing_mounts = options_.accept_root;
  scan.leave_out = work_.leave_out;
  if (welcome.root) scan.other_root = fs::DirectoryId{welcome.root->device, welcome.root->inode};
  Listing::Options list;
  list.attributes = welcome.attributes;
  list.compare_content = scan.reads_content;
  if (options_.eager_digest) list.eager_digest = options_.sync.digest_kind;
  list.directory_sums = welcome.directory_sums && !list.compare_content && !list.eager_digest;
  feed_ = std::make_unique<Feed>(work_.tree, work_.index, work_.header, scan);
  list_ = std::make_unique<Listing>(work_.tree, *feed_, list, lists_);
  feed_->add(*list_);
  feed_->start();
}

void Sync::on(session::client::Waiting& effect) {
  observer_.notice(effect.place == 0
                       ? fmt::format("Waiting: {}", effect.reason)
                       : fmt::format("Waiting: {} (place {} in the queue)", effect.reason, effect.place));
}

void Sync::on(session::client::HashFiles& effect) {
  for (const wire::DigestQuery& query : effect.rows) {
    if (!asked_row(query.row, query.location, query.name)) return;
    if (!is_first_time(query.row, query.digest ? Served::What::digest : Served::What::checksum)) return;
    answers_->ask(query.row, query.digest ? std::optional(options_.sync.digest_kind) : std::nullopt);
  }
}

void Sync::on(session::client::ListDirectories& effect) {
  for (wire::AskedDirectory& directory : effect.rows) {
    // While the list is made nobody looks at them, and a server could name one for ever.
    if (!to_list_.empty() && directory.directory <= to_list_.back().directory) {
      return carry_out(session_.on_malformed(
          Error{Errc::protocol, fmt::format("the server asked for directory {} after {}", directory.directory,
                                            to_list_.back().directory)},
          Clock::now()));
    }
    to_list_.push_back(std::move(directory));
  }
}

void Sync::on(session::client::ReadFiles& effect) {
  for (const wire::RequestRow& row : effect.rows) {
    if (!asked_row(row.row, row.location, row.name)) return;
    if (!is_first_time(row.row, Served::What::file)) return;
    uploads_->request(row.row, row.any_content);
  }
}

void Sync::on(session::client::ShowPlan& effect) {
  tally_.plan = effect.plan.totals;
  observer_.plan(effect.plan);
  // What --max-delete keeps is withheld, and everything else done.
  const bool holds = effect.plan.guard != Guard::none && effect.plan.guard != Guard::max_delete;
  const bool stops = holds && !options_.sync.only_shows();
  if (holds) observer_.guard_holds(effect.plan, stops);
  carry_out(stops ? session_.plan_refused(static_cast<std::uint8_t>(ExitCode::max_delete), Clock::now())
                  : session_.plan_accepted(Clock::now()));
}

void Sync::on(session::client::ShowChanges& effect) {
  observer_.changes(effect.rows);
}

void Sync::on(session::client::ShowProblems& effect) {
  for (const Problem& problem : effect.rows) {
    list_->leave_out(problem);
    // What this end could not read it has said already, with the reason.
    const std::optional<Snapshot::View> row = list_->row(problem.row);
    const bool own = row && row->values.kind == Kind::unreadable;
    if (!own) observer_.problem(problem);
  }
}

void Sync::on(session::client::ShowProgress& effect) {
  observer_.waiting(effect.wait);
}

void Sync::on(session::client::Finished& effect) {
  const wire::SyncDone& done = effect.done;
  const SyncStats& stats = done.stats;
  if (Result<void> kept = work_.index.flush_log(index::Index::Durable::no); !kept)
    return local_failure(kept.error());
  const std::string digest = list_->tree_digest();
  bool equal = digest == done.tree_digest;
  // Digests leave out what could not be read or compared, and what is on one end alone.
  if (options_.sync.verify) equal = equal && done.complete && stats.problems == 0 && !tally_.own_problems;
  const scanner::Counts counts = feed_->counts();
  observer_.sync_done({done,
                       digest,
                       equal,
                       {counts.unmirrored.attributes, counts.unmirrored.acls, counts.unmirrored.capabilities,
                        counts.hard_links, stats.plan.specials, counts.reserved},
                       tally_.traffic,
                       std::chrono::duration<double>(Clock::now() - started_).count()});
  Outcome outcome;
  outcome.done = true;
  outcome.reached = true;
  if (options_.sync.verify) {
    if (!equal) outcome.code = ExitCode::partial;
    return over(outcome);
  }
  if (!equal && !options_.sync.dry_run) {
    observer_.error(fmt::format("the mirror is not equal to the source after this sync: source {}, mirror {}",
                                digest, done.tree_digest));
    outcome.code = ExitCode::partial;
  } else if (stats.problems > 0 || tally_.own_problems) {
    outcome.code = ExitCode::partial;
  } else if (stats.vanished > 0) {
    outcome.code = ExitCode::vanished;
  } else if (stats.deletes_withheld > 0) {
    observer_.error(
        fmt::format("{} entries would be deleted, more than --max-delete allows: nothing was deleted",
                    with_commas(stats.plan.deletes)));
    outcome.code = ExitCode::max_delete;
  }
  over(outcome);
}

void Sync::on(session::client::Failed& effect) {
  Outcome outcome;
  outcome.code = code_of(effect);
  outcome.retry = effect.retry;
  outcome.reached = session_.welcome().has_value() || effect.why == Failed::Why::server_error;
  outcome.server_gone = effect.why == Failed::Why::connection || effect.why == Failed::Why::connect_timeout ||
                        effect.why == Failed::Why::idle_timeout || effect.code == wire::ErrorCode::shutdown ||
                        effect.code == wire::ErrorCode::busy;
  outcome.text = effect.text;
  over(std::move(outcome));
}

std::optional<Snapshot::View> Sync::asked_row(RowId id, std::string_view location, std::string_view name) {
  const std::optional<Snapshot::View> row = list_->row(id);
  if (row && row->values.kind == Kind::file && row->location == location && row->name == name) return row;
  carry_out(session_.on_malformed(
      Error{Errc::protocol,
            fmt::format("the server asked for row {} ('{}'), which is no file that was listed", id,
                        printable({location, name}))},
      Clock::now()));
  return std::nullopt;
}

bool Sync::is_first_time(RowId row, Served::What what) {
  if (served_.take(row, what)) return true;
  carry_out(session_.on_malformed(
      Error{Errc::protocol, fmt::format("the server asked for row {} again and again", row)}, Clock::now()));
  return false;
}

void Sync::local_failure(const Error& error) {
  // What failed is told below; the server hears goodbye, and need not wait for us to be missed.
  for (session::client::Effect& effect :
       session_.interrupt(static_cast<std::uint8_t>(ExitCode::file), Clock::now())) {
    if (auto* const bye = std::get_if<session::client::Send>(&effect)) on(*bye);
  }
  Outcome outcome;
  // Refused is a scan that came upon the mirror: scanner::Options::other_root.
  outcome.code = error.code == Errc::refused ? ExitCode::selection : ExitCode::file;
  outcome.reached = true;  // it is not the server that is missing
  outcome.text = error.code == Errc::lost
                     ? context(error, "the source " + escape(work_.header.root_path)).text()
                     : error.text();
  over(std::move(outcome));
}

void Sync::over(Outcome outcome) {
  if (outcome_) return;
  if (const auto& plan = tally_.plan)
    outcome.left_to_do =
        plan->requests + plan->created + plan->copies + plan->renames + plan->metadata + plan->deletes;
  outcome.bytes_sent = tally_.file_bytes_sent;
  outcome_ = std::move(outcome);
}

}  // namespace ssync::source
