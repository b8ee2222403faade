#include "ssync/mirror/sync.h"

#include <unistd.h>

#include <atomic>
#include <exception>
#include <system_error>
#include <utility>

#include "ssync/base/overflow_queue.h"
#include "ssync/base/text.h"
#include "ssync/base/thread.h"
#include "ssync/scanner/scanner.h"
#include "ssync/wire/limits.h"

#include "decider.h"
#include "sync_context.h"

namespace ssync::mirror {
namespace {

// Blocks go to the decider in batches: one by one, each would wake it.
constexpr std::size_t kBlocksAtOnce = 16;
constexpr std::size_t kEntriesAtOnce = 1024;

scanner::Options scan_options(const SyncRequest& request, ThreadCounts threads) {
  scanner::Options scanning;
  scanning.threads = threads.busy;
  scanning.threads_waiting = threads.waiting;
  scanning.role = index::Role::mirror;
  scanning.digest_kind = request.options.digest_kind;
  scanning.believe_names = !request.options.reads_content();
  scanning.leave_out = request.leave_out;
  scanning.other_root = request.other_root;
  if (!request.options.only_shows() && ::geteuid() != 0) scanning.make_readable_for = ::geteuid();
  return scanning;
}

transfer::Receiver::Options receiver_options(const SyncRequest& request, ThreadCounts threads) {
  transfer::Receiver::Options receive;
  receive.writers = threads.busy;
  receive.durable = request.durable ? store::Durable::yes : store::Durable::no;
  receive.attributes = request.attributes;
  return receive;
}

wire::ErrorCode code_of(const Error& error) {
  // With an errno, it is this machine that failed and not the peer, whatever Errc the errno was translated
  // to.
  if (error.sys_errno != 0)
    return error.code == Errc::no_space ? wire::ErrorCode::no_space : wire::ErrorCode::io;
  switch (error.code) {
    case Errc::protocol:
    case Errc::invalid_argument:
      return wire::ErrorCode::protocol;
    case Errc::permission:  // without an errno: what the client may not, as Quota says
      return wire::ErrorCode::rights;
    case Errc::limit:
      return wire::ErrorCode::limit;
    case Errc::no_space:
      return wire::ErrorCode::no_space;
    case Errc::refused:  // by the scan (scanner::Options::other_root), or OwnNames
      return wire::ErrorCode::overlap;
    default:
      return wire::ErrorCode::io;
  }
}

}  // namespace

struct Sync::Impl {
  Impl(Parts parts, SyncRequest request, const Capacities& capacities, EventFd& wake, Observer& observer)
      : plain_index(parts.index),
        header_after(std::move(parts.header_after)),
        context(parts, std::move(request), capacities, wake, observer),
        threads(capacities.threads),
        list_in(context.queues.list),
        inbox_in(context.queues.inbox) {
    const auto signal = [&wake] { wake.signal(); };
    context.queues.list.on_space(signal);
    context.queues.inbox.on_space(signal);
    context.queues.outputs.on_item(signal);
    receiver = std::make_unique<transfer::Receiver>(context.tree, context.staging,
                                                    receiver_options(context.request, threads),
                                                    context.queues.receive_events);
  }

  void start();
  void start_threads();
  void stop() noexcept;
  void join();

  void scan();
  [[nodiscard]] Result<void> scan_tree();
  [[nodiscard]] Result<void> commit_index();
  void remove_leftovers();
  void decide();
  void report_end(Error error);
  [[nodiscard]] Result<void> finish_index();
  [[nodiscard]] Result<void> keep_record();

  index::Index& plain_index;  ///< the scan's, until it has ended
  const index::Header header_after;
  SyncContext context;
  const ThreadCounts threads;
  OverflowQueue<ListBatch> list_in;
  OverflowQueue<InboxItem> inbox_in;
  std::atomic<bool> stopped{false};

  std::unique_ptr<scanner::Scanner> scanner;
  std::unique_ptr<content::ContentReaders> readers;
  std::unique_ptr<transfer::Receiver> receiver;
  std::unique_ptr<Sealer> sealer;
  Thread scan_thread;
  Thread decider_thread;
};

void Sync::Impl::start() {
  context.tree.will_sync(context.request.durable && !context.request.options.only_shows());
  try {
    start_threads();
  } catch (const std::system_error&) {
    (void)context.queues.outputs.push(
        wire::ErrorReply{wire::ErrorCode::limit, true, "no more threads can be started on the server"});
  }
}

void Sync::Impl::start_threads() {
  const SyncRequest& request = context.request;
  Queues& queues = context.queues;
  scanner = std::make_unique<scanner::Scanner>(context.tree, plain_index, scan_options(request, threads));
  readers = std::make_unique<content::ContentReaders>(
      context.tree, threads, queues.content_jobs, [&queues](content::ContentResult result) {
        (void)queues.inbox.push(std::move(result));  // false: the decider has ended
      });
  sealer = std::make_unique<Sealer>(context);
  scan_thread = Thread([this] { scan(); });       // ends with the tree, or when its queue is closed
  decider_thread = Thread([this] { decide(); });  // ends after its last word, or when its queues are closed
}

void Sync::Impl::stop() noexcept {
  if (stopped.exchange(true)) return;
  if (scanner) scanner->stop();
  if (readers) readers->stop();
  receiver->stop();
  context.queues.close();
}

void Sync::Impl::join() {
  if (scan_thread.joinable()) scan_thread.join();
  if (decider_thread.joinable()) decider_thread.join();
  readers.reset();
  receiver.reset();
  if (sealer && sealer->finish()) {  // what a cut sync published is not read again by the next one
    (void)context.index.with([](index::Index& index) { return index.flush_log(index::Index::Durable::no); });
  }
  context.tree.will_sync(false);
}

/// The mirror queue gets all blocks, then nullopt; or the error that ended the scan.
void Sync::Impl::scan() {
  Result<void> outcome;
  try {
    outcome = scan_tree();
    if (outcome) outcome = commit_index();
    if (outcome) remove_leftovers();
  } catch (const std::exception& error) {
    outcome = fail(Errc::io, std::string("scanning the mirror: ") + error.what());
  }
  (void)context.queues.mirror.push(outcome ? MirrorItem(std::nullopt)
                                           : MirrorItem(tl::unexpected(std::move(outcome).error())));
}

Result<void> Sync::Impl::scan_tree() {
  std::vector<ScanBlock> batch;
  std::size_t entries = 0;
  const auto hand_over = [&]() -> Result<void> {
    entries = 0;
    if (batch.empty()) return {};
    return put(context.queues.mirror, MirrorItem(std::exchange(batch, {})));
  };
  for (;;) {
    Result<std::optional<ScanBlock>> block = scanner->next();
    if (!block) {
      SSYNC_TRY_VOID(hand_over());
      return tl::unexpected(std::move(block).error());
    }
    if (!*block) return hand_over();
    for (const Problem& problem : (*block)->problems) {
      if (auto lost = fs::lost_behind(context.tree, problem)) return fail(*std::move(lost));
    }
    entries += (*block)->entries.size();
    batch.push_back(std::move(**block));
    if (batch.size() >= kBlocksAtOnce || entries >= kEntriesAtOnce) SSYNC_TRY_VOID(hand_over());
  }
}

/// The new base is in place before anything is decided: from then on the index belongs to the decider and the
/// sealer.
Result<void> Sync::Impl::commit_index() {
  index::Header header = header_after;
  header.source_id = plain_index.header().source_id;
  header.synced_count = plain_index.header().synced_count;
  const Result<void> committed = scanner->commit_index(header);
  if (committed) return {};
  if (committed.error().code == Errc::invalid_argument)
    return fail(ssync::context(committed.error(), "writing the index"));
  plain_index.note_trouble(committed.error());  // the old one stays, and is still true
  return {};
}

/// What a killed server staged, or one that could not remove it: the scan came across it anyway.
void Sync::Impl::remove_leftovers() {
  if (context.request.options.only_shows() || !context.request.has_lock) return;
  for (const scanner::Leftover& found : scanner->take_leftovers()) {
    if (context.staging.owns(found.name)) continue;
    const Result<bool> removed = fs::remove_abandoned(context.tree, {found.location, found.name});
    if (!removed)
      context.observer.warning(
          ssync::context(removed.error(), "removing what an earlier sync staged (the next one tries again)")
              .text());
    else if (*removed)
      context.observer.notice("Removed what an earlier sync staged: " +
                              printable({found.location, found.name}));
  }
}

void Sync::Impl::decide() {
  Result<void> outcome;
  try {
    Decider decider(context, *receiver, [this]() -> Result<Sealed> {
      SSYNC_TRY_VOID(finish_index());
      return sealer->take();
    });
    outcome = decider.run();
  } catch (const std::exception& error) {
    outcome = fail(Errc::io, std::string("deciding: ") + error.what());
  }
  if (!outcome) report_end(std::move(outcome).error());
}

/// Tells the client why the sync ended early; also when a part that gave up closed a queue. Not when the sync
/// was stopped: whoever did that knows.
void Sync::Impl::report_end(Error error) {
  if (stopped.load()) return;
  error = fs::lost_or(context.tree, std::move(error));
  if (error.code == Errc::lost)
    error = ssync::context(std::move(error), "the mirror " + escape(header_after.root_path));
  wire::ErrorReply reply;
  reply.code = code_of(error);
  // A mirror that is gone comes back when somebody mounts it, not when it is asked for often.
  const bool is_final = reply.code == wire::ErrorCode::protocol || reply.code == wire::ErrorCode::overlap ||
                        reply.code == wire::ErrorCode::rights;
  reply.retry = !is_final && error.code != Errc::lost;
  reply.text = error.text();
  if (reply.text.size() > wire::kTextBytesMax) reply.text.resize(wire::kTextBytesMax);
  (void)context.queues.outputs.push(std::move(reply));
}

/// After the last change: first what was sealed is written, and then that a sync of this source ended well.
Result<void> Sync::Impl::finish_index() {
  SSYNC_TRY_VOID(sealer->finish());
  if (context.request.options.only_shows())
    return context.index.with([](index::Index& index) { return index.flush_log(index::Index::Durable::no); });
  SSYNC_TRY_VOID(keep_record());
  return context.index.with([this](index::Index& index) -> Result<void> {
    index::Header header = index.header();
    header.source_id = header_after.source_id;
    header.attributes = header_after.attributes;
    header.attributes_known = header_after.attributes_known;
    header.attributes_type = header_after.attributes_type;
    header.attributes_volume = header_after.attributes_volume;
    header.attributes_uid = header_after.attributes_uid;
    const bool first = header.synced_count == 0;
    header.synced_count = 1;  // whether, not how often: an idle sync must not write
    if (first || !(header == index.header())) SSYNC_TRY_VOID(index.append_header(header));
    return index.flush_log(context.request.durable ? index::Index::Durable::yes : index::Index::Durable::no);
  });
}

/// Keeps with the mirror whose it is, for whichever machine opens it next.
Result<void> Sync::Impl::keep_record() {
  if (context.request.epoch.empty()) return {};
  const fs::MirrorRecord now{header_after.source_id, true, context.request.epoch};
  const std::optional<fs::MirrorRecord>& before = context.request.record;
  if (before && before->source_id == now.source_id && before->synced) return {};
  return fs::write_mirror_record(context.tree, now);
}

Sync::Sync(Parts parts, SyncRequest request, const Capacities& capacities, EventFd& wake, Observer& observer)
    : impl_(std::make_unique<Impl>(std::move(parts), std::move(request), capacities, wake, observer)) {}

Sync::~Sync() {
  stop();
  impl_->join();
}

void Sync::start() {
  impl_->start();
}

void Sync::list_rows(std::uint64_t number, RowBatch batch) {
  impl_->list_in.put({number, std::move(batch)});
}

void Sync::list_directories(std::uint64_t number, std::vector<DirectorySum> rows, bool last) {
  impl_->list_in.put({number, DirectoryBatch{std::move(rows), last}});
}

void Sync::digests(std::vector<wire::DigestRow> rows) {
  impl_->inbox_in.put(ClientDigests{std::move(rows)});
}

void Sync::file_failed(const wire::Fail& failure) {
  impl_->receiver->fail(failure.row, failure);
}

void Sync::plan_acknowledged() {
  impl_->inbox_in.put(PlanAcknowledged{});
}

Result<void> Sync::data(wire::DataHead head, Buffer payload) {
  return impl_->receiver->accept(std::move(head), std::move(payload));
}

std::uint64_t Sync::list_taken() const noexcept {
  return impl_->context.returned.list_messages();
}

std::uint64_t Sync::take_credit() noexcept {
  return impl_->context.returned.take_credit();
}

std::optional<session::server::Output> Sync::poll_output() {
  return impl_->context.queues.outputs.try_pop();
}

void Sync::flush() {
  impl_->list_in.flush();
  impl_->inbox_in.flush();
}

session::server::Progress Sync::progress() const {
  const SharedProgress& now = impl_->context.progress;
  return {now.reason.load(std::memory_order_relaxed), now.done.load(std::memory_order_relaxed),
          now.total.load(std::memory_order_relaxed)};
}

void Sync::stop() noexcept {
  impl_->stop();
}

}  // namespace ssync::mirror
