// Small files from one directory to another: read into chunks, staged and published, with nothing between.
#include <benchmark/benchmark.h>

#include <filesystem>
#include <thread>

#include "ssync/support/disk_tree.h"
#include "ssync/transfer/receiver.h"
#include "ssync/transfer/source_reader.h"

#include "rig.h"

namespace ssync::transfer {
namespace {

constexpr std::size_t kDirectories = 50, kFiles = 40, kBytes = 8192;

std::vector<Change> requests_of(fs::Tree& source, fs::Tree& mirror, bool fill) {
  std::vector<Change> requests = first_copy(source, mirror).requests;
  for (Change& request : requests)
    std::get<Change::Request>(request.step).fills_directory = fill;
  return requests;
}

void count(benchmark::State& state) {
  const auto files = static_cast<std::int64_t>(kDirectories * kFiles);
  state.SetItemsProcessed(state.iterations() * files);
  state.SetBytesProcessed(state.iterations() * files * static_cast<std::int64_t>(kBytes));
}

std::size_t read_all(fs::Tree& source, const std::vector<Change>& requests, std::size_t chunk_bytes) {
  BoundedQueue<ReadRequest> input(256);
  BoundedQueue<ReadOutput> output(8);
  SourceReader reader(source, {.threads = 1, .chunk_bytes = chunk_bytes}, input, output);
  std::jthread feed([&] {
    for (const Change& change : requests)
      static_cast<void>(input.push({change.row, change.location, change.name, change.wanted}));
    input.close();
  });
  std::size_t bytes = 0;
  while (const std::optional<ReadOutput> next = output.pop()) {
    if (const auto* const chunk = std::get_if<Chunk>(&*next)) bytes += chunk->payload.size();
  }
  return bytes;
}

void read_chunks(benchmark::State& state) {
  const support::DiskTree tree(kDirectories, kFiles, kBytes);
  fs::Root source = fs::Root::open(tree.source(), fs::Root::Lock::no).value();
  fs::Root mirror = fs::Root::open(tree.new_mirror(), fs::Root::Lock::no).value();
  const std::vector<Change> requests = requests_of(source.tree(), mirror.tree(), false);
  std::size_t bytes = 0;
  for (auto _ : state)
    bytes += read_all(source.tree(), requests, static_cast<std::size_t>(state.range(0)) << 10U);
  if (bytes != static_cast<std::size_t>(state.iterations()) * kDirectories * kFiles * kBytes)
    state.SkipWithError("not all was read");
  count(state);
}
BENCHMARK(read_chunks)->ArgName("KiB")->Arg(128)->Arg(256)->Arg(512)->UseRealTime();

void stage_and_publish(benchmark::State& state) {
  const support::DiskTree tree(kDirectories, kFiles, kBytes);
  fs::Root source = fs::Root::open(tree.source(), fs::Root::Lock::no).value();
  for (auto _ : state) {
    state.PauseTiming();
    const std::string path = tree.new_mirror();
    for (std::size_t d = 0; d < kDirectories; ++d)
      std::filesystem::create_directory(path + "/directory-" + std::to_string(d));
    fs::Root mirror = fs::Root::open(path, fs::Root::Lock::no).value();
    const std::vector<Change> requests = requests_of(source.tree(), mirror.tree(), state.range(0) != 0);
    fs::Staging staging(mirror.tree());
    PipeOptions options;
    options.queue_items = 256;
    options.receiver.durable = Durable::no;
    options.receiver.age = std::chrono::milliseconds(0);
    state.ResumeTiming();
    const PipeResult done = pipe(source.tree(), mirror.tree(), staging, requests, options);
    if (done.published.size() != kDirectories * kFiles) state.SkipWithError("not all was published");
  }
  count(state);
}
BENCHMARK(stage_and_publish)->ArgName("fill")->Arg(0)->Arg(1)->UseRealTime();

}  // namespace
}  // namespace ssync::transfer

BENCHMARK_MAIN();
