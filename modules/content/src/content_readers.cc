#include "ssync/content/content_readers.h"

#include <algorithm>

namespace ssync::content {
namespace {

constexpr std::uint64_t kSmallBytes = 1U << 20U;
/// How many looks at a small file decide whether one more thread would help (Workers::Options::judged).
constexpr std::uint64_t kLooksJudged = 4;

}  // namespace

ContentReaders::ContentReaders(fs::Tree& tree, ThreadCounts threads, BoundedQueue<ContentJob>& jobs,
                               std::function<void(ContentResult)> answer)
    : tree_(tree),
      jobs_(jobs),
      answer_(std::move(answer)),
      workers_({threads.busy,
                static_cast<unsigned>(tree.worth_keeping(std::min(threads.waiting, kThreadsWaiting))),
                kLooksJudged},
               [this] { run(); }) {
  workers_.start();
}

ContentReaders::~ContentReaders() = default;  // joins

void ContentReaders::run() {
  fs::DirectoryCache directories(tree_);
  ContentReader reader;
  WaitProbe probe;
  while (std::optional<ContentJob> job = jobs_.pop()) {
    probe.begin();
    ContentResult result{job->id, read(directories, reader, *job)};
    // A large file is read ahead, and two of them at once are in each other's way on a disk that turns.
    const auto switches = probe.end();
    if (switches && result.content && result.content->seen.values.size <= kSmallBytes)
      workers_.waited(*switches);
    if (!result.content) {
      result.content = fail(fs::lost_or(
          tree_, context(std::move(result.content).error(), printable({job->location, job->name}))));
    }
    answer_(std::move(result));
  }
}

Result<Content> ContentReaders::read(fs::DirectoryCache& directories, ContentReader& reader,
                                     const ContentJob& job) {
  if (stopped_.load(std::memory_order_relaxed)) return fail(Errc::interrupted, "reading was stopped");
  const auto progress = [&](std::uint64_t) { return !stopped_.load(std::memory_order_relaxed); };
  return with_directory(directories, job.location, [&](fs::Directory& directory) {
    return reader.read(directory, job.name, job.expected, job.digest, progress);
  });
}

}  // namespace ssync::content
