// Rows of the source's list: encoded by the client, decoded by the server.
#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "ssync/wire/codec.h"

namespace ssync::wire {
namespace {

constexpr std::size_t kRows = 1000;

std::vector<std::string> names() {
  std::vector<std::string> all;
  for (std::size_t i = 0; i < kRows; ++i)
    all.push_back("file-number-" + std::to_string(1000 + i));
  return all;
}

FileListEncoder::Encoded encode_rows(FileListEncoder& encoder, const std::vector<std::string>& names) {
  Row row;
  row.location = "some/directory/of/the/source";
  row.values = {Kind::file, 0644, 12'345, {1'700'000'000, 123'456'789}, {1000, 1000}};
  for (const std::string& name : names) {
    row.name = name;
    row.id = static_cast<RowId>(&name - names.data()) + 1;  // 0 is the root
    if (!encoder.add(row)) break;
  }
  return encoder.finish(false);
}

void encode_filelist(benchmark::State& state) {
  const std::vector<std::string> all = names();
  FileListEncoder encoder;
  for (auto _ : state)
    benchmark::DoNotOptimize(encode_rows(encoder, all));
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kRows));
}
BENCHMARK(encode_filelist);

void decode_filelist(benchmark::State& state) {
  const std::vector<std::string> all = names();
  for (auto _ : state) {
    state.PauseTiming();
    FileListEncoder encoder;
    Row root;
    root.id = 0;
    root.values = {Kind::directory, 0755, 0, {1'700'000'000, 0}, {}};
    if (!encoder.add(root)) state.SkipWithError("no room for the root");
    Frames frames = filelist_frames(1, {}, encode_rows(encoder, all));
    state.ResumeTiming();
    const Result<Request> request = decode_request(std::move(frames));
    if (!request) state.SkipWithError(request.error().text().c_str());
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kRows));
}
BENCHMARK(decode_filelist);

}  // namespace
}  // namespace ssync::wire

BENCHMARK_MAIN();
