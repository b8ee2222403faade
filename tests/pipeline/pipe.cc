#include "pipe.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace ssync::pipeline_test {
namespace {

constexpr std::size_t kChunk = 4096;  // so that some files take several messages

transfer::Receiver::Options receiver_options(const PipeOptions& options) {
  transfer::Receiver::Options receiver;
  receiver.settle = std::chrono::milliseconds(0);  // the clock of the trees moves by itself
  receiver.writers = options.threads;
  receiver.durable = options.durable;
  receiver.attributes = options.attributes;
  return receiver;
}

}  // namespace

Pipe::Pipe(fs::Tree& source, fs::Tree& mirror, fs::Staging& staging, const PipeOptions& options)
    : requests_(options.queue_items),
      chunks_(options.queue_items),
      events_(options.queue_items),
      reader_(source, {.threads = options.threads, .chunk_bytes = kChunk, .pool_buffers = 4}, requests_,
              chunks_),
      receiver_(mirror, staging, receiver_options(options), events_),
      messages_([this] { move_messages(); }),
      results_([this] { take_events(); }) {}

Pipe::~Pipe() {
  reader_.stop();
  receiver_.stop();
}

void Pipe::request(Change change) {
  transfer::ReadRequest file{change.row, change.location, change.name, change.wanted, change.any_content};
  receiver_.expect(std::move(change));
  (void)requests_.push(std::move(file));  // closed only after a refusal, which finish() tells
}

Transferred Pipe::finish() {
  requests_.close();
  messages_.join();
  if (refused_.empty()) {
    receiver_.finish();
  } else {
    receiver_.stop();
  }
  results_.join();
  received_.sent = std::move(sent_);
  received_.failures.insert(received_.failures.end(), refused_.begin(), refused_.end());
  return std::move(received_);
}

void Pipe::move_messages() {
  while (std::optional<transfer::ReadOutput> output = chunks_.pop()) {
    if (const auto* failure = std::get_if<transfer::ReadFailure>(&*output)) {
      const Problem& problem = failure->problem;
      receiver_.fail(failure->row, {failure->row, problem.vanished, problem.sys_errno, problem.text});
      continue;
    }
    auto& chunk = std::get<transfer::Chunk>(*output);
    sent_.insert(sent_.end(), chunk.finished.begin(), chunk.finished.end());
    wire::DataHead head;
    head.segments = std::move(chunk.segments);
    const Result<void> accepted = receiver_.accept(std::move(head), std::move(chunk.payload));
    if (accepted) continue;
    refused_.push_back(accepted.error().text());
    reader_.stop();
  }
}

void Pipe::take_events() {
  while (std::optional<transfer::ReceiveEvent> event = events_.pop()) {
    if (auto* published = std::get_if<transfer::Published>(&*event)) {
      std::ranges::move(published->files, std::back_inserter(received_.published));
    } else if (const auto* failure = std::get_if<transfer::ReceiveFailure>(&*event)) {
      received_.failures.push_back("request " + printable(failure->change.path()) + ": " +
                                   failure->problem.text);
    }
  }
}

}  // namespace ssync::pipeline_test
