#include "listing.h"

#include <algorithm>
#include <exception>
#include <utility>

namespace ssync::source {
namespace {

/// Directories go out in steps of this size, so that the server, which scans meanwhile, need not keep what it
/// found until the end.
constexpr std::size_t kDirectoriesPerMessage = 256;
constexpr std::uint64_t kRowsPerDirectories = 8192;  ///< that those of one message may stand for
static_assert(kDirectoriesPerMessage <= wire::kRowsMax);
/// Who reads them keeps them in a processor's cache, and in memory that need not be mapped anew.
constexpr std::size_t kRowsPerMessage = 2048;
static_assert(kRowsPerMessage <= wire::kRowsMax);
/// With the lock held: nobody waits for long, and a lock an entry costs more than the entry.
constexpr std::size_t kEntriesAtOnce = 1024;

/// The bits of what is not mirrored are kept in the flags of a row, above those that the snapshot names.
constexpr unsigned kUnmirroredUnit = kFlagA;

std::uint8_t unmirrored_of(const Snapshot::View& row) {
  return static_cast<std::uint8_t>(row.flags / kUnmirroredUnit);
}

scanner::Options scan_options(const Listing::Options& options) {
  scanner::Options scan;
  scan.role = index::Role::source;
  scan.digest_kind = options.digest_kind;
  scan.accept_lost_mounts = options.accept_lost_mounts;
  scan.with_digests = options.eager_digest.has_value();
  scan.leave_out = options.leave_out;
  scan.other_root = options.other_root;
  scan.believe_names = !options.compare_content;  // who wants content read does not trust stats
  return scan;
}

}  // namespace

Listing::Listing(fs::Tree& tree, index::Index& index, index::Header header, Options options,
                 BoundedQueue<Item>& queue)
    : tree_(tree),
      index_(index),
      header_(std::move(header)),
      options_(options),
      queue_(queue),
      scanner_(tree, index, scan_options(options)),
      encoder_(kRowsPerMessage),
      scan_clock_(tree.clock()),
      audit_(tree, index.listed_at(), scan_clock_),
      asked_rows_(rows_, index) {}

Listing::~Listing() {
  stop();
}

void Listing::start() {
  thread_ = std::jthread([this] { run(); });  // ends with the tree, or when the queue is closed
}

void Listing::stop() noexcept {
  scanner_.stop();
  queue_.close();
}

void Listing::run() {
  Result<void> outcome;
  try {
    outcome = list();
  } catch (const std::exception& error) {
    outcome = fail(Errc::io, std::string("listing the source: ") + error.what());
  }
  if (!outcome && outcome.error().code != Errc::closed)
    (void)queue_.push(Item(tl::unexpected(fs::lost_or(tree_, std::move(outcome).error()))));
}

Result<void> Listing::list() {
  for (;;) {
    SSYNC_TRY(std::optional<ScanBlock> block, scanner_.next());
    if (!block) break;
    for (const Problem& problem : block->problems) {
      if (auto lost = fs::lost_behind(tree_, problem)) return fail(*std::move(lost));
    }
    if (!options_.compare_content) SSYNC_TRY_VOID(audit(*block));
    SSYNC_TRY_VOID(list_block(*block));
    std::move(block->problems.begin(), block->problems.end(), std::back_inserter(problems_));
  }
  directory_.reset();
  // Before the last rows go out: who asks for a directory's rows reads what is known of them.
  SSYNC_TRY_VOID(commit_index());
  return flush(true);
}

// Nothing may be appended meanwhile, and nobody waits for it: who owns the sockets must not wait for a disk.
Result<void> Listing::commit_index() {
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

/// What is another content than the index says comes into doubt, here and, should this sync be cut, in the
/// next.
Result<void> Listing::audit(ScanBlock& block) {
  for (ScannedEntry& entry : block.entries) {
    if (!audit_.is_due(entry)) continue;
    if (!audit_.differs(block.location, entry, [this](std::uint64_t) { return !queue_.closed(); })) continue;
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

Result<void> Listing::list_block(const ScanBlock& block) {
  {
    MutexLock lock(mutex_);
    SSYNC_TRY_VOID(rows_.begin_directory(block.location));
  }
  const std::uint64_t first = next_row_;
  sum_ = Hash128{};
  if (block.self) {
    ScannedEntry root;
    root.seen = *block.self;
    SSYNC_TRY_VOID(list_entries(block, std::span(&root, 1)));
  }
  for (std::span<const ScannedEntry> left = block.entries; !left.empty();) {
    const auto some = left.first(std::min(left.size(), kEntriesAtOnce));
    SSYNC_TRY_VOID(list_entries(block, some));
    left = left.subspan(some.size());
  }
  if (!options_.directory_sums) return {};
  return say_directory({block.location, next_row_ - first, sum_});
}

Result<void> Listing::list_entries(const ScanBlock& block, std::span<const ScannedEntry> entries) {
  const std::uint64_t first = next_row_;
  {
    MutexLock lock(mutex_);
    for (const ScannedEntry& entry : entries) {
      const Row row = row_of(block, entry, next_row_);
      SSYNC_TRY_VOID(keep(row, entry));
      if (options_.directory_sums) add_to_sum(row);
      ++next_row_;
    }
  }
  for (std::size_t i = 0; !options_.directory_sums && i < entries.size(); ++i) {
    Row row = row_of(block, entries[i], first + i);
    if (options_.eager_digest && row.values.kind == Kind::file) {
      SSYNC_TRY(row.digest, eager(block, entries[i]));
    }
    SSYNC_TRY_VOID(say(row));
    listed_.store(first + i + 1, std::memory_order_relaxed);
  }
  listed_.store(next_row_, std::memory_order_relaxed);
  return {};
}

Row Listing::row_of(const ScanBlock& block, const ScannedEntry& entry, RowId id) const {
  Row row;
  row.location = block.location;
  row.name = entry.name;
  row.id = id;
  row.values = entry.seen.values;
  row.target = entry.target;
  row.doubt = entry.doubt;
  if (row.values.kind != Kind::file) return row;
  if (options_.compare_content) {
    row.doubt = true;
  } else {
    row.checksum = entry.checksum;
    row.origin = entry.origin;
  }
  return row;
}

Result<void> Listing::keep(const Row& row, const ScannedEntry& entry) {
  const unsigned flags =
      (row.doubt ? unsigned{kFlagDoubt} : 0U) | unsigned{entry.unmirrored} * kUnmirroredUnit;
  SSYNC_TRY_VOID(rows_.add(row.name, row.values, row.target, entry.seen.device, entry.seen.inode,
                           static_cast<std::uint8_t>(flags)));
  if (!left_out_subtrees_.empty() && left_out(view(row.id), row.id)) return {};
  if (options_.compare_content && row.values.kind == Kind::file) {
    // Folded when its checksum is known, which is never asked for an empty file.
    if (row.values.size == 0) {
      checksums_[row.id] = content::ContentHash().checksum();
      digest_.add(row.location, hash_of(row.id));
    }
  } else if (is_mirrored(row.values.kind)) {
    digest_.add(row.location,
                row_hash(row.name, project(row.values, options_.attributes), row.target, std::nullopt));
  }
  return {};
}

Result<void> Listing::say(const Row& row) {
  if (encoder_.add(row)) return {};
  SSYNC_TRY_VOID(flush(false));
  if (!encoder_.add(row)) return fail(Errc::limit, printable(row.path()) + ": does not fit into a message");
  return {};
}

void Listing::add_to_sum(const Row& row) {
  if (row.origin) asked_rows_.keep(static_cast<EntryIndex>(row.id), *row.origin);
  if (row.doubt || !is_mirrored(row.values.kind)) sum_.reset();
  if (!sum_) return;
  *sum_ += row_hash(row.name, project(row.values, options_.attributes), row.target,
                    row.values.size > 0 ? row.checksum : std::nullopt);
}

Result<void> Listing::say_directory(DirectorySum directory) {
  directories_bytes_ += wire::body_bytes(directory);
  rows_said_ += directory.rows;
  directories_.rows.push_back(std::move(directory));
  const bool full = directories_.rows.size() >= kDirectoriesPerMessage || rows_said_ >= kRowsPerDirectories ||
                    directories_bytes_ >= wire::kBodyBytesTarget;
  return full ? flush(false) : Result<void>();
}

Result<void> Listing::flush(bool last) {
  Message message =
      options_.directory_sums ? Message(std::exchange(directories_, {})) : encoder_.finish(last);
  if (auto* directories = std::get_if<wire::DirectoryList>(&message)) directories->last = last;
  directories_bytes_ = 0;
  rows_said_ = 0;
  if (!queue_.push(Item(std::move(message)))) return fail(Errc::closed, "stopped");
  return {};
}

/// The seed's way: every row carries its digest. What the index does not know is read now.
Result<std::optional<Digest>> Listing::eager(const ScanBlock& block, const ScannedEntry& entry) {
  if (entry.digest) return entry.digest;
  if (!directory_ || directory_location_ != block.location) {
    directory_.reset();
    auto opened = tree_.open(block.location);
    if (!opened) return std::optional<Digest>();
    directory_ = std::move(*opened);
    directory_location_ = block.location;
  }
  Result<content::Content> content =
      content_reader_.read(*directory_, entry.name, std::nullopt, options_.eager_digest,
                           [this](std::uint64_t) { return !queue_.closed(); });
  if (!content) {
    if (content.error().code == Errc::interrupted) return tl::unexpected(content.error());
    return std::optional<Digest>();  // the row goes without; a request of the file will say what is wrong
  }
  SSYNC_TRY_VOID(remember({block.location, entry.name}, entry.unmirrored, content->seen, content->checksum,
                          content->digest));
  return content->digest;
}

Result<void> Listing::remember(PathView path, std::uint8_t unmirrored, const Seen& seen,
                               const std::optional<Checksum>& checksum, const std::optional<Digest>& digest) {
  index::Record record;
  record.held = seen;
  record.unmirrored = unmirrored;
  record.racy = fs::is_racy(seen.ctime, scan_clock_);
  if (!record.racy) {
    record.checksum = checksum;
    record.digest = digest;
  }
  return append(path, record);
}

Result<void> Listing::append(PathView path, const index::Record& record) {
  MutexLock lock(index_mutex_);
  if (!is_committing_) return index_.append(path, record);
  meanwhile_.push_back({std::string(path.location), std::string(path.name), record});
  return {};
}

bool Listing::has_room() const {
  MutexLock lock(index_mutex_);
  return meanwhile_.size() < kMeanwhileMax;
}

std::optional<Snapshot::View> Listing::row(RowId id) const {
  MutexLock lock(mutex_);
  return id < rows_.size() ? std::optional(view(id)) : std::nullopt;
}

std::string Listing::tree_digest() const {
  MutexLock lock(mutex_);
  return digest_.hex();
}

Snapshot::View Listing::view(RowId id) const {
  return rows_.view(static_cast<EntryIndex>(id));
}

Hash128 Listing::hash_of(RowId id) const {
  const Snapshot::View row = view(id);
  const auto newer = newer_.find(id);
  const auto checksum = checksums_.find(id);
  return row_hash(row.name, project(newer == newer_.end() ? row.values : newer->second, options_.attributes),
                  row.target, checksum == checksums_.end() ? std::nullopt : std::optional(checksum->second));
}

bool Listing::left_out(const Snapshot::View& row, RowId id) const {
  return left_out_rows_.contains(id) ||
         std::any_of(left_out_subtrees_.begin(), left_out_subtrees_.end(),
                     [&](const std::string& subtree) { return is_at_or_below(row.location, subtree); });
}

Result<void> Listing::learned(RowId id, const content::Content& content) {
  MutexLock lock(mutex_);
  const Snapshot::View row = view(id);
  if (options_.compare_content && !left_out(row, id)) {
    if (checksums_.contains(id)) digest_.remove(row.location, hash_of(id));
    checksums_[id] = content.checksum;
    digest_.add(row.location, hash_of(id));
  }
  lock.unlock();
  return remember(row.path(), unmirrored_of(row), content.seen, content.checksum, content.digest);
}

Result<void> Listing::sent(RowId id, const Values& values, const Checksum& checksum,
                           const std::optional<Seen>& exact) {
  MutexLock lock(mutex_);
  const Snapshot::View row = view(id);
  if (!left_out(row, id) && (options_.compare_content || !(values == row.values))) {
    const bool folded = !options_.compare_content || checksums_.contains(id);
    if (folded) digest_.remove(row.location, hash_of(id));
    newer_[id] = values;
    if (options_.compare_content) checksums_[id] = checksum;
    digest_.add(row.location, hash_of(id));
  }
  lock.unlock();
  if (!exact) return {};
  return remember(row.path(), unmirrored_of(row), *exact, checksum, std::nullopt);
}

void Listing::leave_out(const Problem& problem) {
  MutexLock lock(mutex_);
  if (problem.row == kNoRow || problem.row >= rows_.size()) return;
  const Snapshot::View row = view(problem.row);
  if (!left_out(row, problem.row)) {
    const bool folded =
        is_mirrored(row.values.kind) &&
        (!options_.compare_content || row.values.kind != Kind::file || checksums_.contains(problem.row));
    if (folded) digest_.remove(row.location, hash_of(problem.row));
    left_out_rows_[problem.row] = true;
  }
  if (problem.subtree) {
    std::string subtree = join(row.path());
    digest_.remove_subtree(subtree);
    left_out_subtrees_.push_back(std::move(subtree));
  }
}

}  // namespace ssync::source
