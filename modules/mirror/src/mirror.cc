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

struct Mirror::Impl {
  Impl(Options with, fs::Root its_root, Observer& told)
      : options(std::move(with)), root(std::move(its_root)), observer(told) {}

  using Refused = std::optional<wire::ErrorReply>;
  [[nodiscard]] Refused open_sync(const wire::Hello& hello, session::server::Opening& opening);
  [[nodiscard]] Refused open_root(const wire::Hello& hello);
  void open_index();
  [[nodiscard]] Refused look_whose(const wire::Hello& hello);
  [[nodiscard]] wire::ErrorReply io_error(const Error& error, std::string_view what);

  [[nodiscard]] Result<void> reopen_root();
  [[nodiscard]] Result<std::optional<fs::MirrorRecord>> kept_record();
  [[nodiscard]] bool is_on_another_disk(const RootIdentity& now) const;
  void tell_index_trouble();
  [[nodiscard]] Result<index::Header> header_after(const wire::Hello& hello, std::vector<std::string>& notes);
  [[nodiscard]] std::vector<std::string> own_paths() const;

  const Options options;
  fs::Root root;
  Observer& observer;
  index::TroubleNews index_trouble;
  std::string known_source;  ///< of the last sync that ended well

  // Of the sync that is open.
  std::unique_ptr<fs::Staging> staging;
  std::optional<index::Index> index;
  SyncRequest request;
  index::Header header;                     ///< when it ended well
  std::optional<fs::DirectoryId> own_root;  ///< for a client on this machine
};

/// A deploy may have swapped the link that DIR is, or somebody replaced the directory: the new one is locked
/// before the old one is let go.
Result<void> Mirror::Impl::reopen_root() {
  if (root.still_at_path() && !root.trouble() && root.tree().look_at_root()) return {};
  root.give_up();
  SSYNC_TRY(fs::Root fresh, fs::Root::open(options.directory, fs::Root::Lock::yes));
  root = std::move(fresh);
  return {};
}

wire::ErrorReply Mirror::Impl::io_error(const Error& error, std::string_view what) {
  const Error why = fs::lost_or(root.tree(), context(error, what));
  return error_reply(wire::ErrorCode::io, why.code != Errc::lost, why.text());
}

Mirror::Impl::Refused Mirror::Impl::open_sync(const wire::Hello& hello, session::server::Opening& opening) {
  request = SyncRequest{};
  request.options = hello.options;
  if (Refused refused = open_root(hello)) return refused;
  open_index();
  if (Refused refused = look_whose(hello)) return refused;
  staging = std::make_unique<fs::Staging>(root.tree(), root.epoch());
  Result<index::Header> after = header_after(hello, opening.notes);
  if (!after)
    return io_error(after.error(),
                    "finding out what the mirror " + escape(root.absolute_path()) + " can hold");
  header = std::move(*after);
  request.attributes = header.attributes;
  if (!hello.has_owner) request.attributes.owner = false;
  request.server_max_delete = options.max_delete;
  request.durable = options.fsync || hello.options.durable;
  request.leave_out = own_paths();
  request.epoch = root.epoch();
  request.has_lock = root.locked() || !root.epoch().empty();
  opening.attributes = request.attributes;
  opening.synced_before = request.synced_before;
  // A mirror that holds nothing yet, or whose content is compared, needs every row.
  opening.directory_sums = index->header().synced_count > 0 && !request.reads_content();
  if (own_root) opening.root = wire::NodeId{own_root->device, own_root->inode};
  return std::nullopt;
}

/// Opens it anew where that is needed; refused when it and the source are one tree.
Mirror::Impl::Refused Mirror::Impl::open_root(const wire::Hello& hello) {
  constexpr std::string_view kWhat = "the mirror's directory";
  if (Result<void> reopened = reopen_root(); !reopened) return io_error(reopened.error(), kWhat);
  // What cannot be done is said by who comes to it.
  if (!request.only_shows()) static_cast<void>(fs::make_accessible(root.absolute_path()));
  const Result<std::vector<fs::DirectoryId>> chain = root.ancestry();
  if (!chain) return io_error(chain.error(), kWhat);
  own_root.reset();
  const bool is_here = hello.host == boot_fingerprint() && hello.host != std::array<std::byte, 16>{};
  if (!is_here) return std::nullopt;
  own_root = chain->front();
  const wire::NodeId source = hello.ancestry.front();
  request.other_root = fs::DirectoryId{source.device, source.inode};
  const bool nested = contains(*chain, source.device, source.inode) ||
                      std::ranges::any_of(hello.ancestry, [&](const wire::NodeId& node) {
                        return node.device == own_root->device && node.inode == own_root->inode;
                      });
  if (!nested) return std::nullopt;
  return error_reply(wire::ErrorCode::overlap, false,
                     "the source and the mirror are the same directory, or one is inside the other; choose a "
                     "directory outside");
}

void Mirror::Impl::open_index() {
  index.emplace(index::Index::open_or_none(options.state_dir, index::Role::mirror, root.absolute_path()));
  if (!index->trouble().empty()) tell_index_trouble();
  for (const std::string& damage : index->damage())
    observer.warning(damage);
}

/// Refused when it is on another disk than before, or belongs to another source.
Mirror::Impl::Refused Mirror::Impl::look_whose(const wire::Hello& hello) {
  Result<std::optional<fs::MirrorRecord>> kept = kept_record();
  if (!kept) return io_error(kept.error(), "reading whose mirror it is");
  const Result<RootIdentity> identity = root.identity();
  if (!identity) return io_error(identity.error(), "the mirror's directory");
  if (is_on_another_disk(*identity) && !options.accept_root) {
    return error_reply(
        wire::ErrorCode::io, true,
        "the mirror's directory is on another file system than at the last sync (a disk that is not "
        "mounted?): nothing was changed. If it is right, start server-sync with --accept-root");
  }
  // Without an index, what this process knows since it was started.
  const index::Header& before = index->header();
  const std::string& source = before.source_id.empty() ? known_source : before.source_id;
  const fs::MirrorRecord record =
      kept->value_or(fs::MirrorRecord{source, before.synced_count > 0, std::string()});
  if (!record.source_id.empty() && record.source_id != hello.source_id && !options.take_over) {
    return error_reply(wire::ErrorCode::source, false,
                       fmt::format("this mirror belongs to source '{}', not to '{}': start server-sync with "
                                   "--take-over to let the new source have it, or give the client "
                                   "the --source-id that the mirror knows",
                                   escape(record.source_id), escape(hello.source_id)));
  }
  request.synced_before = record.synced;
  request.record = *std::move(kept);
  return std::nullopt;
}

/// What this process keeps on disk, where it lies in the mirror.
std::vector<std::string> Mirror::Impl::own_paths() const {
  std::vector<std::string> paths;
  if (options.log_file) paths = root.paths_of(*options.log_file);
  if (index::holds_only_state(options.state_dir)) {
    for (std::string& path : root.paths_of(options.state_dir))
      paths.push_back(std::move(path));
  }
  return paths;
}

/// A mirror's disk that is not mounted must not be made anew below its mount point.
bool Mirror::Impl::is_on_another_disk(const RootIdentity& now) const {
  const index::Header& before = index->header();
  if (!index->exists() || before.synced_count == 0 || before.root.type == 0) return false;
  // Only what is known for certain: an index from before the levels were kept says nothing here.
  return before.root.levels != 0 && !on_same_file_system(before.root, now) &&
         !is_led_elsewhere(before.root, now);
}

void Mirror::Impl::tell_index_trouble() {
  const auto news = index_trouble.take(index->trouble());
  if (news && news->is_over) observer.notice(news->text);
  if (news && !news->is_over) observer.warning(news->text);
}

/// What stands with the mirror, where others may have written it. It is worth more than our own index, which
/// knows nothing of them.
Result<std::optional<fs::MirrorRecord>> Mirror::Impl::kept_record() {
  if (root.epoch().empty()) return std::optional<fs::MirrorRecord>();
  Result<std::optional<fs::MirrorRecord>> kept = fs::read_mirror_record(root.tree());
  if (kept || kept.error().code != Errc::corrupt) return kept;
  observer.warning(kept.error().text() + ": whose mirror it is, is taken from this server's index");
  return std::optional<fs::MirrorRecord>();
}

/// The index's header as it will be when this sync ended well: whose mirror it is, and what it can hold
/// (probed when that is not known).
Result<index::Header> Mirror::Impl::header_after(const wire::Hello& hello, std::vector<std::string>& notes) {
  index::Header after = index->header();
  SSYNC_TRY(const fs::Volume volume, root.tree().volume());
  SSYNC_TRY(after.root, root.identity());
  after.role = index::Role::mirror;
  after.root_path = root.absolute_path();
  after.source_id = hello.source_id;
  const bool same_volume = after.attributes_known && after.attributes_type == volume.type &&
                           after.attributes_volume == volume.id && after.attributes_uid == ::geteuid();
  if (same_volume) return after;
  if (request.only_shows()) {
    after.attributes = Attributes{};
    after.attributes.owner = ::geteuid() == 0;
    after.attributes_known = false;
    return after;
  }
  SSYNC_TRY(after.attributes, store::probe_attributes(root.tree(), *staging, notes));
  SSYNC_TRY_VOID(staging->remove());
  after.attributes_known = true;
  after.attributes_type = volume.type;
  after.attributes_volume = volume.id;
  after.attributes_uid = ::geteuid();
  return after;
}

Result<std::unique_ptr<Mirror>> Mirror::open(Options options, Observer& observer) {
  SSYNC_TRY(fs::Root root, fs::Root::open(options.directory, fs::Root::Lock::yes));
  // Only who has the lock may: another server's staging is alive.
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
  return std::unique_ptr<Mirror>(
      new Mirror(std::make_unique<Impl>(std::move(options), std::move(root), observer)));
}

Mirror::Mirror(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Mirror::~Mirror() {
  if (impl_->staging) (void)impl_->staging->remove();
}

const std::string& Mirror::directory() const noexcept {
  return impl_->root.absolute_path();
}

Observer& Mirror::observer() const noexcept {
  return impl_->observer;
}

std::optional<Error> Mirror::trouble() {
  std::optional<Error> found = impl_->root.trouble();
  if (found) found = context(*std::move(found), "the mirror " + escape(directory()));
  return found;
}

tl::expected<session::server::Opening, wire::ErrorReply> Mirror::open_sync(const wire::Hello& hello) {
  session::server::Opening opening;
  if (Impl::Refused refused = impl_->open_sync(hello, opening)) {
    impl_->staging.reset();
    impl_->index.reset();
    return tl::unexpected(*std::move(refused));
  }
  return opening;
}

std::unique_ptr<Sync> Mirror::make_sync(const Capacities& capacities, EventFd& wake) {
  SSYNC_ASSERT(impl_->index && impl_->staging);
  return std::make_unique<Sync>(Parts{impl_->root.tree(), *impl_->staging, *impl_->index, impl_->header},
                                impl_->request, capacities, wake, impl_->observer);
}

void Mirror::close_sync(bool is_done) {
  if (impl_->staging) {
    if (const Result<void> removed = impl_->staging->remove(); !removed)
      impl_->observer.warning(
          context(removed.error(), "removing staging (the next sync tries again)").text());
  }
  impl_->staging.reset();
  if (is_done && impl_->index) {
    impl_->tell_index_trouble();
    if (!impl_->index->header().source_id.empty()) impl_->known_source = impl_->index->header().source_id;
  }
  impl_->index.reset();
}

}  // namespace ssync::mirror
