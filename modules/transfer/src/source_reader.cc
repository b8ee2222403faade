#include "ssync/transfer/source_reader.h"

#include <exception>

#include "ssync/base/workers.h"
#include "ssync/model/problem.h"

#include "chunk_packer.h"
#include "file_sender.h"

namespace ssync::transfer {

namespace {

/// How many looks of a FileSender decide whether one more thread would help (Workers::Options::judged).
constexpr std::uint64_t kLooksJudged = 4;

}  // namespace

struct SourceReader::Impl {
  Impl(fs::Tree& tree, const Options& options, BoundedQueue<ReadRequest>& in, BoundedQueue<ReadOutput>& out)
      : chunk_bytes(options.chunk_bytes),
        input(in),
        output(out),
        pool(options.chunk_bytes, options.pool_buffers),
        workers(
            {options.threads, static_cast<unsigned>(tree.worth_keeping(options.threads_waiting)),
             kLooksJudged},
            [this, &tree] { run(tree); }, [this] { output.close(); }) {
    SSYNC_ASSERT(options.threads > 0);
    workers.start();
  }

  /// Ends when `input` is closed and drained, or `output` or the pool is closed.
  void run(fs::Tree& tree) {
    ChunkPacker packer(pool, output, chunk_bytes);
    FileSender sender(tree, packer, [this](std::uint64_t switches) { workers.waited(switches); });
    while (std::optional<ReadRequest> request = next(packer)) {
      if (!serve(tree, *request, sender)) break;
    }
  }

  /// The next request. When there is none just now, a partly filled chunk is sent first, as nothing will be
  /// added to it soon.
  std::optional<ReadRequest> next(ChunkPacker& packer) {
    if (std::optional<ReadRequest> request = input.try_pop()) return request;
    if (!packer.flush()) return std::nullopt;
    return input.pop();
  }

  /// False: reading was stopped.
  bool serve(fs::Tree& tree, const ReadRequest& request, FileSender& sender) {
    const auto sent = [&]() -> Result<void> {
      try {
        return sender.send(request);
      } catch (const std::exception& error) {
        return fail(Errc::limit, std::string("read: ") + error.what());
      }
    }();
    if (sent) return true;
    if (sent.error().code == Errc::closed) return false;
    Problem problem = problem_at({request.location, request.name}, request.row, sent.error());
    problem.vanished = sent.error().code == Errc::not_found || sent.error().code == Errc::not_directory;
    ReadFailure failure{request.row, std::move(problem), std::nullopt};
    failure.lost = fs::lost_behind(tree, failure.problem);
    return output.push(std::move(failure));
  }

  // Fixed after construction.
  const std::size_t chunk_bytes;

  // Own locking.
  BoundedQueue<ReadRequest>& input;
  BoundedQueue<ReadOutput>& output;
  BufferPool pool;
  Workers workers;  // last: joined before the rest goes
};

SourceReader::SourceReader(fs::Tree& tree, Options options, BoundedQueue<ReadRequest>& input,
                           BoundedQueue<ReadOutput>& output)
    : impl_(std::make_unique<Impl>(tree, options, input, output)) {}

SourceReader::~SourceReader() = default;

void SourceReader::stop() noexcept {
  impl_->input.close();
  impl_->pool.close();
  impl_->output.close();
}

}  // namespace ssync::transfer
