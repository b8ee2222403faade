// Plans of a tree that is equal on both sides, and of one that is new.
#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "ssync/base/assert.h"
#include "ssync/planner/planner.h"

namespace ssync::planner {
namespace {

constexpr std::size_t kFiles = 100;

struct Names {
  std::string location;
  std::vector<std::string> files;
};

std::string padded(std::size_t number) {
  std::string text = std::to_string(number);
  return std::string(6 - text.size(), '0') + text;
}

std::vector<Names> names_of(std::size_t directories) {
  std::vector<Names> all(directories);
  for (std::size_t d = 0; d < directories; ++d) {
    all[d].location = "directory-" + padded(d);
    for (std::size_t f = 0; f < kFiles; ++f)
      all[d].files.push_back("file-" + padded(f));
  }
  return all;
}

Values directory_values() {
  return {Kind::directory, 0755, 0, {1000, 0}, {}};
}
Values file_values(std::size_t number) {
  return {Kind::file, 0644, 1000 + number, {1000, 0}, {}};
}

ScanBlock root_block(const std::vector<Names>& names, bool filled) {
  ScanBlock block;
  block.self = Seen{directory_values(), {}, 1, 1, 1};
  for (std::size_t d = 0; filled && d < names.size(); ++d) {
    ScannedEntry entry;
    entry.name = names[d].location;
    entry.seen = Seen{directory_values(), {}, 1, 2 + d, 1};
    entry.wanted = directory_values();
    block.entries.push_back(entry);
  }
  return block;
}

ScanBlock directory_block(const Names& names, std::size_t d) {
  ScanBlock block;
  block.location = names.location;
  for (std::size_t f = 0; f < kFiles; ++f) {
    ScannedEntry entry;
    entry.name = names.files[f];
    entry.seen = Seen{file_values(f), {}, 1, 1'000'000 + d * kFiles + f, 1};
    entry.wanted = file_values(f);
    block.entries.push_back(entry);
  }
  return block;
}

Row row_of(std::string_view location, std::string_view name, RowId id, const Values& values) {
  Row row;
  row.location = location;
  row.name = name;
  row.id = id;
  row.values = values;
  return row;
}

std::vector<RowBatch> list_of(const std::vector<Names>& names) {
  std::vector<RowBatch> batches(names.size() + 1);
  RowId id = 0;
  batches[0].rows.push_back(row_of("", "", id++, directory_values()));
  for (const Names& directory : names)
    batches[0].rows.push_back(row_of("", directory.location, id++, directory_values()));
  for (std::size_t d = 0; d < names.size(); ++d) {
    for (std::size_t f = 0; f < kFiles; ++f)
      batches[d + 1].rows.push_back(row_of(names[d].location, names[d].files[f], id++, file_values(f)));
  }
  batches.back().last = true;
  return batches;
}

std::size_t plan(const std::vector<RowBatch>& list, const std::vector<ScanBlock>& scan) {
  TreeDigest digest;
  Planner planner({}, digest);
  std::size_t batch = 0, block = 0, changes = 0;
  for (;;) {
    switch (planner.step().value()) {
      case Planner::Step::need_source:
        SSYNC_ASSERT(planner.add_source({list[batch].rows, {}, list[batch].last}).has_value());
        ++batch;
        break;
      case Planner::Step::need_mirror:
        if (block == scan.size()) {
          planner.end_mirror();
        } else {
          SSYNC_ASSERT(planner.add_mirror(scan[block++]).has_value());
        }
        break;
      case Planner::Step::directories:  // whole lists are given
        break;
      case Planner::Step::queries:
        for (const Query& query : planner.take_queries())
          planner.answer({query.id, std::nullopt, std::nullopt});
        break;
      case Planner::Step::need_answers:
        break;
      case Planner::Step::planned:
        planner.proceed();
        break;
      case Planner::Step::changes:
        changes += planner.take_changes().size();
        break;
      case Planner::Step::need_writes:
        planner.writes_done();
        break;
      case Planner::Step::done:
        return changes;
    }
  }
}

void plan_tree(benchmark::State& state) {
  const bool equal = state.range(1) != 0;
  const std::vector<Names> names = names_of(static_cast<std::size_t>(state.range(0)));
  const std::vector<RowBatch> list = list_of(names);
  std::vector<ScanBlock> scan;
  scan.push_back(root_block(names, equal));
  for (std::size_t d = 0; equal && d < names.size(); ++d)
    scan.push_back(directory_block(names[d], d));
  for (auto _ : state)
    benchmark::DoNotOptimize(plan(list, scan));
  state.SetItemsProcessed(state.iterations() * state.range(0) * static_cast<std::int64_t>(kFiles + 1));
}
BENCHMARK(plan_tree)->ArgNames({"directories", "equal"})->ArgsProduct({{100, 1000}, {0, 1}});

}  // namespace
}  // namespace ssync::planner

BENCHMARK_MAIN();
