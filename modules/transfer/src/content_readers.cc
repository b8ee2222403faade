#include "ssync/transfer/content_readers.h"

#include "directory_cache.h"

namespace ssync::transfer {

ContentReaders::ContentReaders(fs::Tree& tree, unsigned threads, BoundedQueue<ContentJob>& jobs,
                               std::function<void(ContentResult)> answer)
    : tree_(tree), jobs_(jobs), answer_(std::move(answer)) {
  threads_.reserve(threads);
  for (unsigned i = 0; i < threads; ++i)
    threads_.emplace_back([this] { run(); });  // ends when jobs_ is closed
}

ContentReaders::~ContentReaders() = default;  // joins

void ContentReaders::run() {
  DirectoryCache directories(tree_);
  while (std::optional<ContentJob> job = jobs_.pop())
    answer_(ContentResult{job->id, read(directories, *job)});
}

Result<Content> ContentReaders::read(DirectoryCache& directories, const ContentJob& job) {
  if (stopped_.load(std::memory_order_relaxed)) return fail(Errc::interrupted, "reading was stopped");
  std::uint64_t before = 0;
  const auto progress = [&](std::uint64_t read) {
    // A second try counts again from the start.
    bytes_.fetch_add(read >= before ? read - before : 0, std::memory_order_relaxed);
    before = read;
    return !stopped_.load(std::memory_order_relaxed);
  };
  return with_directory(directories, job.location, [&](fs::Directory& directory) {
    return read_content(directory, job.name, job.expected, job.digest, progress);
  });
}

}  // namespace ssync::transfer
