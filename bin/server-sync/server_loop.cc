#include "server_loop.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <exception>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "ssync/base/assert.h"
#include "ssync/base/host.h"
#include "ssync/base/leave_anyway.h"
#include "ssync/base/random.h"
#include "ssync/base/text.h"
#include "ssync/store/applier.h"
#include "ssync/store/probe.h"

namespace ssync::server_program {
namespace {

using session::server::Server;
using Clock = std::chrono::steady_clock;

constexpr auto kTickMax = std::chrono::milliseconds(100);
/// Messages handled before the other sources have their turn.
constexpr int kBurst = 64;
/// Who waits for a file system that does not answer is left behind.
constexpr auto kLeaveAfter = std::chrono::seconds(10);

session::server::Ids random_ids() {
  session::server::Ids ids;
  fill_random(ids.session);
  fill_random(std::as_writable_bytes(std::span(&ids.tag, 1)));
  return ids;
}

wire::ErrorReply error_reply(wire::ErrorCode code, bool retry, std::string text) {
  if (text.size() > wire::kTextBytesMax) text.resize(wire::kTextBytesMax);
  return {code, retry, std::move(text)};
}

wire::ErrorReply silent_reply() {
  return error_reply(wire::ErrorCode::io, false, "the mirror's file system does not answer");
}

bool contains(const std::vector<fs::DirectoryId>& chain, std::uint64_t device, std::uint64_t inode) {
  return std::any_of(chain.begin(), chain.end(),
                     [&](const fs::DirectoryId& id) { return id.device == device && id.inode == inode; });
}

}  // namespace

struct ServerLoop::Aside {
  std::function<void()> then;
  Clock::time_point since = Clock::now();
  bool opens = false;
  bool abandoned = false;
  std::atomic<bool> done{false};
  std::jthread thread;  ///< ends when its work is done
};

struct ServerLoop::Opened {
  SyncRequest request;
  index::Header header;
  std::optional<wire::NodeId> root;  ///< for a client on this machine
  std::vector<std::string> notes;
};

ServerLoop::ServerLoop(const Options& options, fs::Root root, net::ServerTransport& transport,
                       Signals& signals, EventFd& wake, Report& report, Capacities capacities)
    : options_(options),
      root_(std::move(root)),
      transport_(transport),
      signals_(signals),
      wake_(wake),
      report_(report),
      capacities_(capacities),
      session_(session::server::Config{"server-sync " SSYNC_VERSION}, random_ids) {}

ServerLoop::~ServerLoop() = default;

Result<ExitCode> ServerLoop::run() {
  while (!stopping_)
    SSYNC_TRY_VOID(turn());
  leave_anyway(kLeaveAfter, ExitCode::interrupted, "server-sync: the mirror's file system does not answer");
  carry_out(session_.shutdown(Clock::now()));
  if (aside_) {
    aside_->thread.join();
    take_aside();
  }
  sync_.reset();
  if (staging_) (void)staging_->remove();
  staging_.reset();
  return ExitCode::interrupted;
}

Result<void> ServerLoop::turn() {
  const auto now = Clock::now();
  const auto until = std::clamp<std::chrono::nanoseconds>(session_.next_deadline() - now,
                                                          std::chrono::milliseconds(0), kTickMax);
  const std::array<int, 2> fds{wake_.fd(), signals_.fd()};
  SSYNC_TRY(const net::Ready ready,
            transport_.wait(std::chrono::ceil<std::chrono::milliseconds>(until), fds, true));
  if (ready.fds.at(1)) take_signals();
  if (ready.fds.at(0)) wake_.drain();
  if (ready.control) SSYNC_TRY_VOID(take_control());
  if (ready.data) SSYNC_TRY_VOID(take_data());
  take_aside();
  watch_root();
  take_sync();
  for (const std::string& text : transport_.take_notices())
    report_.warning(text);
  carry_out(session_.on_tick(Clock::now()));
  return {};
}

void ServerLoop::take_signals() {
  const Signals::Taken taken = signals_.take();
  if (taken.reopen_logs) report_.reopen();
  if (taken.end) stopping_ = true;
}

Result<void> ServerLoop::take_control() {
  for (int i = 0; i < kBurst; ++i) {
    SSYNC_TRY(std::optional<net::ControlMessage> message, transport_.receive_control());
    if (!message) return {};
    const std::uint32_t seq = wire::seq_of(message->frames.head.bytes());
    Result<wire::Request> request = wire::decode_request(std::move(message->frames));
    carry_out(request ? session_.on_request(message->peer, std::move(*request), Clock::now())
                      : session_.on_malformed(message->peer, seq, request.error(), Clock::now()));
  }
  return {};
}

Result<void> ServerLoop::take_data() {
  for (int i = 0; i < kBurst; ++i) {
    SSYNC_TRY(std::optional<net::DataMessage> message, transport_.receive_data());
    if (!message) return {};
    Result<wire::DataHead> head = wire::decode_data(message->head.bytes(), message->payload.bytes().size());
    if (!head) {
      carry_out(session_.on_malformed_data(message->peer, head.error(), Clock::now()));
      continue;
    }
    const std::size_t head_bytes = message->head.bytes().size();
    const std::size_t payload_bytes = message->payload.bytes().size();
    payload_ = std::move(message->payload);
    carry_out(session_.on_data(message->peer, std::move(*head), head_bytes, payload_bytes, payload_.bytes(),
                               Clock::now()));
    payload_ = Buffer();
  }
  return {};
}

/// What the running sync has to say.
void ServerLoop::take_sync() {
  if (!sync_) return;
  sync_->flush();
  while (sync_ && list_announced_ < sync_->list_taken())
    carry_out(session_.list_taken(list_announced_++, Clock::now()));
  if (!sync_) return;
  if (const std::uint64_t bytes = sync_->take_credit(); bytes > 0)
    carry_out(session_.credit_returned(bytes, Clock::now()));
  while (sync_ && session_.output_room()) {
    std::optional<session::server::Output> output = sync_->poll_output();
    if (!output) break;
    if (const auto* done = std::get_if<wire::SyncDone>(&*output)) done_ = *done;
    carry_out(session_.output(std::move(*output), Clock::now()));
  }
  if (sync_) session_.progress(sync_->progress());
}

void ServerLoop::carry_out(Effects effects) {
  for (session::server::Effect& effect : effects)
    std::visit([this](auto& what) { on(what); }, effect);
}

void ServerLoop::on(session::server::SendReply& effect) {
  if (!transport_.send_control(effect.peer, wire::encode(effect.reply)))
    carry_out(session_.on_lost(effect.peer, Clock::now()));
}

void ServerLoop::on(session::server::SendCredit& effect) {
  if (!transport_.send_data(effect.peer, wire::encode(effect.head), Buffer()))
    carry_out(session_.on_lost(effect.peer, Clock::now()));
}

void ServerLoop::on(session::server::Kick& effect) {
  report_.notice(fmt::format("Disconnecting {}: {}", transport_.address_of(effect.peer), effect.reason));
  transport_.kick(effect.peer);
}

void ServerLoop::on(session::server::OpenSync& effect) {
  if (aside_) {  // abandoned, and still on its way
    carry_out(session_.refused(silent_reply(), Clock::now()));
    return;
  }
  aside(
      [this, hello = effect.hello] {
        tl::expected<Opened, wire::ErrorReply> result = open_sync(hello);
        if (result) {
          opened_ = std::make_unique<Opened>(std::move(*result));
        } else {
          refused_ = std::move(result.error());
        }
      },
      [this, peer = effect.peer, hello = effect.hello] { opened(peer, hello); });
  aside_->opens = true;
}

void ServerLoop::opened(session::Peer peer, const wire::Hello& hello) {
  if (!opened_) {
    wire::ErrorReply why = *std::exchange(refused_, std::nullopt);
    report_.notice(fmt::format("Refused {}: {}", transport_.address_of(peer), why.text));
    staging_.reset();
    index_.reset();
    carry_out(session_.refused(std::move(why), Clock::now()));
    return;
  }
  const std::unique_ptr<Opened> opened = std::move(opened_);
  report_.sync_started(transport_.address_of(peer), hello.source_id);
  started_ = Clock::now();
  done_.reset();
  list_announced_ = 0;
  const wire::SyncOptions& options = opened->request.options;
  session::server::Opening opening;
  opening.attributes = opened->request.attributes;
  opening.synced_before = opened->request.synced_before;
  // A mirror that holds nothing yet, or whose content is compared, needs every row.
  opening.directory_sums = index_->header().synced_count > 0 && !options.compare_content && !options.verify;
  opening.root = opened->root;
  opening.notes = std::move(opened->notes);
  for (const std::string& note : opening.notes)
    report_.notice(note);
  sync_ = std::make_unique<MirrorSync>(root_.tree(), *staging_, *index_, std::move(opened->header),
                                       std::move(opened->request), capacities_, wake_, report_);
  carry_out(session_.opened(opening, Clock::now()));
}

void ServerLoop::on(session::server::StartScan&) {
  if (sync_) sync_->start();
}

void ServerLoop::on(session::server::ListRows& effect) {
  if (sync_) sync_->list({effect.number, std::move(effect.batch)});
}

void ServerLoop::on(session::server::ListDirectories& effect) {
  if (sync_) sync_->list({effect.number, DirectoryBatch{std::move(effect.rows), effect.last}});
}

void ServerLoop::on(session::server::DigestRows& effect) {
  if (sync_) sync_->digests(std::move(effect.rows));
}

void ServerLoop::on(session::server::FileFailed& effect) {
  if (sync_) sync_->file_failed(effect.fail);
}

void ServerLoop::on(session::server::Proceed&) {
  if (sync_) sync_->plan_acknowledged();
}

void ServerLoop::on(session::server::Deliver& effect) {
  if (!sync_) return;
  const Result<void> taken = sync_->data(std::move(effect.head), std::move(payload_));
  if (!taken)
    carry_out(
        session_.output(error_reply(wire::ErrorCode::protocol, false, taken.error().text()), Clock::now()));
}

void ServerLoop::on(session::server::CloseSync& effect) {
  const double seconds = std::chrono::duration<double>(Clock::now() - started_).count();
  if (sync_) sync_->stop();
  aside(
      [this, sync = std::shared_ptr<MirrorSync>(std::move(sync_))]() mutable {
        sync.reset();  // joins
        close_down();
      },
      [this, seconds, effect] {
        if (effect.completed && done_) {
          report_.sync_done(done_->stats, done_->tree_digest, seconds);
        } else {
          report_.sync_aborted(effect.reason);
        }
        carry_out(session_.closed(Clock::now()));
      });
}

/// What an opened sync leaves.
void ServerLoop::close_down() {
  if (staging_) {
    if (const Result<void> removed = staging_->remove(); !removed)
      report_.warning(context(removed.error(), "removing staging (the next sync tries again)").text());
  }
  staging_.reset();
  if (done_ && index_) {
    tell_index_trouble();
    known_source_ = index_->header().source_id.empty() ? known_source_ : index_->header().source_id;
  }
  index_.reset();
}

// ---- what may wait for a disk
// -------------------------------------------------------------------------------------------------

void ServerLoop::aside(std::function<void()> work, std::function<void()> then) {
  SSYNC_ASSERT(!aside_);
  aside_ = std::make_unique<Aside>();
  aside_->then = std::move(then);
  Aside& now = *aside_;
  now.thread = std::jthread([this, &now, what = std::move(work)]() mutable {
    try {
      what();
    } catch (const std::exception& error) {
      refused_ = error_reply(wire::ErrorCode::internal, true, error.what());
    }
    what = nullptr;
    now.done.store(true);
    wake_.signal();
  });
}

void ServerLoop::take_aside() {
  if (!aside_ || !aside_->done.load()) {
    if (aside_ && !aside_->abandoned && aside_->opens && Clock::now() - aside_->since >= wire::kIdle)
      abandon_aside();
    return;
  }
  const std::unique_ptr<Aside> done = std::move(aside_);
  if (done->thread.joinable()) done->thread.join();
  if (!done->abandoned) return done->then();
  opened_.reset();
  refused_.reset();
  close_down();
}

void ServerLoop::abandon_aside() {
  aside_->abandoned = true;
  report_.warning(silent_reply().text);
  carry_out(aside_->opens ? session_.refused(silent_reply(), Clock::now()) : session_.closed(Clock::now()));
}

/// A mirror that is gone, or somebody else's, ends the sync also while every thread waits for it.
void ServerLoop::watch_root() {
  if (aside_ && (aside_->opens || aside_->abandoned)) return;  // the root is being opened
  std::optional<Error> trouble = root_.trouble();
  if (!trouble) return;
  if (aside_) return abandon_aside();
  if (!sync_) return;
  const Error why = context(*std::move(trouble), "the mirror " + escape(root_.absolute_path()));
  carry_out(session_.output(error_reply(wire::ErrorCode::io, false, why.text()), Clock::now()));
}

void ServerLoop::on(session::server::Notice& effect) {
  report_.notice(effect.text);
}

// ---- opening a sync
// -------------------------------------------------------------------------------------------------

/// A deploy may have swapped the link that DIR is, or somebody replaced the directory: the new one is locked
/// before the old one is let go.
Result<void> ServerLoop::reopen_root() {
  if (root_.still_at_path() && !root_.trouble() && root_.tree().look_at_root()) return {};
  root_.give_up();
  SSYNC_TRY(fs::Root fresh, fs::Root::open(options_.directory, fs::Root::Lock::yes));
  root_ = std::move(fresh);
  return {};
}

tl::expected<ServerLoop::Opened, wire::ErrorReply> ServerLoop::open_sync(const wire::Hello& hello) {
  const auto io = [this](const Error& error, std::string_view what) {
    const Error why = fs::lost_or(root_.tree(), context(error, what));
    return tl::unexpected(error_reply(wire::ErrorCode::io, why.code != Errc::lost, why.text()));
  };
  if (Result<void> reopened = reopen_root(); !reopened) return io(reopened.error(), "the mirror's directory");
  // What cannot be done is said by who comes to it.
  if (!hello.options.dry_run && !hello.options.verify)
    static_cast<void>(fs::make_accessible(root_.absolute_path()));
  Result<std::vector<fs::DirectoryId>> chain = root_.ancestry();
  if (!chain) return io(chain.error(), "the mirror's directory");
  const bool is_here = hello.host == boot_fingerprint() && hello.host != std::array<std::byte, 16>{};
  if (is_here) {
    const wire::NodeId source = hello.ancestry.front();
    const bool nested =
        contains(*chain, source.device, source.inode) ||
        std::any_of(hello.ancestry.begin(), hello.ancestry.end(), [&](const wire::NodeId& node) {
          return node.device == chain->front().device && node.inode == chain->front().inode;
        });
    if (nested) {
      return tl::unexpected(error_reply(wire::ErrorCode::overlap, false,
                                        "the source and the mirror are the same directory, or one is inside "
                                        "the other; choose a directory outside"));
    }
  }
  index_.emplace(index::Index::open_or_none(options_.state_dir, index::Role::mirror, root_.absolute_path()));
  if (!index_->trouble().empty()) tell_index_trouble();
  for (const std::string& damage : index_->damage())
    report_.warning(damage);

  Result<std::optional<fs::MirrorRecord>> kept = kept_record();
  if (!kept) return io(kept.error(), "reading whose mirror it is");
  const index::Header& before = index_->header();
  Result<RootIdentity> identity = root_.identity();
  if (!identity) return io(identity.error(), "the mirror's directory");
  if (is_on_another_disk(*identity) && !options_.accept_root) {
    return tl::unexpected(error_reply(
        wire::ErrorCode::io, true,
        "the mirror's directory is on another file system than at the last sync (a disk that is not "
        "mounted?): nothing was changed. If it is right, start server-sync with --accept-root"));
  }
  // Without an index, what this process knows since it was started.
  const std::string& source = before.source_id.empty() ? known_source_ : before.source_id;
  const fs::MirrorRecord record =
      kept->value_or(fs::MirrorRecord{source, before.synced_count > 0, std::string()});
  const std::string& known = record.source_id;
  if (!known.empty() && known != hello.source_id && !options_.take_over) {
    return tl::unexpected(
        error_reply(wire::ErrorCode::source, false,
                    fmt::format("this mirror belongs to source '{}', not to '{}': start server-sync with "
                                "--take-over to let the new source have it, or give the client "
                                "the --source-id that the mirror knows",
                                escape(known), escape(hello.source_id))));
  }
  staging_ = std::make_unique<fs::Staging>(root_.tree(), root_.epoch());
  Opened opened;
  Result<index::Header> header = header_after(*index_, hello, opened.notes);
  if (!header)
    return io(header.error(), "finding out what the mirror " + escape(root_.absolute_path()) + " can hold");
  opened.header = std::move(*header);
  opened.request.options = hello.options;
  opened.request.attributes = opened.header.attributes;
  if (!hello.has_owner) opened.request.attributes.owner = false;
  opened.request.server_max_delete = options_.max_delete;
  opened.request.durable = options_.fsync || hello.options.durable;
  if (options_.log_file) opened.request.leave_out = root_.paths_of(*options_.log_file);
  if (index::holds_only_state(options_.state_dir)) {
    for (std::string& path : root_.paths_of(options_.state_dir))
      opened.request.leave_out.push_back(std::move(path));
  }
  if (is_here) {
    opened.request.other_root = fs::DirectoryId{hello.ancestry.front().device, hello.ancestry.front().inode};
    opened.root = wire::NodeId{chain->front().device, chain->front().inode};
  }
  opened.request.synced_before = record.synced;
  opened.request.epoch = root_.epoch();
  opened.request.has_lock = root_.locked() || !root_.epoch().empty();
  opened.request.record = *std::move(kept);
  return opened;
}

/// A mirror's disk that is not mounted must not be made anew below its mount point.
bool ServerLoop::is_on_another_disk(const RootIdentity& now) const {
  const index::Header& header = index_->header();
  if (!index_->exists() || header.synced_count == 0 || header.root.type == 0) return false;
  // Only what is known for certain: an index from before the levels were kept says nothing here.
  return header.root.levels != 0 && !on_same_file_system(header.root, now) &&
         !is_led_elsewhere(header.root, now);
}

void ServerLoop::tell_index_trouble() {
  const auto news = index_trouble_.take(index_->trouble());
  if (news && news->is_over) report_.notice(news->text);
  if (news && !news->is_over) report_.warning(news->text);
}

/// What stands with the mirror, where others may have written it. It is worth more than our own index, which
/// knows nothing of them.
Result<std::optional<fs::MirrorRecord>> ServerLoop::kept_record() {
  if (root_.epoch().empty()) return std::optional<fs::MirrorRecord>();
  Result<std::optional<fs::MirrorRecord>> kept = fs::read_mirror_record(root_.tree());
  if (kept || kept.error().code != Errc::corrupt) return kept;
  report_.warning(kept.error().text() + ": whose mirror it is, is taken from this server's index");
  return std::optional<fs::MirrorRecord>();
}

/// The index's header as it will be when this sync ended well: whose mirror it is, and what it can hold
/// (probed when that is not known).
Result<index::Header> ServerLoop::header_after(index::Index& index, const wire::Hello& hello,
                                               std::vector<std::string>& notes) {
  index::Header header = index.header();
  SSYNC_TRY(const fs::Volume volume, root_.tree().volume());
  SSYNC_TRY(header.root, root_.identity());
  header.role = index::Role::mirror;
  header.root_path = root_.absolute_path();
  header.source_id = hello.source_id;
  const bool same_volume = header.attributes_known && header.attributes_type == volume.type &&
                           header.attributes_volume == volume.id && header.attributes_uid == ::geteuid();
  if (same_volume) return header;
  const bool writes = !hello.options.dry_run && !hello.options.verify;
  if (!writes) {
    header.attributes = Attributes{};
    header.attributes.owner = ::geteuid() == 0;
    header.attributes_known = false;
    return header;
  }
  SSYNC_TRY(header.attributes, store::probe_attributes(root_.tree(), *staging_, notes));
  SSYNC_TRY_VOID(staging_->remove());
  header.attributes_known = true;
  header.attributes_type = volume.type;
  header.attributes_volume = volume.id;
  header.attributes_uid = ::geteuid();
  return header;
}

}  // namespace ssync::server_program
