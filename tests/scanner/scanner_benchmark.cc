// Scans with one, two and eight threads, without an index and with one that knows everything.
#include <benchmark/benchmark.h>

#include "ssync/base/assert.h"
#include "ssync/scanner/scanner.h"
#include "ssync/support/disk_tree.h"

namespace ssync::scanner {
namespace {

constexpr std::size_t kDirectories = 200, kFiles = 100;

void scan_once(fs::Root& root, const std::string& state, unsigned threads, bool keep) {
  index::Index known = index::Index::open(state, index::Role::source, root.absolute_path()).value();
  Options options;
  options.threads = threads;
  Scanner scanner(root.tree(), known, options);
  std::size_t entries = 0;
  while (const std::optional<ScanBlock> block = scanner.next().value())
    entries += block->entries.size();
  benchmark::DoNotOptimize(entries);
  if (keep) SSYNC_ASSERT(scanner.commit_index(index::Header{}).has_value());
}

void scan(benchmark::State& state) {
  const support::DiskTree tree(kDirectories, kFiles, 1);
  fs::Root root = fs::Root::open(tree.source(), fs::Root::Lock::no).value();
  if (state.range(1) != 0) scan_once(root, tree.state(), 2, true);
  for (auto _ : state)
    scan_once(root, tree.state(), static_cast<unsigned>(state.range(0)), false);
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kDirectories * (kFiles + 1)));
}
BENCHMARK(scan)->ArgNames({"threads", "index"})->ArgsProduct({{1, 2, 8}, {0, 1}})->UseRealTime();

}  // namespace
}  // namespace ssync::scanner

BENCHMARK_MAIN();
