#include "ssync/mirror/mirror.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "ssync/base/host.h"
#include "ssync/base/text.h"
#include "ssync/fs/mirror_record.h"
#include "ssync/fs/path.h"
#include "ssync/fs/staging.h"
#include "ssync/fs/tree.h"
#include "ssync/index/index.h"
#include "ssync/index/trouble.h"
#include "ssync/scanner/own_paths.h"
#include "ssync/store/probe.h"
#include "ssync/wire/limits.h"

namespace ssync::mirror {
namespace {

bool contains(const std::vector<fs::DirectoryId>& chain, std::uint64_t device, std::uint64_t inode) {
  return std::any_of(chain.begin(), chain.end(),
                     [&](const fs::DirectoryId& id) { return id.device == device && id.inode == inode; });
}

}  // namespace

wire::ErrorReply error_reply(wire::ErrorCode code, bool retry, std::string text) {
  if (text.size() > wire::kTextBytesMax) text.resize(wire::kTextBytesMax);
  return {code, retry, std::move(text)};
}

namespace {

class RootMirror final : public Mirror {
 public:
  RootMirror(Options options, fs::Root root, Observer& observer)
      : options_(std::move(options)), root_(std::move(root)), observer_(&observer) {}
  ~RootMirror() override {
    if (staging_) (void)staging_->remove();
  }

  [[nodiscard]] const std::string& directory() const noexcept override { return root_.absolute_path(); }
  [[nodiscard]] Observer& observer() const noexcept override { return *observer_; }
  [[nodiscard]] std::optional<Error> trouble() override;
  void set_options(const Options& options, Observer& observer) override {
    options_ = options;
    observer_ = &observer;
  }
  [[nodiscard]] tl::expected<session::server::Opening, wire::ErrorReply> open_sync(
      const wire::Hello& hello, const Limits& limits) override;
  [[nodiscard]] std::unique_ptr<Sync> make_sync(const Capacities& capacities, EventFd& wake) override;
  void close_sync(bool is_done) override;

 private:
  using Refused = std::optional<wire::ErrorReply>;
  [[nodiscard]] Refused prepare(const wire::Hello& hello, session::server::Opening& opening);
  [[nodiscard]] Refused open_root(const wire::Hello& hello);
  void open_index();
  [[nodiscard]] Refused look_whose(const wire::Hello& hello);
  [[nodiscard]] wire::ErrorReply io_error(const Error& error, std::string_view what);

  [[nodiscard]] Result<void> reopen_root();
  [[nodiscard]] Result<std::optional<fs::MirrorRecord>> kept_record();
  [[nodiscard]] bool is_on_another_disk(const RootIdentity& now) const;
  void tell_index_trouble();
  [[nodiscard]] Result<index::Header> header_after(const wire::Hello& hello, std::vector<std::string>& notes);

  Options options_;
  fs::Root root_;
  Observer* observer_;
  index::TroubleNews index_trouble_;
  std::string known_source_;  ///< of the last sync that ended well

  // Of the sync that is open.
  std::unique_ptr<fs::Staging> staging_;
  std::optional<index::Index> index_;
  SyncRequest request_;
  index::Header header_;                     ///< when it ended well
  std::optional<fs::DirectoryId> own_root_;  ///< for a client on this machine
};

/// A deploy may have swapped the link that DIR is, or somebody replaced the directory. The new one is locked
/// before the flock on the old one is let go; on a shared file system the old lock is given up first, as the
/// new one may be the same file.
Result<void> RootMirror::reopen_root() {
  if (root_.still_at_path() && !root_.trouble() && root_.tree().look_at_root()) return {};
  root_.give_up();
  SSYNC_TRY(fs::Root fresh, fs::Root::open(options_.directory, fs::Root::Lock::yes));
  root_ = std::move(fresh);
  return {};
}

wire::ErrorReply RootMirror::io_error(const Error& error, std::string_view what) {
  const Error why = fs::lost_or(root_.tree(), context(error, what));
  return error_reply(wire::ErrorCode::io, why.code != Errc::lost, why.text());
}

RootMirror::Refused RootMirror::prepare(const wire::Hello& hello, session::server::Opening& opening) {
  request_ = SyncRequest{};
  request_.options = hello.options;
  if (Refused refused = open_root(hello)) return refused;
  open_index();
  if (Refused refused = look_whose(hello)) return refused;
  staging_ = std::make_unique<fs::Staging>(root_.tree(), root_.epoch());
  Result<index::Header> after = header_after(hello, opening.notes);
  if (!after)
    return io_error(after.error(),
                    "finding out what the mirror " + escape(root_.absolute_path()) + " can hold");
  header_ = std::move(*after);
  request_.attributes = header_.attributes;
  if (!hello.has_owner) request_.attributes.owner = false;
  request_.durable = options_.fsync || hello.options.durable;
  request_.leave_out = scanner::own_paths(root_, options_.state_dir, options_.log_file);
  request_.epoch = root_.epoch();
  request_.has_lock = root_.locked() || !root_.epoch().empty();
  opening.attributes = request_.attributes;
  opening.synced_before = request_.synced_before;
  // A mirror that holds nothing yet, or whose content is compared, needs every row.
  opening.directory_sums = index_->header().synced_count > 0 && !request_.options.reads_content();
  if (own_root_) opening.root = wire::NodeId{own_root_->device, own_root_->inode};
  return std::nullopt;
}

/// Opens it anew where that is needed; refused when it and the source are one tree.
RootMirror::Refused RootMirror::open_root(const wire::Hello& hello) {
  constexpr std::string_view kWhat = "the mirror's directory";
  if (Result<void> reopened = reopen_root(); !reopened) return io_error(reopened.error(), kWhat);
  // A failure is not told here, but by whoever needs what it keeps him from.
  if (!request_.options.only_shows()) static_cast<void>(fs::make_accessible(root_.absolute_path()));
  const Result<std::vector<fs::DirectoryId>> chain = root_.ancestry();
  if (!chain) return io_error(chain.error(), kWhat);
  own_root_.reset();
  const bool is_here = hello.host == boot_fingerprint() && hello.host != std::array<std::byte, 16>{};
  if (!is_here) return std::nullopt;
  own_root_ = chain->front();
  const wire::NodeId source = hello.ancestry.front();
  request_.other_root = fs::DirectoryId{source.device, source.inode};
  const bool nested = contains(*chain, source.device, source.inode) ||
                      std::ranges::any_of(hello.ancestry, [&](const wire::NodeId& node) {
                        return node.device == own_root_->device && node.inode == own_root_->inode;
                      });
  if (!nested) return std::nullopt;
  return error_reply(wire::ErrorCode::overlap, false,
                     "the source and the mirror are the same directory, or one is inside the other; choose a "
                     "directory outside");
}

void RootMirror::open_index() {
  index_.emplace(index::Index::open_or_none(options_.state_dir, index::Role::mirror, root_.absolute_path()));
  if (!index_->trouble().empty()) tell_index_trouble();
  for (const std::string& damage : index_->damage())
    observer_->warning(damage);
}

/// Refused when it is on another disk than before, or belongs to another source.
RootMirror::Refused RootMirror::look_whose(const wire::Hello& hello) {
  Result<std::optional<fs::MirrorRecord>> kept = kept_record();
  if (!kept) return io_error(kept.error(), "reading whose mirror it is");
  const Result<RootIdentity> identity = root_.identity();
  if (!identity) return io_error(identity.error(), "the mirror's directory");
  if (is_on_another_disk(*identity) && !options_.accept_root) {
    return error_reply(
        wire::ErrorCode::io, true,
        "the mirror's directory is on another file system than at the last sync (a disk that is not "
        "mounted?): nothing was changed. If it is right, start server-sync with --accept-root");
  }
  // Without an index, this process knows the source of the last sync that it has seen end well.
  const index::Header& before = index_->header();
  const std::string& source = before.source_id.empty() ? known_source_ : before.source_id;
  const fs::MirrorRecord record =
      kept->value_or(fs::MirrorRecord{source, before.synced_count > 0, std::string()});
  if (!record.source_id.empty() && record.source_id != hello.source_id && !options_.take_over) {
    // With keys, the id is the key, which no option changes.
    const bool has_choice = !hello.source_id.starts_with("key:");
    return error_reply(
        wire::ErrorCode::source, false,
        fmt::format("this mirror belongs to source '{}', not to '{}': start server-sync with "
                    "--take-over to let the new source have it{}",
                    escape(record.source_id), escape(hello.source_id),
                    has_choice ? ", or give the client the --source-id that the mirror knows" : ""));
  }
  request_.synced_before = record.synced;
  request_.record = *std::move(kept);
  return std::nullopt;
}

/// A mirror's disk that is not mounted must not be made anew below its mount point.
bool RootMirror::is_on_another_disk(const RootIdentity& now) const {
  const index::Header& before = index_->header();
  if (!index_->exists() || before.synced_count == 0 || before.root.type == 0) return false;
  // Only what is known for certain: an index from before the levels were kept says nothing here.
  return before.root.levels != 0 && !on_same_file_system(before.root, now) &&
         !is_led_elsewhere(before.root, now);
}

void RootMirror::tell_index_trouble() {
  const auto news = index_trouble_.take(index_->trouble());
  if (news && news->is_over) observer_->notice(news->text);
  if (news && !news->is_over) observer_->warning(news->text);
}

/// What stands with the mirror, where others may have written it. It is worth more than our own index, which
/// knows nothing of them.
Result<std::optional<fs::MirrorRecord>> RootMirror::kept_record() {
  if (root_.epoch().empty()) return std::optional<fs::MirrorRecord>();
  Result<std::optional<fs::MirrorRecord>> kept = fs::read_mirror_record(root_.tree());
  if (kept || kept.error().code != Errc::corrupt) return kept;
  observer_->warning(kept.error().text() + ": whose mirror it is, is taken from this server's index");
  return std::optional<fs::MirrorRecord>();
}

/// The index's header as it will be when this sync ended well: whose mirror it is, and what it can hold
/// (probed when that is not known).
Result<index::Header> RootMirror::header_after(const wire::Hello& hello, std::vector<std::string>& notes) {
  index::Header after = index_->header();
  SSYNC_TRY(const fs::Volume volume, root_.tree().volume());
  SSYNC_TRY(after.root, root_.identity());
  after.role = index::Role::mirror;
  after.root_path = root_.absolute_path();
  after.source_id = hello.source_id;
  const bool same_volume = after.attributes_known && after.attributes_type == volume.type &&
                           after.attributes_volume == volume.id && after.attributes_uid == ::geteuid();
  if (same_volume) return after;
  if (request_.options.only_shows()) {
    after.attributes = Attributes{};
    after.attributes.owner = ::geteuid() == 0;
    after.attributes_known = false;
    return after;
  }
  SSYNC_TRY(after.attributes, store::probe_attributes(*staging_, notes));
  SSYNC_TRY_VOID(staging_->remove());
  after.attributes_known = true;
  after.attributes_type = volume.type;
  after.attributes_volume = volume.id;
  after.attributes_uid = ::geteuid();
  return after;
}

std::optional<Error> RootMirror::trouble() {
  std::optional<Error> found = root_.trouble();
  if (found) found = context(*std::move(found), "the mirror " + escape(directory()));
  return found;
}

tl::expected<session::server::Opening, wire::ErrorReply> RootMirror::open_sync(const wire::Hello& hello,
                                                                               const Limits& limits) {
  session::server::Opening opening;
  Refused refused = prepare(hello, opening);
  request_.limits = limits;
  if (const auto own = options_.max_delete)
    request_.limits.max_delete = std::min(*own, limits.max_delete.value_or(*own));
  if (refused) {
    staging_.reset();
    index_.reset();
    return tl::unexpected(*std::move(refused));
  }
  return opening;
}

std::unique_ptr<Sync> RootMirror::make_sync(const Capacities& capacities, EventFd& wake) {
  SSYNC_ASSERT(index_ && staging_);
  return std::make_unique<Sync>(Parts{root_.tree(), *staging_, *index_, header_}, request_, capacities, wake,
                                *observer_);
}

void RootMirror::close_sync(bool is_done) {
  if (staging_) {
    if (const Result<void> removed = staging_->remove(); !removed)
      observer_->warning(context(removed.error(), "removing staging (the next sync tries again)").text());
  }
  staging_.reset();
  if (is_done && index_) {
    tell_index_trouble();
    if (!index_->header().source_id.empty()) known_source_ = index_->header().source_id;
  }
  index_.reset();
}

}  // namespace

Result<std::unique_ptr<Mirror>> Mirror::open(Options options, Observer& observer) {
  SSYNC_TRY(fs::Root root, fs::Root::open(options.directory, fs::Root::Lock::yes));
  // Only with the lock: without it, staging may be that of another server that runs.
  if (root.locked() || !root.epoch().empty()) {
    if (const auto removed = fs::remove_abandoned_staging(root.tree()); removed && *removed > 0) {
      observer.notice(fmt::format("Removed {} staging director{} of an interrupted run", *removed,
                                  *removed == 1 ? "y" : "ies"));
    }
  }
  if (!root.locked()) {
    observer.warning(fmt::format(
        "{} is on a file system that cannot be locked: make sure that no other server-sync writes it",
        escape(root.absolute_path())));
  }
  return std::unique_ptr<Mirror>(std::make_unique<RootMirror>(std::move(options), std::move(root), observer));
}

}  // namespace ssync::mirror
