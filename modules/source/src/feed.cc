#include "feed.h"

#include <algorithm>
#include <exception>
#include <span>
#include <utility>

namespace ssync::source {
namespace {

/// So many entries are added each time that the lock is taken: locking for each costs more than the entry,
/// and others must not wait long.
constexpr std::size_t kEntriesAtOnce = 1024;

/// The bits of what is not mirrored are kept in the flags of a row, above those that the snapshot names.
constexpr unsigned kUnmirroredUnit = kFlagA;
constexpr unsigned kUnmirroredBits = fs::kHasAttributes | fs::kHasAcl | fs::kHasCapability;

scanner::Options scan_options(const Feed::Options& options) {
  scanner::Options scan;
  scan.role = index::Role::source;
  scan.digest_kind = options.digest_kind;
  scan.accept_missing_mounts = options.accept_missing_mounts;
  scan.with_digests = options.with_digests;
  scan.leave_out = options.leave_out;
  scan.other_root = options.other_root;
  scan.believe_names = !options.reads_content;
  return scan;
}

}  // namespace

Feed::Feed(fs::Tree& tree, index::Index& index, index::Header header, Options options)
    : tree_(tree),
      index_(index),
      header_(std::move(header)),
      options_(std::move(options)),
      scanner_(tree, index, scan_options(options_)),
      scan_clock_(tree.clock()),
      audit_(tree, index.listed_at(), scan_clock_) {}

Feed::~Feed() {
  stop();
}

void Feed::start() {
  thread_ = Thread([this] { run(); });  // ends with the tree, or when nobody wants more
}

void Feed::stop() noexcept {
  scanner_.stop();
}

void Feed::run() {
  Result<void> outcome;
  try {
    outcome = scan();
  } catch (const std::exception& error) {
    outcome = fail(Errc::io, std::string("listing the source: ") + error.what());
  }
  if (outcome || outcome.error().code == Errc::closed) return;
  const Error why = fs::lost_or(tree_, std::move(outcome).error());
  for (Fed* const fed : fed_)
    fed->fail(why);
}

Result<void> Feed::scan() {
  for (;;) {
    SSYNC_TRY(std::optional<ScanBlock> block, scanner_.next());
    if (!block) break;
    for (const Problem& problem : block->problems) {
      if (auto lost = fs::lost_behind(tree_, problem)) return ssync::fail(*std::move(lost));
    }
    if (!options_.reads_content) SSYNC_TRY_VOID(audit(*block));
    SSYNC_TRY_VOID(feed(*block));
    std::move(block->problems.begin(), block->problems.end(), std::back_inserter(problems_));
  }
  // The index is complete before the last rows go out: when the server asks for a directory's rows then,
  // their checksums are read from it.
  SSYNC_TRY_VOID(commit_index());
  return give([](Fed& fed) { return fed.end(); });
}

Result<void> Feed::feed(const ScanBlock& block) {
  SSYNC_TRY(const RowId first, keep(block));
  return give([&](Fed& fed) { return fed.take(block, first); });
}

/// Whoever wants no more gets nothing from then on. Errc::closed: nobody wants more.
template <typename Give>
Result<void> Feed::give(Give to) {
  for (auto fed = fed_.begin(); fed != fed_.end();) {
    if (Result<void> taken = to(**fed); taken) {
      ++fed;
    } else if (taken.error().code == Errc::closed) {
      fed = fed_.erase(fed);
    } else {
      return taken;
    }
  }
  return fed_.empty() ? ssync::fail(Errc::closed, "nobody wants the rest of the scan") : Result<void>();
}

Result<RowId> Feed::keep(const ScanBlock& block) {
  RowId first = 0;
  {
    MutexLock lock(rows_mutex_);
    first = rows_.size();
    SSYNC_TRY_VOID(rows_.begin_directory(block.location));
    if (block.self)
      SSYNC_TRY_VOID(rows_.add({}, block.self->values, {}, block.self->device, block.self->inode, 0));
  }
  for (std::span<const ScannedEntry> left = block.entries; !left.empty();) {
    const auto some = left.first(std::min(left.size(), kEntriesAtOnce));
    MutexLock lock(rows_mutex_);
    for (const ScannedEntry& entry : some) {
      const unsigned flags =
          (entry.doubt ? unsigned{kFlagDoubt} : 0U) | unsigned{entry.unmirrored} * kUnmirroredUnit;
      SSYNC_TRY_VOID(rows_.add(entry.name, entry.seen.values, entry.target, entry.seen.device,
                               entry.seen.inode, static_cast<EntryFlags>(flags)));
    }
    left = left.subspan(some.size());
  }
  return first;
}

/// A file whose content is not what the index says is in doubt from now on; also in the index, for the next
/// sync, should this one not come to its end.
Result<void> Feed::audit(ScanBlock& block) {
  for (ScannedEntry& entry : block.entries) {
    if (!audit_.is_due(entry)) continue;
    if (!audit_.differs(block.location, entry, [this](std::uint64_t) { return is_wanted(); })) continue;
    entry.doubt = true;
    entry.checksum.reset();
    entry.digest.reset();
    entry.has_digest = false;
    index::Record record;
    record.held = entry.seen;
    record.unmirrored = entry.unmirrored;
    record.racy = true;
    SSYNC_TRY_VOID(append({block.location, entry.name}, record));
  }
  return {};
}

bool Feed::is_wanted() const {
  return std::ranges::any_of(fed_, [](const Fed* fed) { return !fed->is_closed(); });
}

// While a base is committed nothing may be appended to the index. The thread that owns the sockets must not
// wait for that, so what it wants to append is kept in meanwhile_ and appended at the end.
Result<void> Feed::commit_index() {
  {
    MutexLock lock(index_mutex_);
    is_committing_ = true;
  }
  if (Result<void> committed = scanner_.commit_index(header_); committed) {
    index_.set_listed_at(scan_clock_);
  } else {
    if (committed.error().code == Errc::invalid_argument) return committed;
    index_.note_trouble(committed.error());
  }
  MutexLock lock(index_mutex_);
  is_committing_ = false;
  for (const auto& [location, name, record] : std::exchange(meanwhile_, {}))
    SSYNC_TRY_VOID(index_.append({location, name}, record));
  return {};
}

std::optional<Snapshot::View> Feed::row(RowId id) const {
  MutexLock lock(rows_mutex_);
  if (id >= rows_.size()) return std::nullopt;
  return rows_.view(static_cast<EntryIndex>(id));
}

Result<void> Feed::remember(const Snapshot::View& row, const content::Content& content) {
  return remember(row.path(), static_cast<std::uint8_t>(row.flags / kUnmirroredUnit & kUnmirroredBits),
                  content);
}

Result<void> Feed::remember(PathView path, std::uint8_t unmirrored, const content::Content& content) {
  index::Record record;
  record.held = content.seen;
  record.unmirrored = unmirrored;
  record.racy = fs::is_racy(content.seen.ctime, scan_clock_);
  if (!record.racy) {
    record.checksum = content.checksum;
    record.digest = content.digest;
  }
  return append(path, record);
}

Result<void> Feed::append(PathView path, const index::Record& record) {
  MutexLock lock(index_mutex_);
  if (!is_committing_) return index_.append(path, record);
  meanwhile_.push_back({std::string(path.location), std::string(path.name), record});
  return {};
}

bool Feed::has_room() const {
  MutexLock lock(index_mutex_);
  return meanwhile_.size() < kMeanwhileMax;
}

}  // namespace ssync::source
