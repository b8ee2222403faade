#include "drive.h"

#include <algorithm>
#include <deque>
#include <map>
#include <random>
#include <utility>

#include "apply.h"

namespace ssync::planner::test {
namespace {

// Answers as index and files of both trees would.
Answer answer_to(const Query& query, const Tree& source, const Tree& mirror, bool refuse) {
  Answer answer;
  answer.id = query.id;
  const std::string path = join({query.location, query.name});
  const Node* node = (query.side == Query::Side::source ? source : mirror).find(path);
  if (node == nullptr || node->values.kind != Kind::file) return answer;
  if (query.seen && (query.seen->inode != node->inode || query.seen->values != node->values)) return answer;
  if (query.known_only) {
    if (node->knows_checksum) answer.checksum = checksum_of(node->content);
    if (node->knows_digest) answer.digest = digest_of(node->content);
    return answer;
  }
  if (refuse) return answer;
  if (query.what == Query::What::checksum) answer.checksum = checksum_of(node->content);
  if (query.what == Query::What::digest) answer.digest = digest_of(node->content);
  return answer;
}

struct LocationOrder {
  bool operator()(const std::string& a, const std::string& b) const { return compare_locations(a, b) < 0; }
};

class Driver {
 public:
  Driver(const Tree& source, const Tree& mirror, const Driving& driving)
      : source_(source),
        before_(mirror),
        driving_(driving),
        planner_(driving.options, digest_),
        batches_(list(source, driving.batch_rows)),
        blocks_(scan(mirror)),
        random_(driving.answer_seed) {
    outcome_.mirror = mirror;
    for (const Problem& problem : driving.block_problems)
      add_problem(problem);
    for (ScanBlock& block : blocks_)
      block.holds_own = std::ranges::find(driving.holding_own, block.location) != driving.holding_own.end();
  }

  Outcome run() {
    if (driving_.by_sums) sum_directories();
    if (driving_.mirror_first) give_mirror(blocks_.size());
    while (outcome_.error.empty() && !is_done_)
      step();
    outcome_.totals = planner_.totals();
    outcome_.guard = planner_.guard();
    if (outcome_.error.empty()) outcome_.error = applier_.finish();
    outcome_.digest = digest_.hex();
    return std::move(outcome_);
  }

 private:
  void add_problem(const Problem& problem) {
    const std::string path = join(problem.path());
    for (ScanBlock& block : blocks_) {
      if (block.location == path) return block.problems.push_back(problem);
    }
    for (ScanBlock& block : blocks_) {
      if (block.location == problem.location) return block.problems.push_back(problem);
    }
  }

  void check(const Result<void>& result) {
    if (result || !outcome_.error.empty()) return;
    outcome_.error = result.error().text();
    outcome_.code = result.error().code;
  }

  // The source as a client that lists directories has it: all rows, and what those of each directory add up
  // to.
  void sum_directories() {
    std::map<std::string, std::vector<Row>, LocationOrder> rows;
    for (const RowBatch& batch : batches_.rest) {
      for (const Row& row : batch.rows) {
        rows[std::string(row.location)].push_back(row);
        if (row.values.kind == Kind::directory) rows.try_emplace(join(row.path()));
      }
    }
    for (auto& [location, inside] : rows) {
      DirectorySum sum{location, inside.size(), Hash128{}};
      for (const Row& row : inside) {
        if (row.doubt || !is_mirrored(row.values.kind)) sum.sum.reset();
        if (!sum.sum) break;
        *sum.sum += row_hash(row.name, project(row.values, driving_.options.attributes), row.target,
                             row.values.size > 0 ? row.checksum : std::nullopt);
      }
      sums_.push_back(std::move(sum));
      rows_of_.push_back(std::move(inside));
    }
  }

  // Directories and rows in turn, while there are both.
  void give_sums_or_rows() {
    const bool has_sums = next_sum_ < sums_.size();
    if (has_sums && (asked_.empty() || random_() % 2 == 0)) {
      const std::size_t last = std::min(sums_.size(), next_sum_ + driving_.batch_rows);
      std::vector<DirectorySum> batch(sums_.begin() + static_cast<std::ptrdiff_t>(next_sum_),
                                      sums_.begin() + static_cast<std::ptrdiff_t>(last));
      next_sum_ = last;
      return check(planner_.add_directories(batch, last == sums_.size()));
    }
    RowBatch batch;
    while (!asked_.empty() && batch.rows.size() < driving_.batch_rows) {
      batch.rows.push_back(asked_.front());
      asked_.pop_front();
    }
    if (batch.rows.empty()) {
      outcome_.error = "it waits for rows that it did not ask for";
      return;
    }
    outcome_.rows_given += batch.rows.size();
    check(planner_.add_source(std::move(batch)));
  }

  void give_mirror(std::size_t count) {
    for (; count > 0; --count) {
      if (blocks_.empty()) return planner_.end_mirror();
      check(planner_.add_mirror(blocks_.front()));
      blocks_.erase(blocks_.begin());
    }
  }

  void answer_some() {
    std::shuffle(open_.begin(), open_.end(), random_);
    const std::size_t count = std::max<std::size_t>(1, open_.size() / 2);
    for (std::size_t i = 0; i < count; ++i) {
      planner_.answer(answer_to(open_.back(), source_, before_, driving_.refuse_answers));
      open_.pop_back();
    }
  }

  void carry_out(std::vector<Change> changes) {
    for (Change& change : changes) {
      if (outcome_.error.empty()) outcome_.error = applier_.apply(change);
      outcome_.changes.push_back(std::move(change));
    }
  }

  void step() {
    const auto next = planner_.step();
    if (!next) {
      outcome_.error = next.error().text();
      outcome_.code = next.error().code;
      return;
    }
    switch (*next) {
      case Planner::Step::directories:
        for (const Planner::AskedDirectory& asked : planner_.take_asked_directories()) {
          if (sums_.at(asked.directory).location != asked.location) outcome_.error = "another directory";
          const std::vector<Row>& rows = rows_of_.at(asked.directory);
          asked_.insert(asked_.end(), rows.begin(), rows.end());
        }
        break;
      case Planner::Step::need_source:
        if (!driving_.takes_early_at_times || random_() % 2 == 0) carry_out(planner_.take_early());
        if (driving_.by_sums) {
          give_sums_or_rows();
          break;
        }
        check(planner_.add_source(std::move(batches_.front())));
        batches_.pop_front_batch();
        break;
      case Planner::Step::need_mirror:
        give_mirror(1);
        break;
      case Planner::Step::queries:
        for (Query& query : planner_.take_queries()) {
          outcome_.queries.push_back(query);
          open_.push_back(std::move(query));
        }
        break;
      case Planner::Step::need_answers:
        answer_some();
        break;
      case Planner::Step::planned:
        outcome_.early = outcome_.changes.size();
        if (const Guard guard = planner_.guard(); guard != Guard::none && guard != Guard::max_delete)
          is_done_ = true;
        if (!is_done_) planner_.proceed();
        break;
      case Planner::Step::changes:
        carry_out(planner_.take_changes());
        break;
      case Planner::Step::need_writes:
        planner_.writes_done();
        break;
      case Planner::Step::done:
        is_done_ = true;
        break;
    }
    for (Problem& problem : planner_.take_problems())
      outcome_.problems.push_back(std::move(problem));
  }

  // Frees each batch when it was given: the planner must not look at it again.
  struct Batches {
    explicit Batches(std::vector<RowBatch> all) {
      for (RowBatch& batch : all)
        rest.push_back(std::move(batch));
    }
    RowBatch& front() { return rest.front(); }
    void pop_front_batch() { rest.pop_front(); }
    std::deque<RowBatch> rest;
  };

  const Tree& source_;
  const Tree before_;
  const Driving& driving_;
  TreeDigest digest_;
  Planner planner_;
  Batches batches_;
  std::vector<DirectorySum> sums_;
  std::size_t next_sum_ = 0;
  std::vector<std::vector<Row>> rows_of_;  ///< beside sums_
  std::deque<Row> asked_;
  std::vector<ScanBlock> blocks_;
  std::mt19937_64 random_;
  std::vector<Query> open_;
  Outcome outcome_;
  bool is_done_ = false;
  Applier applier_{source_, outcome_.mirror, digest_, driving_.options};
};

std::string text_of(const Change& change) {
  std::string text(op_name(change.op()));
  const std::string path = join(change.path());
  text += " " + (path.empty() ? "." : path);
  if (const Change::From* const from = change.from()) text += " <- " + join(from->path());
  if (change.is(Change::SetMetadata::Purpose::record)) text += " (record)";
  if (change.is(Change::SetMetadata::Purpose::restore) || change.respells()) text += " (restore)";
  return text;
}

}  // namespace

std::vector<std::string> Outcome::steps() const {
  std::vector<std::string> lines;
  for (const Change& change : changes)
    lines.push_back(text_of(change));
  return lines;
}

std::vector<std::string> Outcome::work() const {
  std::vector<std::string> lines;
  for (const Change& change : changes) {
    const bool is_final = change.op() == Op::set_metadata && change.wanted.kind == Kind::directory;
    if (!is_final) lines.push_back(text_of(change));
  }
  return lines;
}

std::vector<std::string> Outcome::problem_paths() const {
  std::vector<std::string> paths;
  for (const Problem& problem : problems)
    paths.push_back(join(problem.path()));
  return paths;
}

std::vector<std::string> Outcome::reads() const {
  std::vector<std::string> lines;
  for (const Query& query : queries) {
    if (query.known_only) continue;
    std::string line = query.side == Query::Side::source ? "source " : "mirror ";
    line += query.what == Query::What::digest ? "digest " : "checksum ";
    lines.push_back(line + join({query.location, query.name}));
  }
  std::sort(lines.begin(), lines.end());
  return lines;
}

Outcome drive(const Tree& source, const Tree& mirror, const Driving& driving) {
  return Driver(source, mirror, driving).run();
}

std::string digest_of_source(const Tree& source, const std::vector<Problem>& problems,
                             const Options& options) {
  TreeDigest digest;
  for (const std::string& path : source.paths()) {
    const bool is_out = std::any_of(problems.begin(), problems.end(), [&](const Problem& problem) {
      const std::string at = join(problem.path());
      return path == at || (problem.subtree && is_at_or_below(path, at));
    });
    if (is_out) continue;
    const Node& node = *source.find(path);
    if (!is_mirrored(node.values.kind)) continue;
    std::optional<Checksum> checksum;
    if (options.compare_content && node.values.kind == Kind::file) checksum = checksum_of(node.content);
    const PathView view = split(path);
    digest.add(view.location,
               row_hash(view.name, project(node.values, options.attributes), node.target, checksum));
  }
  return digest.hex();
}

}  // namespace ssync::planner::test
