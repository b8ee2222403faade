#include "ssync/source/source.h"

#include <algorithm>
#include <atomic>
#include <thread>

#include <fmt/format.h>

#include "ssync/base/host.h"
#include "ssync/base/mutex.h"
#include "ssync/base/random.h"
#include "ssync/base/signals.h"
#include "ssync/base/text.h"
#include "ssync/fs/tree.h"
#include "ssync/index/trouble.h"
#include "ssync/net/transport.h"
#include "ssync/scanner/own_paths.h"
#include "ssync/session/backoff.h"

#include "connect_to.h"
#include "stop.h"
#include "sync.h"

namespace ssync::source {
namespace {

using Clock = std::chrono::steady_clock;

/// After so long, Options::on_stuck is called: a thread hangs in a file system that does not answer.
constexpr auto kLeaveAfter = std::chrono::seconds(5);
constexpr std::chrono::milliseconds kJoinLook{50};

/// A source that was opened, and which one it is.
struct Opened {
  fs::Root root;
  RootIdentity identity;
  std::vector<fs::DirectoryId> chain;
};

wire::ClientId random_id() {
  wire::ClientId id{};
  fill_random(id);
  return id;
}

std::uint64_t random_seed() {
  std::uint64_t seed = 0;
  fill_random(std::as_writable_bytes(std::span(&seed, 1)));
  return seed;
}

index::Header header_for(const fs::Root& root, const RootIdentity& identity) {
  index::Header header;
  header.role = index::Role::source;
  header.root_path = root.absolute_path();
  header.root = identity;
  return header;
}

/// The outcome when this machine lacks something: a key, which somebody has to mend, or something that may be
/// there later (descriptors, a host's address).
Outcome not_begun(const Error& error) {
  const bool is_key =
      error.code == Errc::refused || error.code == Errc::permission || error.code == Errc::corrupt;
  Outcome outcome;
  outcome.code = is_key ? ExitCode::start : ExitCode::socket;
  outcome.retry = !is_key;
  outcome.text = error.text();
  return outcome;
}

Result<Opened> open_now(const std::string& directory) {
  SSYNC_TRY(fs::Root root, fs::Root::open(directory, fs::Root::Lock::no));
  const auto told = [&](const Error& error) {
    return fail(context(fs::lost_or(root.tree(), error), "the source " + escape(root.absolute_path())));
  };
  const Result<RootIdentity> identity = root.identity();
  if (!identity) return told(identity.error());
  const Result<std::vector<fs::DirectoryId>> chain = root.ancestry();
  if (!chain) return told(chain.error());
  return Opened{std::move(root), *identity, *chain};
}

Result<Opened> open_source(const std::string& directory) {
  struct Opening {
    Mutex mutex;
    CondVar changed;
    std::optional<Result<Opened>> source SSYNC_GUARDED_BY(mutex);
  };
  const auto opening = std::make_shared<Opening>();
  const SignalsHeld held;
  // Not joined: it may never come back, and owns what it uses.
  std::thread([opening, directory] {
    Result<Opened> source = open_now(directory);
    const MutexLock lock(opening->mutex);
    opening->source.emplace(std::move(source));
    opening->changed.notify_all();
  }).detach();
  const MutexLock lock(opening->mutex);
  for (const auto until = Clock::now() + wire::kIdle; !opening->source;) {
    if (!opening->changed.wait_until(opening->mutex, until) && !opening->source) {
      return fail(Errc::lost,
                  fmt::format("the source {}: its file system does not answer for {} s", escape(directory),
                              std::chrono::floor<std::chrono::seconds>(wire::kIdle).count()));
    }
  }
  return std::move(*opening->source);
}

}  // namespace

ExitCode Source::code_of(const Error& error) {
  switch (error.code) {
    case Errc::not_found:
    case Errc::not_directory:
    case Errc::permission:
    case Errc::invalid_argument:
    case Errc::too_long:
      return ExitCode::selection;
    default:
      return ExitCode::file;
  }
}

struct Source::Impl {
  Impl(Options with, EventFd event, Observer& told)
      : options(std::move(with)), observer(told), stop(std::move(event)), backoff(random_seed()) {}

  [[nodiscard]] Result<ExitCode> run();
  /// One attempt. `connect`: how long to try to reach the server.
  [[nodiscard]] Result<Outcome> attempt(std::chrono::milliseconds connect);
  [[nodiscard]] wire::Hello hello_for(const Opened& source) const;
  [[nodiscard]] std::optional<Outcome> another_root(const Opened& source, const index::Index& index) const;
  /// Joins its threads. False: it was stopped. options.on_stuck is called when they do not come back.
  [[nodiscard]] bool put_away(std::unique_ptr<Sync> sync, ExitCode code);
  void tell(const Outcome& outcome);
  /// Says trouble with the index once, until it is another one or over.
  void tell_index_trouble(const std::string& trouble);
  [[nodiscard]] bool is_progress(const Outcome& outcome);

  const Options options;
  Observer& observer;
  Stop stop;
  net::Context context;
  session::Backoff backoff;
  const wire::ClientId client_id = random_id();
  std::string last_trouble;  ///< said once, until it changes
  index::TroubleNews index_trouble;
  std::optional<RootIdentity> last_root;    ///< of the last sync, for when there is no index to tell
  bool server_was_gone = false;             ///< that was the trouble
  std::optional<std::uint64_t> least_left;  ///< changes to make, of all syncs that broke
  std::uint64_t most_sent = 0;              ///< bytes of files, of any sync that broke
};

Result<std::unique_ptr<Source>> Source::create(Options options, Observer& observer) {
  SSYNC_TRY(EventFd event, EventFd::create());
  return std::unique_ptr<Source>(
      new Source(std::make_unique<Impl>(std::move(options), std::move(event), observer)));
}

Source::Source(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Source::~Source() = default;

Result<void> Source::look(const std::string& directory) {
  if (Result<Opened> opened = open_source(directory); !opened)
    return tl::unexpected(std::move(opened).error());
  return {};
}

Result<ExitCode> Source::run(const Watched& watched) {
  impl_->stop.watch(watched);
  return impl_->run();
}

void Source::stop() noexcept {
  impl_->stop.set();
}

Result<ExitCode> Source::Impl::run() {
  auto give_up = Clock::now() + options.connect;
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(give_up - Clock::now());
    const auto connect = options.once ? std::max(left, std::chrono::milliseconds(50)) : options.connect;
    Result<Outcome> tried = attempt(connect);
    const Outcome outcome = tried ? *std::move(tried) : not_begun(tried.error());
    if (outcome.code == ExitCode::interrupted) return ExitCode::interrupted;
    if (is_progress(outcome)) give_up = Clock::now() + options.connect;
    if (outcome.done) {
      if (!last_trouble.empty())
        observer.notice(server_was_gone ? "The server is back" : "The last trouble is over");
      last_trouble.clear();
      backoff.reset();
    } else {
      tell(outcome);
    }
    const auto wait =
        outcome.done || (outcome.reached && !outcome.retry) || outcome.code == ExitCode::max_delete
            ? options.interval
            : backoff.next();
    if (options.once && (outcome.done || !outcome.retry || Clock::now() + wait >= give_up))
      return outcome.code;
    SSYNC_TRY(const bool go_on, stop.pause(wait));
    if (!go_on) return ExitCode::interrupted;
  }
}

/// Trouble is said once, and again when it is another one.
void Source::Impl::tell(const Outcome& outcome) {
  if (outcome.text.empty() || outcome.text == last_trouble) return;
  observer.error(outcome.text);
  last_trouble = outcome.text;
  server_was_gone = outcome.server_gone;
}

void Source::Impl::tell_index_trouble(const std::string& trouble) {
  const auto news = index_trouble.take(trouble);
  if (news && news->is_over) observer.notice(news->text);
  if (news && !news->is_over) observer.error(news->text);
}

/// A sync that broke made progress if it had less to do, or sent more, than any before. One that fails each
/// time at the same place makes none.
bool Source::Impl::is_progress(const Outcome& outcome) {
  if (outcome.done) return true;
  if (!outcome.left_to_do) return false;
  const bool less_to_do = !least_left || *outcome.left_to_do < *least_left;
  const bool more_sent = outcome.bytes_sent > most_sent;
  least_left = std::min(least_left.value_or(*outcome.left_to_do), *outcome.left_to_do);
  most_sent = std::max(most_sent, outcome.bytes_sent);
  return less_to_do || more_sent;
}

Result<Outcome> Source::Impl::attempt(std::chrono::milliseconds connect) {
  const auto failed = [](ExitCode code, bool retry, std::string text) {
    Outcome outcome;
    outcome.code = code;
    outcome.retry = retry;
    outcome.reached = true;  // it is not the server that is missing
    outcome.text = std::move(text);
    return outcome;
  };
  Result<Opened> source = open_source(options.directory);
  if (!source) return failed(code_of(source.error()), false, source.error().text());
  index::Index index =
      index::Index::open_or_none(options.state_dir, index::Role::source, source->root.absolute_path());
  if (!index.trouble().empty()) tell_index_trouble(index.trouble());
  for (const std::string& damage : index.damage())
    observer.notice(damage);
  if (auto refused = another_root(*source, index)) return *refused;
  auto sync = std::make_unique<Sync>(
      options,
      Work{.tree = source->root.tree(),
           .index = index,
           .header = header_for(source->root, source->identity),
           .leave_out = scanner::own_paths(source->root, options.state_dir, options.log_file),
           .hello = hello_for(*source),
           .connect = connect,
           .transport =
               [this] { return net::ClientTransport::connect(context, connect_to(options), nullptr); },
           .trouble = [&source] { return source->root.trouble(); }},
      stop, observer);
  Result<Outcome> outcome = sync->run();
  const bool go_on = put_away(std::move(sync), outcome ? outcome->code : ExitCode::socket);
  if (outcome && outcome->done) {
    tell_index_trouble(index.trouble());
    last_root = source->identity;
  }
  if (!go_on && outcome) outcome->code = ExitCode::interrupted;
  return outcome;
}

wire::Hello Source::Impl::hello_for(const Opened& source) const {
  wire::Hello hello;
  hello.client = client_id;
  hello.program = options.program;
  hello.mirror = options.mirror;
  hello.source_id =
      options.source_id.value_or(lasting_machine_name(options.state_dir) + ":" + source.root.absolute_path());
  hello.options = options.sync;
  hello.host = boot_fingerprint();
  for (const fs::DirectoryId& id : source.chain)
    hello.ancestry.push_back({id.device, id.inode});
  hello.has_owner = true;
  return hello;
}

// The threads of a sync that ended may still wait for a file system that does not answer.
bool Source::Impl::put_away(std::unique_ptr<Sync> sync, ExitCode code) {
  std::atomic<bool> done{false};
  std::jthread joining([&] {
    sync.reset();
    done.store(true);
  });
  const auto since = Clock::now();
  bool interrupted = code == ExitCode::interrupted;
  for (auto wait = std::chrono::milliseconds(1); !done.load(); wait = std::min(2 * wait, kJoinLook)) {
    const bool is_last = options.once || interrupted;
    if (is_last && options.on_stuck && Clock::now() - since >= kLeaveAfter)
      options.on_stuck(interrupted ? ExitCode::interrupted : code);
    if (interrupted) {
      std::this_thread::sleep_for(wait);
      continue;
    }
    const Result<bool> go_on = stop.pause(wait);
    interrupted = !go_on || !*go_on;
  }
  return !interrupted;
}

/// An unmounted disk leaves an empty directory behind; mirroring that would delete everything. What somebody
/// did to the path goes through: a link that leads elsewhere now, a directory that was made anew where it
/// was.
std::optional<Outcome> Source::Impl::another_root(const Opened& source, const index::Index& index) const {
  if (options.accept_root) return std::nullopt;
  std::optional<RootIdentity> before = last_root;
  // A damaged header says nothing.
  if (index.exists() && !index.header().root_path.empty()) before = index.header().root;
  if (!before || on_same_file_system(*before, source.identity) || is_led_elsewhere(*before, source.identity))
    return std::nullopt;
  Outcome outcome;
  outcome.code = ExitCode::max_delete;
  outcome.reached = true;
  outcome.text = fmt::format(
      "{} is not the directory that was synced before: it is on another file system now (a disk that is not "
      "mounted?). Nothing was sent. If it is right, say --accept-root",
      escape(source.root.absolute_path()));
  return outcome;
}

}  // namespace ssync::source
