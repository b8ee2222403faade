#include "pair.h"

#include <stdlib.h>
#include <unistd.h>

#include <array>
#include <deque>
#include <filesystem>
#include <optional>
#include <utility>

#include "ssync/base/assert.h"
#include "ssync/content/content.h"
#include "ssync/model/tree_digest.h"
#include "ssync/planner/planner.h"
#include "ssync/scanner/scanner.h"
#include "ssync/store/applier.h"

namespace ssync::pipeline_test {
namespace {

using content::Content;
using planner::Planner;
using planner::Query;
using store::Applied;

constexpr std::string_view kRoot = "/tree";

std::string text_of(const Change& change) {
  std::string text(op_name(change.op));
  text += " " + printable(change.path());
  if (!change.from_name.empty()) text += " <- " + printable(change.from());
  if (change.restore) text += " (restore)";
  return text;
}

Result<Content> content_of(fs::Tree& tree, PathView path, const std::optional<Seen>& expected, bool digest) {
  SSYNC_TRY(const auto directory, tree.open(path.location));
  return content::ContentReader().read(*directory, path.name, expected,
                                       digest ? std::optional(DigestKind::sha256) : std::nullopt, {});
}

bool is_same_file(const Seen& a, const Seen& b) {
  return a.device == b.device && a.inode == b.inode && a.values.size == b.values.size &&
         a.values.mtime == b.values.mtime;
}

/// What the source tells: its list, and answers about content.
class SourceEnd {
 public:
  SourceEnd(fs::Tree& tree, index::Index& index, const SyncOptions& options)
      : tree_(tree), index_(index), options_(options), scan_clock_(tree.clock()) {}

  Result<void> scan() {
    scanner::Options scan;
    scan.threads = options_.scan_threads;
    scan.digest_kind = DigestKind::sha256;
    scan.with_digests = options_.with_digests;
    scanner::Scanner scanner(tree_, index_, scan);
    for (;;) {
      SSYNC_TRY(std::optional<ScanBlock> block, scanner.next());
      if (!block) break;
      blocks_.push_back(std::move(*block));
      SSYNC_TRY_VOID(list(blocks_.back()));
    }
    return scanner.commit_index(index_.header());
  }

  RowBatch next_batch() {
    RowBatch batch;  // its views point into the blocks, which stay
    while (given_ < rows_.size() && batch.rows.size() < options_.batch_rows)
      batch.rows.push_back(rows_[given_++]);
    batch.last = given_ == rows_.size();
    return batch;
  }

  Result<planner::Answer> answer(const Query& query) {
    SSYNC_TRY(const Content content, content_of(tree_, {query.location, query.name}, std::nullopt,
                                                query.what == Query::What::digest));
    SSYNC_TRY_VOID(remember({query.location, query.name}, content.seen, content.checksum, content.digest));
    return planner::Answer{query.id, content.checksum, content.digest};
  }

  Result<void> sent(const transfer::SentFile& file) {
    if (!file.exact) return fail(Errc::changed, "a file grew while it was sent");
    return remember(rows_.at(file.row).path(), file.seen, file.checksum, std::nullopt);
  }

  [[nodiscard]] std::string digest() const { return digest_.hex(); }

 private:
  Result<void> list(const ScanBlock& block) {
    if (block.self) SSYNC_TRY_VOID(add(block, {.seen = *block.self}));
    for (const ScannedEntry& entry : block.entries)
      SSYNC_TRY_VOID(add(block, entry));
    return {};
  }

  Result<void> add(const ScanBlock& block, const ScannedEntry& entry) {
    Row row;
    row.location = block.location;
    row.name = entry.name;
    row.id = rows_.size();
    row.values = entry.seen.values;
    row.target = entry.target;
    row.doubt = entry.doubt;
    row.digest = entry.digest;
    const bool file = row.values.kind == Kind::file;
    if (file && options_.compare_content) {
      row.doubt = true;
      row.digest.reset();
    } else {
      row.checksum = entry.checksum;
      row.origin = entry.origin;
    }
    std::optional<Checksum> folded;
    if (file && options_.compare_content) {
      SSYNC_TRY(const Content content, content_of(tree_, row.path(), std::nullopt, false));
      folded = content.checksum;
    }
    digest_.add(row.location,
                row_hash(row.name, project(row.values, options_.pipe.attributes), row.target, folded));
    rows_.push_back(row);
    return {};
  }

  Result<void> remember(PathView path, const Seen& seen, const Checksum& checksum,
                        const std::optional<Digest>& digest) {
    index::Record record;
    record.held = seen;
    record.racy = fs::is_racy(seen.ctime, scan_clock_);
    if (!record.racy) {
      record.checksum = checksum;
      record.digest = digest;
    }
    return index_.append(path, record);
  }

  fs::Tree& tree_;
  index::Index& index_;
  const SyncOptions& options_;
  const FileTime scan_clock_;
  std::deque<ScanBlock> blocks_;  // a deque: locations stay where they are
  std::vector<Row> rows_;
  std::size_t given_ = 0;
  TreeDigest digest_;
};

scanner::Options mirror_scan(const SyncOptions& options) {
  scanner::Options scan;
  scan.role = index::Role::mirror;
  scan.threads = options.scan_threads;
  scan.digest_kind = DigestKind::sha256;
  return scan;
}

planner::Options plan_options(const SyncOptions& options, const index::Index& mirror) {
  planner::Options plan;
  plan.attributes = options.pipe.attributes;
  plan.compare_content = options.compare_content;
  plan.change_batch = options.change_batch;
  plan.mirror_synced_before = mirror.header().synced_count > 0;
  return plan;
}

/// Scans the mirror, decides, and carries out.
class MirrorEnd {
 public:
  MirrorEnd(SourceEnd& source, fs::Tree& source_tree, support::FakeTree& tree, index::Index& index,
            const SyncOptions& options)
      : source_(source),
        tree_(tree),
        index_(index),
        options_(options),
        staging_(tree),
        scanner_(tree, index, mirror_scan(options)),
        planner_(plan_options(options, index), digest_),
        applier_(tree, staging_, {.attributes = options.pipe.attributes, .durable = store::Durable::no}),
        pipe_(std::in_place, source_tree, tree, staging_, options.pipe) {}

  Result<void> run() {
    for (;;) {
      SSYNC_TRY(const Planner::Step step, planner_.step());
      for (const Problem& problem : planner_.take_problems())
        synced.troubles.push_back("planner: " + printable(problem.path()) + ": " + problem.text);
      if (step == Planner::Step::done) break;
      SSYNC_TRY_VOID(act(step));
    }
    SSYNC_TRY_VOID(finish_writes());
    synced.mirror_digest = digest_.hex();
    index::Header header = index_.header();
    ++header.synced_count;
    SSYNC_TRY_VOID(index_.append_header(header));
    return index_.flush_log(index::Index::Durable::no);
  }

  Synced synced;

 private:
  Result<void> act(Planner::Step step) {
    switch (step) {
      case Planner::Step::need_source:
        return planner_.add_source(source_.next_batch());
      case Planner::Step::need_mirror:
        return give_mirror();
      case Planner::Step::listings:
        return fail(Errc::protocol, "rows were asked for, and all are listed");
      case Planner::Step::queries:
        return ask();
      case Planner::Step::planned:
        synced.totals = planner_.totals();
        if (planner_.guard() != Guard::none) return fail(Errc::protocol, "a guard holds");
        planner_.proceed();
        return {};
      case Planner::Step::changes:
        for (Change& change : planner_.take_changes())
          SSYNC_TRY_VOID(carry_out(std::move(change)));
        return {};
      case Planner::Step::need_writes: {
        SSYNC_TRY_VOID(finish_writes());
        planner_.writes_done();
        return {};
      }
      case Planner::Step::need_answers:
      case Planner::Step::done:
        break;
    }
    return fail(Errc::protocol, "every question was answered");
  }

  Result<void> give_mirror() {
    SSYNC_TRY(std::optional<ScanBlock> block, scanner_.next());
    if (block) return planner_.add_mirror(*block);
    SSYNC_TRY_VOID(scanner_.commit_index(index_.header()));
    planner_.end_mirror();
    return {};
  }

  Result<void> ask() {
    for (const Query& query : planner_.take_queries()) {
      if (!query.known_only) ++synced.reads;
      SSYNC_TRY(const planner::Answer answer,
                query.side == Query::Side::source ? source_.answer(query) : mirror_answer(query));
      planner_.answer(answer);
    }
    return {};
  }

  Result<planner::Answer> mirror_answer(const Query& query) {
    const PathView path{query.location, query.name};
    const std::optional<index::Record> record = index_.find(path);
    if (query.known_only) {
      const bool known = record && !record->racy && query.seen && is_same_file(record->held, *query.seen);
      return known ? planner::Answer{query.id, record->checksum, record->digest}
                   : planner::Answer{query.id, std::nullopt, std::nullopt};
    }
    SSYNC_TRY(const Content content, content_of(tree_, path, query.seen, query.what == Query::What::digest));
    if (record && !record->racy && record->held == content.seen) {
      index::Record known = *record;
      known.checksum = content.checksum;
      if (content.digest) known.digest = content.digest;
      SSYNC_TRY_VOID(index_.append(path, known));
    }
    return planner::Answer{query.id, content.checksum, content.digest};
  }

  Result<void> carry_out(Change change) {
    if (change.record_only) {
      ++synced.recorded;
    } else {
      synced.steps.push_back(text_of(change));
    }
    if (change.op == Op::request) {
      pipe_->request(std::move(change));
      return {};
    }
    SSYNC_TRY(const Applied applied, applier_.apply(change, {}));
    if (applied.state == Applied::State::done) return remember(change);
    synced.troubles.push_back(text_of(change) + (applied.state == Applied::State::stale ? ": stale " : ": ") +
                              applied.problem.text);
    return {};
  }

  /// Like the server: what was made right is in the digest and the index at once.
  Result<void> remember(const Change& change) {
    switch (change.op) {
      case Op::make_directory:
      case Op::rename_directory:
      case Op::stage_copy:
        return {};
      case Op::stage_rename:
        return index_.append_removed(change.from());
      case Op::remove:
      case Op::remove_directory:
        return index_.append_removed(change.path());
      case Op::rename:
        SSYNC_TRY_VOID(index_.append_removed(change.from()));
        break;
      case Op::exchange:
        if (change.from_row == kNoRow) break;  // a later step makes it right
        SSYNC_TRY_VOID(seal(change.from(), change.from_wanted, {}, change.from_checksum, std::nullopt));
        break;
      default:
        break;
    }
    if (change.restore) return {};
    return seal(change.path(), change.wanted, change.target, change.checksum, change.digest);
  }

  Result<void> seal(PathView path, const Values& wanted, std::string_view target,
                    std::optional<Checksum> checksum, const std::optional<Digest>& digest) {
    if (options_.settle) tree_.tick();
    SSYNC_TRY(const auto directory, tree_.open(path.location));
    SSYNC_TRY(const fs::Stat stat, path.name.empty() ? directory->stat_self() : directory->stat(path.name));
    const Attributes& attributes = options_.pipe.attributes;
    if (project(stat.seen.values, attributes) != project(wanted, attributes))
      synced.troubles.push_back("not as wanted: " + printable(path));
    const bool file = wanted.kind == Kind::file;
    if (file && wanted.size == 0) checksum = content::ContentHash().checksum();
    digest_.add(path.location, row_hash(path.name, project(stat.seen.values, attributes), target,
                                        options_.compare_content && file ? checksum : std::nullopt));
    if (wanted.kind == Kind::directory) return {};
    index::Record record;
    record.held = stat.seen;
    record.wanted = wanted;
    record.racy = file && fs::is_racy(stat.seen.ctime, tree_.clock());
    if (!record.racy) {
      record.checksum = checksum;
      record.digest = digest;
    }
    return index_.append(path, record);
  }

  /// Nothing comes afterwards but attributes of directories.
  Result<void> finish_writes() {
    if (!pipe_) return {};
    Transferred done = pipe_->finish();
    pipe_.reset();
    synced.troubles.insert(synced.troubles.end(), done.failures.begin(), done.failures.end());
    for (const transfer::SentFile& file : done.sent)
      SSYNC_TRY_VOID(source_.sent(file));
    for (const transfer::PublishedFile& file : done.published)
      SSYNC_TRY_VOID(seal(file.change.path(), file.change.wanted, {}, file.checksum, std::nullopt));
    applier_.close_directories();
    return staging_.remove();
  }

  SourceEnd& source_;
  support::FakeTree& tree_;
  index::Index& index_;
  const SyncOptions& options_;
  fs::Staging staging_;
  scanner::Scanner scanner_;
  TreeDigest digest_;
  Planner planner_;
  store::Applier applier_;
  std::optional<Pipe> pipe_;
};

}  // namespace

// In memory where that is possible: an index is flushed to the disk with every sync.
State::State()
    : path_(((::access("/dev/shm", W_OK) == 0 ? std::filesystem::path("/dev/shm")
                                              : std::filesystem::temp_directory_path()) /
             "pipeline-XXXXXX")
                .string()) {
  SSYNC_ASSERT(::mkdtemp(path_.data()) != nullptr);
}

State::~State() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

Result<index::Index> State::open(index::Role role) const {
  return index::Index::open(path_ + "/state", role, kRoot);
}

void State::forget() const {
  std::filesystem::remove_all(path_ + "/state");
}

Synced Pair::sync(const SyncOptions& options) {
  Synced synced;
  const auto run = [&]() -> Result<void> {
    SSYNC_TRY(index::Index source_index, source_state.open(index::Role::source));
    SSYNC_TRY(index::Index mirror_index, mirror_state.open(index::Role::mirror));
    SourceEnd source_end(source, source_index, options);
    SSYNC_TRY_VOID(source_end.scan());
    MirrorEnd mirror_end(source_end, source, mirror, mirror_index, options);
    const Result<void> done = mirror_end.run();
    synced = std::move(mirror_end.synced);
    synced.source_digest = source_end.digest();
    SSYNC_TRY_VOID(source_index.flush_log(index::Index::Durable::no));
    return done;
  };
  if (const Result<void> done = run(); !done) synced.troubles.push_back(done.error().text());
  return synced;
}

}  // namespace ssync::pipeline_test
