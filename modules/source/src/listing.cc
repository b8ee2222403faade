#include "listing.h"

#include <algorithm>
#include <utility>

namespace ssync::source {
namespace {

/// Directories go out in steps of this size, so that the server, which scans meanwhile, need not keep what it
/// found until the end.
constexpr std::size_t kDirectoriesPerMessage = 256;
constexpr std::uint64_t kRowsPerDirectories = 8192;  ///< that those of one message may stand for
static_assert(kDirectoriesPerMessage <= wire::kRowsMax);
/// Not more, so that the reader's rows stay in the processor's cache, in memory that need not be mapped anew.
constexpr std::size_t kRowsPerMessage = 2048;
static_assert(kRowsPerMessage <= wire::kRowsMax);
/// So many entries are folded each time that the lock is taken: locking for each costs more than the entry,
/// and others must not wait long.
constexpr std::size_t kEntriesAtOnce = 1024;

}  // namespace

Listing::Listing(fs::Tree& tree, Feed& feed, Options options, BoundedQueue<Item>& queue)
    : tree_(tree),
      feed_(feed),
      options_(options),
      queue_(queue),
      encoder_(kRowsPerMessage),
      asked_rows_(feed.rows(), feed.index()) {}

Result<void> Listing::take(const ScanBlock& block, RowId first) {
  SSYNC_ASSERT(first == next_row_);
  sum_ = Hash128{};
  if (block.self) {
    ScannedEntry root;
    root.seen = *block.self;
    SSYNC_TRY_VOID(take_entries(block, std::span(&root, 1)));
  }
  for (std::span<const ScannedEntry> left = block.entries; !left.empty();) {
    const auto some = left.first(std::min(left.size(), kEntriesAtOnce));
    SSYNC_TRY_VOID(take_entries(block, some));
    left = left.subspan(some.size());
  }
  if (!options_.directory_sums) return {};
  return say_directory({block.location, next_row_ - first, sum_});
}

Result<void> Listing::end() {
  directory_.reset();
  return flush(true);
}

void Listing::fail(const Error& error) {
  directory_.reset();
  (void)queue_.push(Item(tl::unexpected(error)));
}

Result<void> Listing::take_entries(const ScanBlock& block, std::span<const ScannedEntry> entries) {
  const RowId first = next_row_;
  {
    MutexLock lock(mutex_);
    for (const ScannedEntry& entry : entries) {
      const Row row = row_of(block, entry, next_row_++);
      fold(row);
      if (options_.directory_sums) add_to_sum(row);
    }
    folded_ = next_row_;
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

void Listing::fold(const Row& row) {
  if (!left_out_subtrees_.empty() && left_out(row.location, row.id)) return;
  const Values values = project(row.values, options_.attributes);
  if (options_.compare_content && row.values.kind == Kind::file) {
    // Folded when its checksum is known, which is never asked for an empty file.
    if (row.values.size > 0) return;
    const Checksum empty = content::ContentHash().checksum();
    checksums_[row.id] = empty;
    digest_.add(row.location, row_hash(row.name, values, row.target, empty));
  } else if (is_mirrored(row.values.kind)) {
    digest_.add(row.location, row_hash(row.name, values, row.target, std::nullopt));
  }
}

Result<void> Listing::say(const Row& row) {
  if (encoder_.add(row)) return {};
  SSYNC_TRY_VOID(flush(false));
  if (!encoder_.add(row))
    return ssync::fail(Errc::limit, printable(row.path()) + ": does not fit into a message");
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
  if (!queue_.push(Item(std::move(message)))) return ssync::fail(Errc::closed, "stopped");
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
  SSYNC_TRY_VOID(feed_.remember({block.location, entry.name}, entry.unmirrored, *content));
  return content->digest;
}

/// The feed may already have rows that this listing has not folded into its digest; those are not listed yet.
std::optional<Snapshot::View> Listing::row(RowId id) const {
  {
    MutexLock lock(mutex_);
    if (id >= folded_) return std::nullopt;
  }
  return feed_.row(id);
}

std::string Listing::tree_digest() const {
  MutexLock lock(mutex_);
  return digest_.hex();
}

Hash128 Listing::hash_of(const Snapshot::View& row, RowId id) const {
  const auto newer = newer_.find(id);
  const auto checksum = checksums_.find(id);
  return row_hash(row.name, project(newer == newer_.end() ? row.values : newer->second, options_.attributes),
                  row.target, checksum == checksums_.end() ? std::nullopt : std::optional(checksum->second));
}

bool Listing::left_out(std::string_view location, RowId id) const {
  return left_out_rows_.contains(id) ||
         std::ranges::any_of(left_out_subtrees_,
                             [&](const std::string& subtree) { return is_at_or_below(location, subtree); });
}

Result<void> Listing::learned(RowId id, const content::Content& content) {
  const Snapshot::View listed = *row(id);
  {
    MutexLock lock(mutex_);
    if (options_.compare_content && !left_out(listed.location, id)) {
      if (checksums_.contains(id)) digest_.remove(listed.location, hash_of(listed, id));
      checksums_[id] = content.checksum;
      digest_.add(listed.location, hash_of(listed, id));
    }
  }
  return feed_.remember(listed, content);
}

Result<void> Listing::sent(RowId id, const Values& values, const Checksum& checksum,
                           const std::optional<Seen>& exact) {
  const Snapshot::View listed = *row(id);
  {
    MutexLock lock(mutex_);
    if (!left_out(listed.location, id) && (options_.compare_content || !(values == listed.values))) {
      const bool folded = !options_.compare_content || checksums_.contains(id);
      if (folded) digest_.remove(listed.location, hash_of(listed, id));
      newer_[id] = values;
      if (options_.compare_content) checksums_[id] = checksum;
      digest_.add(listed.location, hash_of(listed, id));
    }
  }
  if (!exact) return {};
  return feed_.remember(listed, {checksum, std::nullopt, *exact});
}

void Listing::leave_out(const Problem& problem) {
  const std::optional<Snapshot::View> listed = row(problem.row);
  if (!listed) return;
  MutexLock lock(mutex_);
  if (!left_out(listed->location, problem.row)) {
    const bool folded =
        is_mirrored(listed->values.kind) &&
        (!options_.compare_content || listed->values.kind != Kind::file || checksums_.contains(problem.row));
    if (folded) digest_.remove(listed->location, hash_of(*listed, problem.row));
    left_out_rows_.emplace(problem.row, false);
  }
  if (problem.subtree && !std::exchange(left_out_rows_[problem.row], true)) {
    std::string subtree = join(listed->path());
    digest_.remove_subtree(subtree);
    left_out_subtrees_.push_back(std::move(subtree));
  }
}

}  // namespace ssync::source
