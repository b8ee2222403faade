// Requested files from one tree into the other: SourceReader into Receiver, without a network.
#pragma once

#include <string>
#include <thread>
#include <vector>

#include "ssync/transfer/receiver.h"
#include "ssync/transfer/source_reader.h"

namespace ssync::pipeline_test {

struct PipeOptions {
  std::size_t queue_items = 1;
  unsigned threads = 1;  ///< of reader and receiver each
  store::Durable durable = store::Durable::no;
  Attributes attributes;
};

struct Transferred {
  std::vector<transfer::PublishedFile> published;
  std::vector<transfer::SentFile> sent;
  std::vector<std::string> failures;
};

/// Carries files while the caller goes on with other changes, as the programs do.
class Pipe {
 public:
  Pipe(fs::Tree& source, fs::Tree& mirror, fs::Staging& staging, const PipeOptions& options);
  ~Pipe();
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;

  void request(Change change);
  /// Waits until each requested file is published or failed. Once.
  [[nodiscard]] Transferred finish();

 private:
  void move_messages();
  void take_events();

  BoundedQueue<transfer::ReadRequest> requests_;
  BoundedQueue<transfer::ReadOutput> chunks_;
  BoundedQueue<transfer::ReceiveEvent> events_;
  transfer::SourceReader reader_;
  transfer::Receiver receiver_;

  // Of one thread each until it is joined.
  std::vector<transfer::SentFile> sent_;
  std::vector<std::string> refused_;
  Transferred received_;

  std::jthread messages_;
  std::jthread results_;
};

}  // namespace ssync::pipeline_test
