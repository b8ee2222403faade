#include "client_program.h"

#include <algorithm>
#include <atomic>
#include <thread>

#include <fmt/format.h>

#include "ssync/base/host.h"
#include "ssync/base/leave_anyway.h"
#include "ssync/base/mutex.h"
#include "ssync/base/random.h"
#include "ssync/base/text.h"

namespace ssync::client_program {
namespace {

using Clock = std::chrono::steady_clock;

/// Who waits for a file system that does not answer is left behind.
constexpr auto kLeaveAfter = std::chrono::seconds(5);
constexpr std::chrono::milliseconds kJoinLook{50};

std::chrono::milliseconds to_ms(double seconds) {
  return std::chrono::milliseconds(static_cast<std::int64_t>(seconds * 1000));
}

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

wire::SyncOptions sync_options(const Options& options, bool list_changes) {
  wire::SyncOptions out;
  out.delete_extra = options.delete_extra;
  out.max_delete = options.max_delete;
  out.compare_content = options.checksum;
  out.verify = options.verify;
  out.dry_run = options.dry_run;
  out.durable = options.fsync;
  out.list_changes = list_changes;
  out.digest_kind = options.digest;
  return out;
}

index::Header header_for(const fs::Root& root, const RootIdentity& identity) {
  index::Header header;
  header.role = index::Role::source;
  header.root_path = root.absolute_path();
  header.root = identity;
  return header;
}

/// What this machine lacks just now (descriptors, a host's address): it may come back.
Outcome not_begun(const Error& error) {
  Outcome outcome;
  outcome.code = ExitCode::socket;
  outcome.retry = true;
  outcome.text = error.text();
  return outcome;
}

Result<Source> open_now(const std::string& directory) {
  SSYNC_TRY(fs::Root root, fs::Root::open(directory, fs::Root::Lock::no));
  const auto told = [&](const Error& error) {
    return fail(context(fs::lost_or(root.tree(), error), "the source " + escape(root.absolute_path())));
  };
  const Result<RootIdentity> identity = root.identity();
  if (!identity) return told(identity.error());
  const Result<std::vector<fs::DirectoryId>> chain = root.ancestry();
  if (!chain) return told(chain.error());
  return Source{std::move(root), *identity, *chain};
}

}  // namespace

Result<Source> open_source(const std::string& directory) {
  struct Opening {
    Mutex mutex;
    CondVar changed;
    std::optional<Result<Source>> source SSYNC_GUARDED_BY(mutex);
  };
  const auto opening = std::make_shared<Opening>();
  const SignalsHeld held;
  // Not joined: it may never come back, and owns what it uses.
  std::thread([opening, directory] {
    Result<Source> source = open_now(directory);
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

ExitCode code_of_root(const Error& error) {
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

ClientProgram::ClientProgram(const Options& options, Capacities capacities, net::Context& context,
                             Signals& signals, Report& report)
    : options_(options),
      capacities_(capacities),
      context_(context),
      signals_(signals),
      report_(report),
      backoff_(random_seed()),
      client_id_(random_id()) {}

Result<ExitCode> ClientProgram::run() {
  auto give_up = Clock::now() + to_ms(options_.contimeout_s);
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(give_up - Clock::now());
    const auto connect =
        options_.once ? std::max(left, std::chrono::milliseconds(50)) : to_ms(options_.contimeout_s);
    Result<Outcome> tried = attempt(connect);
    const Outcome outcome = tried ? *std::move(tried) : not_begun(tried.error());
    if (outcome.code == ExitCode::interrupted) return ExitCode::interrupted;
    if (is_progress(outcome)) give_up = Clock::now() + to_ms(options_.contimeout_s);
    if (outcome.done) {
      if (!last_trouble_.empty())
        report_.notice(server_was_gone_ ? "The server is back" : "The last trouble is over");
      last_trouble_.clear();
      backoff_.reset();
    } else {
      tell(outcome);
    }
    const auto wait =
        outcome.done || (outcome.reached && !outcome.retry) || outcome.code == ExitCode::max_delete
            ? to_ms(options_.interval_s)
            : backoff_.next();
    if (options_.once && (outcome.done || !outcome.retry || Clock::now() + wait >= give_up))
      return outcome.code;
    SSYNC_TRY(const bool go_on, pause(wait));
    if (!go_on) return ExitCode::interrupted;
  }
}

/// Trouble is said once, and again when it is another one.
void ClientProgram::tell(const Outcome& outcome) {
  if (outcome.text.empty() || outcome.text == last_trouble_) return;
  report_.error(outcome.text);
  last_trouble_ = outcome.text;
  server_was_gone_ = outcome.server_gone;
}

void ClientProgram::tell_index_trouble(const std::string& trouble) {
  const auto news = index_trouble_.take(trouble);
  if (news && news->is_over) report_.notice(news->text);
  if (news && !news->is_over) report_.error(news->text);
}

/// What was sent before a sync broke is not left to do for the next one; or the next one comes further.
/// Whoever fails each time at the same place makes none.
bool ClientProgram::is_progress(const Outcome& outcome) {
  if (outcome.done) return true;
  if (!outcome.left_to_do) return false;
  const bool less_to_do = !least_left_ || *outcome.left_to_do < *least_left_;
  const bool more_sent = outcome.bytes_sent > most_sent_;
  least_left_ = std::min(least_left_.value_or(*outcome.left_to_do), *outcome.left_to_do);
  most_sent_ = std::max(most_sent_, outcome.bytes_sent);
  return less_to_do || more_sent;
}

Result<bool> ClientProgram::pause(std::chrono::milliseconds time) {
  const auto until = Clock::now() + time;
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now());
    if (left.count() <= 0) return true;
    SSYNC_TRY(
        const bool readable,
        wait_readable(signals_.fd(), static_cast<int>(std::min<std::int64_t>(left.count(), 1'000'000'000))));
    if (!readable) continue;
    const Signals::Taken taken = signals_.take();
    if (taken.reopen_logs) report_.reopen();
    if (taken.end) return false;
  }
}

Result<Outcome> ClientProgram::attempt(std::chrono::milliseconds connect) {
  const auto failed = [](ExitCode code, bool retry, std::string text) {
    Outcome outcome;
    outcome.code = code;
    outcome.retry = retry;
    outcome.reached = true;  // it is not the server that is missing
    outcome.text = std::move(text);
    return outcome;
  };
  Result<Source> source = open_source(options_.directory);
  if (!source) return failed(code_of_root(source.error()), false, source.error().text());
  fs::Root& root = source->root;
  const RootIdentity& identity = source->identity;
  const std::vector<fs::DirectoryId>& chain = source->chain;
  index::Index index =
      index::Index::open_or_none(options_.state_dir, index::Role::source, root.absolute_path());
  if (!index.trouble().empty()) tell_index_trouble(index.trouble());
  for (const std::string& damage : index.damage())
    report_.notice(damage);
  if (auto refused = another_root(root, index, identity)) return *refused;

  wire::Hello hello;
  hello.client = client_id_;
  hello.program = "client-sync " SSYNC_VERSION;
  hello.source_id =
      options_.source_id.value_or(lasting_machine_name(options_.state_dir) + ":" + root.absolute_path());
  hello.options = sync_options(options_, report_.wants_changes());
  hello.host = boot_fingerprint();
  for (const fs::DirectoryId& id : chain)
    hello.ancestry.push_back({id.device, id.inode});
  hello.has_owner = true;
  auto sync = std::make_unique<SourceSync>(options_, capacities_, root, index, header_for(root, identity),
                                           std::move(hello), connect, context_, signals_, report_);
  Result<Outcome> outcome = sync->run();
  const bool go_on = put_away(std::move(sync), outcome ? outcome->code : ExitCode::socket);
  if (outcome && outcome->done) {
    tell_index_trouble(index.trouble());
    last_root_ = identity;
  }
  if (!go_on && outcome) outcome->code = ExitCode::interrupted;
  return outcome;
}

// The threads of a sync that ended may still wait for a file system that does not answer.
bool ClientProgram::put_away(std::unique_ptr<SourceSync> sync, ExitCode code) {
  std::atomic<bool> done{false};
  std::jthread joining([&] {
    sync.reset();
    done.store(true);
  });
  const auto since = Clock::now();
  bool interrupted = code == ExitCode::interrupted;
  for (auto wait = std::chrono::milliseconds(1); !done.load(); wait = std::min(2 * wait, kJoinLook)) {
    if ((options_.once || interrupted) && Clock::now() - since >= kLeaveAfter) {
      leave_anyway(std::chrono::milliseconds(0), interrupted ? ExitCode::interrupted : code,
                   "client-sync: the source's file system does not answer");
    }
    if (interrupted) {
      std::this_thread::sleep_for(wait);
      continue;
    }
    const Result<bool> go_on = pause(wait);
    interrupted = !go_on || !*go_on;
  }
  return !interrupted;
}

/// An unmounted disk leaves an empty directory behind; mirroring that would delete everything. What somebody
/// did to the path goes through: a link that leads elsewhere now, a directory that was made anew where it
/// was.
std::optional<Outcome> ClientProgram::another_root(const fs::Root& root, const index::Index& index,
                                                   const RootIdentity& identity) const {
  if (options_.accept_root) return std::nullopt;
  std::optional<RootIdentity> before = last_root_;
  // A damaged header says nothing.
  if (index.exists() && !index.header().root_path.empty()) before = index.header().root;
  if (!before || on_same_file_system(*before, identity) || is_led_elsewhere(*before, identity))
    return std::nullopt;
  Outcome outcome;
  outcome.code = ExitCode::max_delete;
  outcome.reached = true;
  outcome.text = fmt::format(
      "{} is not the directory that was synced before: it is on another file system now (a disk that is not "
      "mounted?). Nothing was sent. If it is right, say --accept-root",
      escape(root.absolute_path()));
  return outcome;
}

}  // namespace ssync::client_program
