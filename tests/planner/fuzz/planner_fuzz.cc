// The planner: with two trees that had a common past, as honest ends have them, its changes make the mirror
// equal to the source; with rows that a peer may send, in any order and with any values, it refuses them or
// plans nothing that a careful program would refuse.
#include <string>
#include <utility>
#include <vector>

#include "ssync/model/path.h"
#include "ssync/planner/planner.h"
#include "ssync/support/fuzz_input.h"
#include "ssync/wire/messages.h"

#include "drive.h"
#include "random_trees.h"
#include "tree.h"

namespace {

using namespace ssync;
using namespace ssync::planner;
using namespace ssync::planner::test;
using support::FuzzInput;
using support::require;

std::vector<Edit> edits(FuzzInput& input) {
  std::vector<Edit> out;
  for (std::size_t left = input.pick(10); left > 0; --left)
    out.emplace_back(input.byte(), input.byte(), input.byte(), input.byte());
  return out;
}

Driving driving(FuzzInput& input) {
  Driving out;
  const std::uint8_t flags = input.byte();
  out.batch_rows = 1 + input.pick(8);
  out.options.change_batch = 1 + input.pick(8);
  out.options.compare_content = (flags & 1U) != 0;
  out.by_sums = (flags & 2U) != 0 && !out.options.compare_content;
  out.mirror_first = (flags & 4U) != 0;
  out.refuse_answers = (flags & 8U) != 0 && !out.options.compare_content;
  out.options.delete_extra = (flags & 16U) != 0 ? DeleteExtra::no : DeleteExtra::yes;
  out.options.early_creations = (flags & 32U) != 0;
  out.options.attributes.owner = (flags & 64U) != 0;
  if ((flags & 128U) != 0) out.options.client_max_delete = input.pick(8);
  out.answer_seed = input.byte();
  return out;
}

void plan_honest_trees(FuzzInput& input) {
  const Driving how = driving(input);
  const std::uint8_t salt = input.byte();
  const auto common = edits(input);
  const auto source = edits(input);
  const auto mirror = edits(input);
  const Trees trees = make_trees(common, source, mirror, Knowledge::some, salt);
  const Outcome outcome = drive(trees.source, trees.mirror, how);
  require(outcome.error.empty(), outcome.error.c_str());
  if (outcome.guard != Guard::none) return;
  require(outcome.digest == digest_of_source(trees.source, outcome.problems, how.options),
          "both ends have one tree digest");
}

const char* const kNames[] = {"a", "b", "ab", "a.b", "A", "\xff", "z"};

/// A few names, so that rows meet each other and the mirror; at times any text.
std::string any_name(FuzzInput& input) {
  return input.chance(16) ? input.text(40) : std::string(kNames[input.pick(std::size(kNames))]);
}

std::string any_location(FuzzInput& input) {
  std::string out;
  for (std::size_t depth = input.pick(4); depth > 0; --depth)
    out += (out.empty() ? "" : "/") + any_name(input);
  return out;
}

/// Rows as they come out of a decoder: each is valid, together they may be nonsense.
class HostilePlan {
 public:
  explicit HostilePlan(FuzzInput& input) : input_(input), planner_(options(), digest_) {
    edit(mirror_, edits(input));
    mirror_.settle_mirror();
    blocks_ = scan(mirror_);
  }

  void run() {
    for (int steps = 0; steps < 2000; ++steps) {
      const auto next = planner_.step();
      if (!next || !take(*next)) return;
    }
  }

 private:
  Options options() {
    Options out;
    out.mirror_synced_before = true;
    out.early_creations = input_.chance(128);
    out.attributes.case_sensitive = input_.chance(200);
    out.delete_extra = input_.chance(60) ? DeleteExtra::no : DeleteExtra::yes;
    by_sums_ = input_.chance(60);
    return out;
  }

  /// False: it is over.
  bool take(Planner::Step step) {
    switch (step) {
      case Planner::Step::need_source:
        carry_out(planner_.take_early());
        return give_source();
      case Planner::Step::need_mirror:
        if (next_block_ == blocks_.size()) {
          planner_.end_mirror();
          return true;
        }
        return planner_.add_mirror(blocks_[next_block_++]).has_value();
      case Planner::Step::directories:
        (void)planner_.take_asked_directories();
        return true;
      case Planner::Step::queries:
        for (Query& query : planner_.take_queries())
          open_.push_back(query.id);
        return true;
      case Planner::Step::need_answers:
        require(!open_.empty(), "what is waited for was asked");
        planner_.answer(answer());
        return true;
      case Planner::Step::planned:
        if (planner_.guard() != Guard::none && planner_.guard() != Guard::max_delete) return false;
        planner_.proceed();
        return true;
      case Planner::Step::changes:
        carry_out(planner_.take_changes());
        return true;
      case Planner::Step::need_writes:
        planner_.writes_done();
        return true;
      case Planner::Step::done:
        return false;
    }
    return false;
  }

  Answer answer() {
    Answer out;
    out.id = open_.back();
    open_.pop_back();
    if (input_.chance(128)) out.checksum = checksum_of(std::string(input_.pick(3), 'x'));
    if (input_.chance(128)) out.digest = digest_of(std::string(input_.pick(3), 'x'));
    return out;
  }

  bool give_source() {
    if (input_.is_over()) return false;
    if (by_sums_ && input_.chance(128)) {
      std::vector<DirectorySum> sums;
      for (std::size_t left = input_.pick(4); left > 0; --left)
        sums.push_back({any_location(input_), input_.number(), std::nullopt});
      wire::DirectoryList list{0, sums, false};
      if (!wire::validate(list)) return true;
      return planner_.add_directories(sums, input_.chance(60)).has_value();
    }
    texts_.clear();
    texts_.reserve(64);
    wire::FileList list;
    for (std::size_t left = input_.pick(8); left > 0; --left)
      list.batch.rows.push_back(any_row());
    list.batch.last = input_.chance(60);
    if (!wire::validate(list)) return true;
    return planner_.add_source(std::move(list.batch)).has_value();
  }
  Row any_row() {
    Row out;
    out.id = input_.chance(230) ? rows_++ : input_.number();
    if (out.id > 0 || input_.chance(8)) {
      out.location = texts_.emplace_back(any_location(input_));
      out.name = texts_.emplace_back(any_name(input_));
    }
    out.values.kind = out.id == 0 ? Kind::directory : static_cast<Kind>(input_.pick(5));
    out.values.mode = 0644;
    if (out.values.kind == Kind::file) out.values.size = input_.number();
    if (out.values.kind == Kind::symlink) {
      out.target = texts_.emplace_back(input_.text(20));
      out.values.size = out.target.size();
    }
    out.values.mtime = {static_cast<std::int64_t>(input_.number()),
                        static_cast<std::uint32_t>(input_.pick(3))};
    out.doubt = input_.chance(40);
    if (input_.chance(128)) out.checksum = checksum_of(std::string(input_.pick(3), 'x'));
    return out;
  }

  void carry_out(const std::vector<Change>& changes) {
    for (const Change& change : changes) {
      check(change.path());
      if (const Change::From* from = change.from()) check(from->path());
    }
  }
  static void check(PathView path) {
    if (path.location.empty() && path.name.empty()) return;  // the root
    require(!path.name.empty() && path.name != "." && path.name != ".." &&
                path.name.find('/') == std::string_view::npos &&
                path.name.find('\0') == std::string_view::npos,
            "a change is of one name");
    const std::string inside = "/" + std::string(path.location) + "/";
    require(inside.find("/../") == std::string::npos && inside.find("/./") == std::string::npos &&
                (path.location.empty() || (path.location.front() != '/' && path.location.back() != '/')),
            "a change is below the root");
  }

  FuzzInput& input_;
  bool by_sums_ = false;
  TreeDigest digest_;
  Planner planner_;
  Tree mirror_;
  std::vector<ScanBlock> blocks_;
  std::size_t next_block_ = 0;
  RowId rows_ = 0;
  std::vector<std::uint64_t> open_;
  std::vector<std::string> texts_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* first, std::size_t size) {
  FuzzInput input(first, size);
  if (input.chance(128)) {
    plan_honest_trees(input);
  } else {
    HostilePlan(input).run();
  }
  return 0;
}
