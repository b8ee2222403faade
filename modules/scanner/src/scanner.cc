#include "ssync/scanner/scanner.h"

#include <algorithm>
#include <exception>
#include <string>
#include <system_error>
#include <utility>

#include "ssync/base/workers.h"

#include "frontier.h"
#include "walk.h"

namespace ssync::scanner {
namespace {

/// After so many looks at a directory it is judged anew whether more threads would help.
constexpr std::uint64_t kLooksJudged = 4;

}  // namespace

struct Scanner::Impl {
  Impl(fs::Tree& scanned, index::Index& idx, Options given)
      : tree(scanned),
        index(idx),
        options(std::move(given)),
        frontier(std::max<std::size_t>(options.window_entries, 1)),
        workers({options.threads, static_cast<unsigned>(scanned.worth_keeping(options.threads_waiting)),
                 kLooksJudged},
                [this] { work(); }) {}

  void start();
  void work();
  [[nodiscard]] Result<std::optional<ScanBlock>> emit();
  [[nodiscard]] Result<void> write(const Finding& finding);

  // Fixed after construction.
  fs::Tree& tree;
  index::Index& index;
  const Options options;

  // Own locking.
  Frontier frontier;
  std::optional<Walk> walk;
  std::atomic<std::uint64_t> hard_links{0}, reserved{0};
  std::atomic<std::uint64_t> attributes{0}, acls{0}, capabilities{0};

  // The emitter's.
  std::optional<index::Index::Writer> writer;
  std::optional<Error> start_error;  // the scan cannot begin
  std::optional<Error> index_error;  // the new base cannot be written; the scan goes on without
  std::vector<Leftover> leftovers;
  bool begun = false;
  bool ended = false;     // nothing more comes
  bool complete = false;  // because everything came

  Workers workers;  // end when the frontier is empty or stopped
};

void Scanner::Impl::start() {
  Result<fs::Volume> volume = tree.volume();
  if (!volume) {
    start_error = std::move(volume).error().with_context("scanning");
    return;
  }
  Result<index::Index::Writer> rewritten = index.rewrite();
  if (rewritten) {
    writer.emplace(*std::move(rewritten));
  } else {
    index_error = std::move(rewritten).error();
  }
  walk.emplace(tree, index, options, *volume, frontier);
  try {
    workers.start();
  } catch (const std::system_error&) {
    start_error = Error{Errc::limit, "scanning: no thread can be started", 0};
  }
}

void Scanner::Impl::work() {
  Walk::Scratch scratch;
  WaitProbe probe;
  while (std::optional<Task> task = frontier.take()) {
    const TakenDirectories::iterator place = task->place;
    std::unique_ptr<Finding> finding;
    probe.begin();
    try {
      finding = walk->read(*std::move(task), scratch);
    } catch (const std::exception& error) {
      finding = std::make_unique<Finding>();
      finding->error = Error{Errc::limit, std::string("scanning: ") + error.what(), 0};
    }
    if (const auto switches = probe.end()) workers.waited(*switches);
    frontier.finish(place, std::move(finding));
  }
}

Result<void> Scanner::Impl::write(const Finding& finding) {
  const ScanBlock& block = finding.block;
  if (finding.is_as_before) return writer->keep_directory(block.location);
  SSYNC_TRY_VOID(writer->begin_directory(block.location));
  if (finding.self) SSYNC_TRY_VOID(writer->add("", *finding.self));
  for (std::size_t i = 0; i < block.entries.size(); ++i)
    if (finding.keep_record[i]) SSYNC_TRY_VOID(writer->add(block.entries[i].name, finding.records[i]));
  return {};
}

Result<std::optional<ScanBlock>> Scanner::Impl::emit() {
  if (start_error) return fail(*start_error);
  const std::unique_ptr<Finding> finding = frontier.next();
  if (frontier.stopped()) return fail(Errc::interrupted, "the scan was stopped");
  if (!finding) {
    complete = true;
    return std::optional<ScanBlock>();
  }
  if (finding->error) return fail(*std::move(finding->error));
  if (writer) {
    if (Result<void> written = write(*finding); !written) {
      index_error = std::move(written).error();
      writer.reset();
    }
  }
  for (std::string& name : finding->leftovers)
    leftovers.push_back({finding->block.location, std::move(name)});
  hard_links.fetch_add(finding->hard_links, std::memory_order_relaxed);
  reserved.fetch_add(finding->reserved, std::memory_order_relaxed);
  attributes.fetch_add(finding->unmirrored.attributes, std::memory_order_relaxed);
  acls.fetch_add(finding->unmirrored.acls, std::memory_order_relaxed);
  capabilities.fetch_add(finding->unmirrored.capabilities, std::memory_order_relaxed);
  return std::optional<ScanBlock>(std::move(finding->block));
}

Scanner::Scanner(fs::Tree& tree, index::Index& idx, Options options)
    : impl_(std::make_unique<Impl>(tree, idx, std::move(options))) {}

Scanner::~Scanner() {
  impl_->frontier.stop();
  impl_->workers.join();
}

Result<std::optional<ScanBlock>> Scanner::next() {
  if (impl_->ended) {
    if (impl_->complete) return std::optional<ScanBlock>();
    return fail(Errc::closed, "the scan has ended");
  }
  if (!std::exchange(impl_->begun, true)) impl_->start();
  Result<std::optional<ScanBlock>> block = impl_->emit();
  if (!block || !*block) {
    impl_->ended = true;
    impl_->frontier.stop();
    impl_->workers.join();
  }
  return block;
}

Result<void> Scanner::commit_index(const index::Header& header) {
  if (impl_->index_error) return fail(*impl_->index_error);
  if (!impl_->complete || !impl_->writer)
    return fail(Errc::invalid_argument, "the scan has not ended, or its index is in place already");
  index::Index::Writer writer = *std::move(impl_->writer);
  impl_->writer.reset();
  return impl_->index.commit(std::move(writer), header);
}

void Scanner::stop() noexcept {
  impl_->frontier.stop();
}

std::vector<Leftover> Scanner::take_leftovers() {
  return std::exchange(impl_->leftovers, {});
}

Counts Scanner::counts() const {
  return {impl_->hard_links.load(std::memory_order_relaxed),
          {impl_->attributes.load(std::memory_order_relaxed), impl_->acls.load(std::memory_order_relaxed),
           impl_->capabilities.load(std::memory_order_relaxed)},
          impl_->reserved.load(std::memory_order_relaxed)};
}

}  // namespace ssync::scanner
