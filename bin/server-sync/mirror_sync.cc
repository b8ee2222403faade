#include "mirror_sync.h"

#include <unistd.h>

#include <exception>
#include <utility>

#include "ssync/base/text.h"
#include "ssync/wire/limits.h"

namespace ssync::server_program {
namespace {

// A directory at a time would wake the decider for each.
constexpr std::size_t kBlocksAtOnce = 16;
constexpr std::size_t kEntriesAtOnce = 1024;

wire::ErrorCode code_of(const Error& error) {
  // What the system said is no word of the peer's, whatever its number is taken for elsewhere.
  if (error.sys_errno != 0)
    return error.code == Errc::no_space ? wire::ErrorCode::no_space : wire::ErrorCode::io;
  switch (error.code) {
    case Errc::protocol:
    case Errc::invalid_argument:
      return wire::ErrorCode::protocol;
    case Errc::limit:
      return wire::ErrorCode::limit;
    case Errc::no_space:
      return wire::ErrorCode::no_space;
    case Errc::refused:  // by the scan: scanner::Options::other_root
      return wire::ErrorCode::overlap;
    default:
      return wire::ErrorCode::io;
  }
}

}  // namespace

MirrorSync::MirrorSync(fs::Tree& tree, fs::Staging& staging, index::Index& index, index::Header header_after,
                       SyncRequest request, Capacities capacities, EventFd& wake, Report& report)
    : tree_(tree),
      staging_(staging),
      plain_index_(index),
      index_(index),
      header_after_(std::move(header_after)),
      request_(std::move(request)),
      capacities_(capacities),
      wake_(wake),
      report_(report),
      list_(capacities.list_batches),
      mirror_(capacities.mirror_blocks),
      inbox_(capacities.inbox),
      content_jobs_(capacities.content_jobs),
      receive_events_(capacities.receive_events),
      seal_items_(capacities.seal_items),
      outputs_(capacities.outputs),
      list_in_(list_),
      inbox_in_(inbox_) {
  const auto signal = [this] { wake_.signal(); };
  list_.on_space(signal);
  inbox_.on_space(signal);
  outputs_.on_item(signal);
}

MirrorSync::~MirrorSync() {
  stop();
  if (scan_thread_.joinable()) scan_thread_.join();
  if (decider_thread_.joinable()) decider_thread_.join();
  readers_.reset();
  receiver_.reset();
  if (sealer_ && sealer_->finish()) {  // what a cut sync published is not read again by the next one
    (void)index_.with([](index::Index& index) { return index.flush_log(index::Index::Durable::no); });
  }
  tree_.will_sync(false);
}

void MirrorSync::start() {
  tree_.will_sync(request_.durable && !request_.only_shows());
  scanner::Options scanning;
  scanning.role = index::Role::mirror;
  scanning.digest_kind = request_.options.digest_kind;
  scanning.believe_names = !request_.options.compare_content && !request_.options.verify;
  scanning.leave_out = request_.leave_out;
  scanning.other_root = request_.other_root;
  if (!request_.only_shows() && ::geteuid() != 0) scanning.make_readable_for = ::geteuid();
  scanner_ = std::make_unique<scanner::Scanner>(tree_, plain_index_, scanning);
  readers_ = std::make_unique<content::ContentReaders>(
      tree_, 2, content_jobs_, [this](content::ContentResult result) {
        (void)inbox_.push(std::move(result));  // false: the decider has ended
      });
  transfer::Receiver::Options receive;
  receive.durable = request_.durable ? store::Durable::yes : store::Durable::no;
  receive.attributes = request_.attributes;
  receiver_ = std::make_unique<transfer::Receiver>(tree_, staging_, receive, receive_events_);
  sealer_ = std::make_unique<Sealer>(
      tree_, index_, digest_,
      Sealer::Options{request_.attributes, request_.options.compare_content || request_.options.verify},
      seal_items_);
  scan_thread_ = std::jthread([this] { scan(); });  // ends with the tree, or when mirror_ is closed
  decider_thread_ =
      std::jthread([this] { decide(); });  // ends after its last word, or when its queues are closed
}

void MirrorSync::scan() {
  try {
    std::vector<ScanBlock> batch;
    std::size_t entries = 0;
    const auto hand_over = [&] {
      entries = 0;
      return batch.empty() || mirror_.push(MirrorItem(std::exchange(batch, {})));
    };
    for (;;) {
      Result<std::optional<ScanBlock>> block = scanner_->next();
      if (block && *block) {
        for (const Problem& problem : (*block)->problems) {
          if (auto lost = fs::lost_behind(tree_, problem)) {
            block = fail(*std::move(lost));
            break;
          }
        }
      }
      if (block && *block) {
        entries += (*block)->entries.size();
        batch.push_back(std::move(**block));
        if ((batch.size() >= kBlocksAtOnce || entries >= kEntriesAtOnce) && !hand_over()) return;
        continue;
      }
      if (!hand_over()) return;
      if (!block) {
        (void)mirror_.push(MirrorItem(tl::unexpected(block.error())));
        return;
      }
      // The new base is in place before anything is decided: from here on the index belongs to the decider
      // and the sealer.
      index::Header header = header_after_;
      header.source_id = plain_index_.header().source_id;
      header.synced_count = plain_index_.header().synced_count;
      if (Result<void> committed = scanner_->commit_index(header); !committed) {
        if (committed.error().code == Errc::invalid_argument) {
          (void)mirror_.push(MirrorItem(tl::unexpected(context(committed.error(), "writing the index"))));
          return;
        }
        plain_index_.note_trouble(committed.error());  // the old one stays, and is still true
      }
      remove_leftovers();
      (void)mirror_.push(MirrorItem(std::nullopt));
      return;
    }
  } catch (const std::exception& error) {
    (void)mirror_.push(MirrorItem(fail(Errc::io, std::string("scanning the mirror: ") + error.what())));
  }
}

/// What a killed server staged, or one that could not remove it: the scan came across it anyway.
void MirrorSync::remove_leftovers() {
  if (request_.only_shows() || !request_.has_lock) return;
  for (const scanner::Leftover& found : scanner_->take_leftovers()) {
    if (staging_.owns(found.name)) continue;
    const Result<bool> removed = fs::remove_abandoned(tree_, {found.location, found.name});
    if (!removed)
      report_.warning(
          context(removed.error(), "removing what an earlier sync staged (the next one tries again)").text());
    else if (*removed)
      report_.notice("Removed what an earlier sync staged: " + printable({found.location, found.name}));
  }
}

void MirrorSync::decide() {
  Result<void> outcome;
  try {
    Decider decider(
        tree_, staging_, index_, request_, capacities_,
        DeciderQueues{list_, mirror_, inbox_, content_jobs_, receive_events_, seal_items_, outputs_},
        *receiver_, report_, progress_,
        [this](std::uint64_t number) {
          list_taken_.store(number + 1, std::memory_order_release);
          wake_.signal();
        },
        [this](std::uint64_t bytes) {
          credit_.fetch_add(bytes, std::memory_order_acq_rel);
          wake_.signal();
        },
        digest_,
        [this]() -> Result<std::vector<Problem>> {
          SSYNC_TRY_VOID(finish_index());
          return sealer_->take_problems();
        });
    outcome = decider.run();
  } catch (const std::exception& error) {
    outcome = fail(Errc::io, std::string("deciding: ") + error.what());
  }
  if (!outcome) report_end(outcome.error());
}

/// Also when a queue was closed by a part that gave up: only who stopped the sync need not be told.
void MirrorSync::report_end(Error error) {
  if (stopped_.load()) return;
  error = fs::lost_or(tree_, std::move(error));
  if (error.code == Errc::lost)
    error = context(std::move(error), "the mirror " + escape(header_after_.root_path));
  wire::ErrorReply reply;
  reply.code = code_of(error);
  // A mirror that is gone comes back when somebody mounts it, not when it is asked for often.
  const bool is_final = reply.code == wire::ErrorCode::protocol || reply.code == wire::ErrorCode::overlap;
  reply.retry = !is_final && error.code != Errc::lost;
  reply.text = error.text();
  if (reply.text.size() > wire::kTextBytesMax) reply.text.resize(wire::kTextBytesMax);
  (void)outputs_.push(std::move(reply));
}

/// After the last change: what was sealed is on disk, then that this source's sync ended well.
Result<void> MirrorSync::finish_index() {
  SSYNC_TRY_VOID(sealer_->finish());
  if (request_.only_shows())
    return index_.with([](index::Index& index) { return index.flush_log(index::Index::Durable::no); });
  SSYNC_TRY_VOID(keep_record());
  return index_.with([this](index::Index& index) -> Result<void> {
    index::Header header = index.header();
    header.source_id = header_after_.source_id;
    header.attributes = header_after_.attributes;
    header.attributes_known = header_after_.attributes_known;
    header.attributes_type = header_after_.attributes_type;
    header.attributes_volume = header_after_.attributes_volume;
    header.attributes_uid = header_after_.attributes_uid;
    const bool first = header.synced_count == 0;
    header.synced_count = 1;  // whether, not how often: an idle sync must not write
    if (first || !(header == index.header())) SSYNC_TRY_VOID(index.append_header(header));
    return index.flush_log(request_.durable ? index::Index::Durable::yes : index::Index::Durable::no);
  });
}

/// Whose mirror it is, for whoever opens it next, from wherever.
Result<void> MirrorSync::keep_record() {
  if (request_.epoch.empty()) return {};
  const fs::MirrorRecord now{header_after_.source_id, true, request_.epoch};
  const std::optional<fs::MirrorRecord>& before = request_.record;
  if (before && before->source_id == now.source_id && before->synced) return {};
  return fs::write_mirror_record(tree_, now);
}

void MirrorSync::list(ListBatch batch) {
  list_in_.put(std::move(batch));
}

void MirrorSync::digests(std::vector<wire::DigestRow> rows) {
  inbox_in_.put(ClientDigests{std::move(rows)});
}

void MirrorSync::file_failed(const wire::Fail& failure) {
  receiver_->fail(failure.row, failure);
}

void MirrorSync::plan_acknowledged() {
  inbox_in_.put(PlanAcknowledged{});
}

Result<void> MirrorSync::data(wire::DataHead head, Buffer payload) {
  return receiver_->accept(std::move(head), std::move(payload));
}

void MirrorSync::flush() {
  list_in_.flush();
  inbox_in_.flush();
}

session::server::Progress MirrorSync::progress() const {
  return {progress_.reason.load(std::memory_order_relaxed), progress_.done.load(std::memory_order_relaxed),
          progress_.total.load(std::memory_order_relaxed)};
}

void MirrorSync::stop() noexcept {
  if (stopped_.exchange(true)) return;
  if (scanner_) scanner_->stop();
  if (readers_) readers_->stop();
  if (receiver_) receiver_->stop();
  list_.close();
  mirror_.close();
  inbox_.close();
  content_jobs_.close();
  receive_events_.close();
  outputs_.close();
  seal_items_.close();
}

}  // namespace ssync::server_program
