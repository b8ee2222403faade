// accept() (caller) cuts messages into parts -> writers stage them, one thread each -> names: given by the
// writer itself, or by the publisher in batches when the disk has to be flushed around them -> events.
#include "ssync/transfer/receiver.h"

#include <atomic>
#include <exception>
#include <limits>
#include <vector>

#include "ssync/base/thread.h"
#include "ssync/store/attributes.h"
#include "ssync/store/placing.h"
#include "ssync/store/publish.h"
#include "ssync/store/publisher.h"
#include "ssync/store/stage_writer.h"

#include "ledger.h"

namespace ssync::transfer {

struct Receiver::Impl {
  struct Writer {
    // Unbounded: what lies here is bounded by credit, and accept() must not block.
    BoundedQueue<store::Part> parts{std::numeric_limits<std::size_t>::max()};
    Thread thread;
  };

  Impl(fs::Tree& in, fs::Staging& stage, const Options& with, BoundedQueue<ReceiveEvent>& out)
      : tree(in),
        staging(stage),
        options(with),
        rules(store::rules_of(in, with.attributes)),
        events(out),
        ledger(with.writers, out),
        publisher_placing(in, stage, rules, other_devices),
        publisher(in, ledger, publisher_placing, {with.batch_bytes, with.batch_files}),
        writers(with.writers) {
    SSYNC_ASSERT(options.writers > 0);
    for (Writer& writer : writers) {
      writer.thread = Thread([this, &writer] { guarded([&] { write(writer); }); });
    }
    if (options.durable == store::Durable::yes) {
      publishing = Thread([this] { guarded([&] { publisher.run(); }); });
    }
  }

  ~Impl() { stop(); }

  /// An exception in a thread (out of memory) must not end the program: stop() closes the events, which ends
  /// the session.
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
    const bool durable = options.durable == store::Durable::yes;
    store::Placing placing(tree, staging, rules, other_devices);
    // Durable: a directory need not age here, as it waits for the publisher's flush anyway.
    store::StageWriter stage(ledger, placing, durable ? std::chrono::milliseconds(0) : options.age, stopping);
    while (!writer.parts.finished()) {
      const auto due = stage.next_ready();
      const std::optional<store::Part> part = due ? writer.parts.pop_until(*due) : writer.parts.pop();
      if (stopping.load(std::memory_order_relaxed)) continue;
      if (part) stage.work(*part);
      if (durable) {
        publisher.add(stage.take_ready());
      } else {
        name_at_once(placing, stage.take_ready());
      }
    }
    stage.abandon();
  }

  void name_at_once(store::Placing& placing, std::vector<store::Ready> batch) {
    for (store::Ready& ready : batch)
      store::report(ledger, ready, store::publish(placing, ready, tree.clock()));
  }

  void complete_last() {
    if (std::optional<store::Part> part = ledger.complete_last()) dispatch(*std::move(part));
  }

  void dispatch(store::Part part) {
    const store::Location* const location = part.given_up != nullptr    ? part.given_up->location
                                            : part.completed != nullptr ? part.completed
                                            : part.pieces.empty()       ? nullptr
                                                                        : part.pieces.front().file->location;
    const unsigned to = location == nullptr ? 0 : location->writer;
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
  const store::MirrorRules rules;

  // Own locking.
  BoundedQueue<ReceiveEvent>& events;
  store::OtherDevices other_devices;
  Ledger ledger;
  std::atomic<bool> stopping{false};

  store::Placing publisher_placing;  ///< the publishing thread's
  store::Publisher publisher;
  std::vector<Writer> writers;  // Members are destroyed from the bottom up: the publishing thread is joined
                                // first, then the writers.
  Thread publishing;
};

Receiver::Receiver(fs::Tree& tree, fs::Staging& staging, Options options, BoundedQueue<ReceiveEvent>& events)
    : impl_(std::make_unique<Impl>(tree, staging, options, events)) {}

Receiver::~Receiver() = default;

void Receiver::expect(Change request) {
  if (std::optional<store::Part> completed = impl_->ledger.expect(std::move(request)))
    impl_->dispatch(*std::move(completed));
}

void Receiver::limit_growth(std::uint64_t bytes) {
  impl_->ledger.limit_growth(bytes);
}

Result<void> Receiver::accept(wire::DataHead head, Buffer payload) {
  SSYNC_TRY(std::vector<store::Part> parts, impl_->ledger.accept(std::move(head), std::move(payload)));
  for (store::Part& part : parts)
    impl_->dispatch(std::move(part));
  return {};
}

void Receiver::fail(RowId row, const wire::Fail& why) {
  if (std::optional<store::Part> part = impl_->ledger.give_up(row, why)) impl_->dispatch(*std::move(part));
}

std::size_t Receiver::outstanding() const {
  return impl_->ledger.outstanding();
}

void Receiver::flush() {
  impl_->complete_last();
}

void Receiver::finish() {
  impl_->complete_last();
  impl_->publisher.flush();
  impl_->ledger.finish();
}

void Receiver::stop() noexcept {
  impl_->stop();
}

}  // namespace ssync::transfer
