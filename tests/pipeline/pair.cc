#include "pair.h"

#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <thread>
#include <utility>

#include "ssync/base/assert.h"
#include "ssync/base/mutex.h"
#include "ssync/fs/staging.h"
#include "ssync/mirror/mirror.h"

#include "link.h"
#include "loop.h"  // of serve
#include "stop.h"  // of source
#include "sync.h"  // of source

namespace ssync::pipeline_test {
namespace {

constexpr std::string_view kRoot = "/tree";

std::string text_of(const Change& change) {
  std::string text(op_name(change.op()));
  text += " " + printable(change.path());
  if (const Change::From* const from = change.from()) text += " <- " + printable(from->path());
  return text;
}

/// Both ends tell it what happened.
class Told final : public mirror::Observer, public serve::Observer, public source::Observer {
 public:
  explicit Told(Synced& synced) : synced_(synced) {}

  // The server's, any thread.
  [[nodiscard]] mirror::Observer& of_mirror(std::string_view /*name*/) override { return *this; }
  void notice(std::string_view /*text*/) override {}
  void warning(std::string_view text) override { trouble(std::string(text)); }
  void change(const Change& change) override { step(text_of(change)); }
  void received(const Change& change) override { step(text_of(change)); }
  void problem(const Problem& problem) override { trouble(printable(problem.path()) + ": " + problem.text); }

  // The client's.
  void error(std::string_view text) override { trouble(std::string(text)); }
  void sync_done(const source::Ended& ended) override {
    const MutexLock lock(mutex_);
    synced_.source_digest = ended.tree_digest;
    synced_.mirror_digest = ended.done.tree_digest;
    synced_.equal = ended.equal;
    synced_.stats = ended.done.stats;
  }
  void sync_done(const SyncStats& /*stats*/, std::string_view /*digest*/, double /*seconds*/) override {}

 private:
  void step(std::string text) {
    const MutexLock lock(mutex_);
    synced_.steps.push_back(std::move(text));
  }
  void trouble(std::string text) {
    const MutexLock lock(mutex_);
    synced_.troubles.push_back(std::move(text));
  }

  Mutex mutex_;
  Synced& synced_ SSYNC_GUARDED_BY(mutex_);
};

/// A mirror in memory.
class FakeMirror final : public mirror::Mirror {
 public:
  FakeMirror(support::FakeTree& tree, const State& state, const SyncOptions& options, mirror::Observer& told)
      : tree_(tree), state_(state), options_(options), told_(told) {}

  [[nodiscard]] const std::string& directory() const noexcept override { return directory_; }
  [[nodiscard]] mirror::Observer& observer() const noexcept override { return told_; }
  [[nodiscard]] std::optional<Error> trouble() override { return std::nullopt; }
  void set_options(const mirror::Options& /*options*/, mirror::Observer& /*observer*/) override {}

  [[nodiscard]] tl::expected<session::server::Opening, wire::ErrorReply> open_sync(
      const wire::Hello& hello, const mirror::Limits& limits) override {
    Result<index::Index> opened = state_.open(index::Role::mirror);
    if (!opened)
      return tl::unexpected(mirror::error_reply(wire::ErrorCode::io, false, opened.error().text()));
    index_.emplace(*std::move(opened));
    staging_ = std::make_unique<fs::Staging>(tree_);
    request_ = {};
    request_.options = hello.options;
    request_.attributes = options_.attributes;
    request_.durable = hello.options.durable;
    request_.synced_before = index_->header().synced_count > 0;
    request_.has_lock = true;
    request_.limits = limits;
    session::server::Opening opening;
    opening.attributes = request_.attributes;
    opening.synced_before = request_.synced_before;
    opening.directory_sums = request_.synced_before && !request_.options.reads_content();
    return opening;
  }
  [[nodiscard]] std::unique_ptr<mirror::Sync> make_sync(const mirror::Capacities& capacities,
                                                        EventFd& wake) override {
    index::Header header = index_->header();
    header.role = index::Role::mirror;
    header.root_path = kRoot;
    header.source_id = "pair";
    return std::make_unique<mirror::Sync>(mirror::Parts{tree_, *staging_, *index_, header}, request_,
                                          capacities, wake, told_);
  }
  void close_sync(bool /*is_done*/) override {
    (void)staging_->remove();  // fails where the test says so
    staging_.reset();
    index_.reset();
  }

 private:
  support::FakeTree& tree_;
  const State& state_;
  const SyncOptions& options_;
  mirror::Observer& told_;
  const std::string directory_{kRoot};
  std::optional<index::Index> index_;
  std::unique_ptr<fs::Staging> staging_;
  mirror::SyncRequest request_;
};

/// The server, in a thread of its own until the end.
class Serving {
 public:
  Serving(std::shared_ptr<Link> link, std::unique_ptr<mirror::Mirror> mirror,
          const mirror::Capacities& capacities, Told& told)
      : wake_(EventFd::create().value()),
        transport_(server_end(std::move(link))),
        loop_(session::server::Config{}, capacities,
              {*transport_, wake_, told, nobody_, no_keeper_, [](const auto&) {}, {}}) {
    loop_.add({}, std::move(mirror));
    thread_ = std::jthread([this] { SSYNC_ASSERT(loop_.run({}).has_value()); });
  }
  ~Serving() {
    loop_.stop();
    thread_.join();
  }

 private:
  EventFd wake_;
  const serve::Clients nobody_;
  const serve::ClientKeeper no_keeper_;
  std::unique_ptr<net::ServerTransport> transport_;
  serve::Loop loop_;
  std::jthread thread_;
};

std::uint64_t reads_of(const support::FakeTree& tree) {
  std::uint64_t reads = 0;
  for (const support::FakeOperation& operation : tree.operations()) {
    if (operation.op == support::FakeOp::read) ++reads;
  }
  return reads;
}

}  // namespace

// In memory where that is possible: an index is flushed to the disk with every sync.
State::State()
    : path_(((::access("/dev/shm", W_OK) == 0 ? std::filesystem::path("/dev/shm")
                                              : std::filesystem::temp_directory_path()) /
             "pipeline-XXXXXX")
                .string()) {
  SSYNC_ASSERT(::mkdtemp(path_.data()) != nullptr);
}

State::~State() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

Result<index::Index> State::open(index::Role role) const {
  return index::Index::open(path_ + "/state", role, kRoot);
}

void State::forget() const {
  std::filesystem::remove_all(path_ + "/state");
}

Synced Pair::sync(const SyncOptions& options) {
  Synced synced;
  Told told(synced);
  Result<index::Index> known = source_state.open(index::Role::source);
  SSYNC_ASSERT(known.has_value());
  const std::uint64_t reads_before = reads_of(source) + reads_of(mirror);
  if (options.settle) {
    mirror.on_operation([this](const support::FakeOperation& operation) {
      if (operation.op == support::FakeOp::stat) mirror.tick();
    });
  }
  const auto link = std::make_shared<Link>();
  {
    Serving serving(link, std::make_unique<FakeMirror>(mirror, mirror_state, options, told), options.mirror,
                    told);
    source::Options sending;
    sending.sync = options.sync;
    sending.eager_digest = options.eager_digest;
    sending.capacities = options.source;
    wire::Hello hello;
    hello.program = "pair";
    hello.source_id = "pair";
    hello.options = options.sync;
    hello.ancestry = {{1, 1}};
    hello.has_owner = true;
    index::Header header;
    header.role = index::Role::source;
    header.root_path = kRoot;
    source::Stop stop(EventFd::create().value());
    source::Sync sync(
        sending,
        source::Work{
            .tree = source,
            .index = *known,
            .header = header,
            .leave_out = {},
            .hello = hello,
            .connect = std::chrono::seconds(30),
            .transport = [&] { return Result<std::unique_ptr<net::ClientTransport>>(client_end(link)); },
            .trouble = [] { return std::optional<Error>(); }},
        stop, told);
    const Result<source::Outcome> outcome = sync.run();
    SSYNC_ASSERT(outcome.has_value());
    synced.code = outcome->code;
    synced.done = outcome->done;
    if (!outcome->text.empty()) synced.troubles.push_back(outcome->text);
  }
  mirror.on_operation({});
  synced.reads = reads_of(source) + reads_of(mirror) - reads_before;
  return synced;
}

}  // namespace ssync::pipeline_test
