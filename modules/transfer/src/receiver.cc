// accept() (caller) cuts messages into parts -> writers stage them, one thread each -> names: given by the
// writer itself, or by the publisher in batches when the disk has to be flushed around them -> events.
#include "ssync/transfer/receiver.h"

#include <atomic>
#include <exception>
#include <limits>
#include <thread>
#include <vector>

#include "ledger.h"
#include "placing.h"
#include "publisher.h"
#include "stage_writer.h"

namespace ssync::transfer {

struct Receiver::Impl {
  struct Writer {
    // Unbounded: what lies here is bounded by credit, and accept() must not block.
    BoundedQueue<Part> parts{std::numeric_limits<std::size_t>::max()};
    std::jthread thread;
  };

  Impl(fs::Tree& in, fs::Staging& stage, const Options& with, BoundedQueue<ReceiveEvent>& out)
      : tree(in),
        staging(stage),
        options(with),
        rules(rules_of(in, with.attributes)),
        events(out),
        ledger(with.writers, out),
        publisher_placing(in, stage, rules, other_devices),
        publisher(in, ledger, publisher_placing, {with.batch_bytes, with.batch_files}),
        writers(with.writers) {
    SSYNC_ASSERT(options.writers > 0);
    for (Writer& writer : writers) {
      writer.thread = std::jthread([this, &writer] { guarded([&] { write(writer); }); });
    }
    if (options.durable == Durable::yes) {
      publishing = std::jthread([this] { guarded([&] { publisher.run(); }); });
    }
  }

  ~Impl() { stop(); }

  /// Out of memory in a thread ends the session, which sees its events closed, and not the program.
  template <typename Body>
  void guarded(Body body) noexcept {
    try {
      body();
    } catch (const std::exception&) {
      stop();
    }
  }

  /// Ends when its queue is closed.
  void write(Writer& writer) {
    Placing placing(tree, staging, rules, other_devices);
    StageWriter stage(ledger, placing, stopping);
    while (const std::optional<Part> part = writer.parts.pop()) {
      if (stopping.load(std::memory_order_relaxed)) continue;
      stage.work(*part);
      if (options.durable == Durable::yes) {
        publisher.add(stage.take_ready());
      } else {
        name_at_once(placing, stage.take_ready());
      }
    }
    stage.abandon();
  }

  void name_at_once(Placing& placing, const std::vector<Ready>& batch) {
    for (const Ready& ready : batch) {
      const Result<void> placed = publish(placing, ready);
      if (placed) {
        ledger.published(*ready.file, ready.checksum);
      } else {
        ledger.failed(*ready.file, placed.error());
      }
    }
  }

  void dispatch(Part part) {
    const unsigned to = part.given_up != nullptr ? part.given_up->writer
                        : part.pieces.empty()    ? 0
                                                 : part.pieces.front().file->writer;
    static_cast<void>(writers[to].parts.try_push(part));  // closed: stopped
  }

  void stop() noexcept {
    stopping.store(true, std::memory_order_relaxed);
    events.close();
    for (Writer& writer : writers)
      writer.parts.close();
    publisher.stop();
  }

  // Fixed after construction.
  fs::Tree& tree;
  fs::Staging& staging;
  const Options options;
  const MirrorRules rules;

  // Own locking.
  BoundedQueue<ReceiveEvent>& events;
  OtherDevices other_devices;
  Ledger ledger;
  std::atomic<bool> stopping{false};

  Placing publisher_placing;  ///< the publishing thread's
  Publisher publisher;
  std::vector<Writer> writers;  // joined first but for:
  std::jthread publishing;
};

Receiver::Receiver(fs::Tree& tree, fs::Staging& staging, Options options, BoundedQueue<ReceiveEvent>& events)
    : impl_(std::make_unique<Impl>(tree, staging, options, events)) {}

Receiver::~Receiver() = default;

void Receiver::expect(Change request) {
  impl_->ledger.expect(std::move(request));
}

Result<void> Receiver::accept(wire::DataHead head, Buffer payload) {
  SSYNC_TRY(std::vector<Part> parts, impl_->ledger.accept(std::move(head), std::move(payload)));
  for (Part& part : parts)
    impl_->dispatch(std::move(part));
  return {};
}

void Receiver::fail(RowId row, const wire::Fail& why) {
  if (std::optional<Part> part = impl_->ledger.give_up(row, why)) impl_->dispatch(*std::move(part));
}

std::size_t Receiver::outstanding() const {
  return impl_->ledger.outstanding();
}

void Receiver::finish() {
  impl_->publisher.flush();
  impl_->ledger.finish();
}

void Receiver::stop() noexcept {
  impl_->stop();
}

}  // namespace ssync::transfer
