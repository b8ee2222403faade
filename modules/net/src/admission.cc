#include "ssync/net/admission.h"

#include <algorithm>
#include <array>
#include <span>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include <fmt/format.h>
#include <openssl/crypto.h>

#include "ssync/base/assert.h"
#include "ssync/base/event_fd.h"
#include "ssync/base/mutex.h"
#include "ssync/base/random.h"
#include "ssync/base/text.h"
#include "ssync/base/thread.h"

#include "context.h"
#include "failures.h"
#include "frames.h"
#include "options.h"

namespace ssync::net {
namespace {

constexpr const char* kEndpoint = "inproc://zeromq.zap.01";
constexpr std::size_t kMarkBytes = 16;
constexpr std::size_t kNoticesMax = 64;

// What stands behind the mark in an answer.
constexpr std::string_view kAnybody = "anybody";
constexpr std::string_view kLocal = "local";
constexpr std::string_view kKey = "key:";

std::optional<Admission::Door> door_of(std::string_view domain) noexcept {
  if (domain == kSyncDomain) return Admission::Door::sync;
  return domain == kTapDomain ? std::optional(Admission::Door::tap) : std::nullopt;
}

/// A question of libzmq: version, id, domain, address, identity of the server's socket, mechanism, and what
/// the peer showed.
struct Question {
  std::string_view id, address, mechanism;
  Admission::Door door;
  std::span<const zmq::message_t> credentials;
};

/// What opens a door beside the keys of clients.
struct DoorLock {
  bool anybody = false;
  std::optional<Secret> secret;
  std::optional<PublicKey> local;
};

struct Client {
  std::optional<std::chrono::system_clock::time_point> expires;
  bool may_monitor = false;
  [[nodiscard]] bool has_expired() const noexcept {
    return expires && *expires <= std::chrono::system_clock::now();
  }
};

struct Answer {
  const char* status = "400";
  const char* text = "not known here";
  std::string user_id;
};

}  // namespace

struct Admission::Impl {
  explicit Impl(EventFd event) : wake(std::move(event)) {}

  void run() noexcept;
  void answer(const Multipart& message);
  [[nodiscard]] Answer judge(const Question& question);
  [[nodiscard]] std::optional<std::string> let_in(const Question& question, std::string& why);
  [[nodiscard]] std::optional<std::string> let_in_key(Door door, const PublicKey& key, std::string& why);
  [[nodiscard]] DoorLock& lock_of(Door door) SSYNC_REQUIRES(mutex) {
    return locks.at(static_cast<std::size_t>(door));
  }
  [[nodiscard]] bool is_secret(const Question& question);
  void note(std::string text);

  /// At the beginning of each answer; no peer ever sees it.
  const std::string mark = random_hex(kMarkBytes);
  EventFd wake;
  zmq::socket_t socket;
  Failures failures;  // the thread's

  Mutex mutex;
  std::array<DoorLock, 2> locks SSYNC_GUARDED_BY(mutex);
  std::unordered_map<PublicKey, Client, HashOfKey> clients SSYNC_GUARDED_BY(mutex);
  std::unordered_set<PublicKey, HashOfKey> monitors SSYNC_GUARDED_BY(mutex);  ///< let in at the tap
  std::vector<std::string> notices SSYNC_GUARDED_BY(mutex);
  bool stopping SSYNC_GUARDED_BY(mutex) = false;

  Thread thread;  ///< last: it uses the rest
};

/// Whatever goes wrong in here ends the process: libzmq would let everybody in.
void Admission::Impl::run() noexcept {
  Multipart message;
  while (true) {
    std::array<zmq_pollitem_t, 2> items{
        {{socket.handle(), 0, ZMQ_POLLIN, 0}, {nullptr, wake.fd(), ZMQ_POLLIN, 0}}};
    SSYNC_ASSERT(poll(items, std::chrono::steady_clock::now() + std::chrono::hours(1)).has_value());
    {
      const MutexLock lock(mutex);
      if (stopping) return;
    }
    while (true) {
      const Result<bool> any = receive(socket, message);
      SSYNC_ASSERT(any.has_value());
      if (!*any) break;
      answer(message);
    }
  }
}

void Admission::Impl::answer(const Multipart& message) {
  constexpr std::size_t kFixed = 6;
  Answer answer;
  const bool understood =
      message.count >= kFixed && !message.too_many() && view_of(message.frames[0]) == "1.0";
  const auto door = understood ? door_of(view_of(message.frames[2])) : std::nullopt;
  if (door) {
    answer = judge({view_of(message.frames[1]), view_of(message.frames[3]), view_of(message.frames[5]), *door,
                    std::span(message.frames).subspan(kFixed, message.count - kFixed)});
  }
  std::array<zmq::message_t, 6> out{
      to_message("1.0"),
      message.count > 1 ? to_message(view_of(message.frames[1])) : zmq::message_t(),
      to_message(answer.status),
      to_message(answer.text),
      to_message(answer.user_id),
      zmq::message_t()};
  SSYNC_ASSERT(send(socket, out).has_value());
}

Answer Admission::Impl::judge(const Question& question) {
  std::string why;
  if (auto user_id = let_in(question, why)) return {"200", "OK", mark + *std::move(user_id)};
  const unsigned count = failures.add(question.address, std::chrono::steady_clock::now());
  if (count <= kFailuresPerMinute) {
    note(fmt::format("refused a connection from {}: {}", escape(question.address), why));
    return {};
  }
  if (count == kFailuresPerMinute + 1) {
    note(fmt::format("{} was refused {} times within a minute: what it tries gets no answer for a minute",
                     escape(question.address), kFailuresPerMinute));
  }
  return {"300", "", {}};
}

std::optional<std::string> Admission::Impl::let_in(const Question& question, std::string& why) {
  if (question.mechanism == "NULL") {
    const MutexLock lock(mutex);
    why = "it shows no key";
    return lock_of(question.door).anybody ? std::optional(std::string(kAnybody)) : std::nullopt;
  }
  if (question.mechanism == "PLAIN") {
    why = "it does not know the secret of this server, which only its user and root can read";
    return is_secret(question) ? std::optional(std::string(kLocal)) : std::nullopt;
  }
  why = "it shows no key";
  if (question.mechanism != "CURVE" || question.credentials.size() != 1) return std::nullopt;
  const std::string_view shown = view_of(question.credentials[0]);
  PublicKey key;
  if (shown.size() != key.bytes.size()) return std::nullopt;
  std::ranges::copy(std::as_bytes(std::span(shown)), key.bytes.begin());
  return let_in_key(question.door, key, why);
}

std::optional<std::string> Admission::Impl::let_in_key(Door door, const PublicKey& key, std::string& why) {
  const MutexLock lock(mutex);
  if (lock_of(door).local == key) return std::string(kLocal);
  const auto found = clients.find(key);
  const bool known = found != clients.end();
  const bool expired = known && found->second.has_expired();
  const bool may_not = known && door == Door::tap && !found->second.may_monitor;
  why = fmt::format("its key {} {}", fingerprint(key),
                    expired   ? "has expired"
                    : may_not ? "has no right to monitor"
                              : "is not known");
  if (!known || expired || may_not) return std::nullopt;
  if (door == Door::tap) monitors.insert(key);
  return fmt::format("{}{}", kKey, text_of(key));
}

/// Takes the same time whatever is wrong with it.
bool Admission::Impl::is_secret(const Question& question) {
  if (question.credentials.size() != 2) return false;
  const std::string_view shown = view_of(question.credentials[1]);
  const MutexLock lock(mutex);
  if (shown.size() != 2 * Secret::kBytes) return false;
  const std::optional<Secret>& secret = lock_of(question.door).secret;
  if (!secret) return false;
  std::string right = to_hex(secret->bytes());
  const Wiper wiper(std::as_writable_bytes(std::span(right)));
  return CRYPTO_memcmp(shown.data(), right.data(), right.size()) == 0;
}

void Admission::Impl::note(std::string text) {
  const MutexLock lock(mutex);
  if (notices.size() < kNoticesMax) notices.push_back(std::move(text));
}

Admission::Admission(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Result<std::unique_ptr<Admission>> Admission::start(Context& context) {
  SSYNC_TRY(EventFd event, EventFd::create());
  auto impl = std::make_unique<Impl>(std::move(event));
  try {
    impl->socket = zmq::socket_t(context.impl().zmq, zmq::socket_type::rep);
    impl->socket.set(zmq::sockopt::linger, 0);
    impl->socket.bind(kEndpoint);
  } catch (const zmq::error_t& error) {
    if (error.num() == EADDRINUSE) return fail(Errc::busy, "this process has a server already");
    return fail(zmq_failure("start to check who connects", error.num()));
  }
  impl->thread = Thread([raw = impl.get()] { raw->run(); });
  return std::unique_ptr<Admission>(new Admission(std::move(impl)));
}

Admission::~Admission() {
  {
    const MutexLock lock(impl_->mutex);
    impl_->stopping = true;
  }
  impl_->wake.signal();
  impl_->thread.join();
}

void Admission::set_keys(const std::vector<KnownKey>& keys) {
  const MutexLock lock(impl_->mutex);
  impl_->clients.clear();
  for (const KnownKey& known : keys)
    impl_->clients.emplace(known.key, Client{known.expires, known.may_monitor});
}

void Admission::let_in_anybody() {
  const MutexLock lock(impl_->mutex);
  impl_->lock_of(Door::sync).anybody = true;
}

void Admission::let_in_secret(Door door, Secret secret) {
  const MutexLock lock(impl_->mutex);
  impl_->lock_of(door).secret = std::move(secret);
}

void Admission::let_in_keys(Door door, const std::optional<PublicKey>& local) {
  const MutexLock lock(impl_->mutex);
  impl_->lock_of(door).local = local;
}

bool Admission::has_lost_monitors() {
  const MutexLock lock(impl_->mutex);
  return std::erase_if(impl_->monitors, [this](const PublicKey& key) SSYNC_REQUIRES(impl_->mutex) {
           const auto found = impl_->clients.find(key);
           return found == impl_->clients.end() || !found->second.may_monitor || found->second.has_expired();
         }) > 0;
}

std::optional<Identity> Admission::identity_of(std::string_view user_id) const {
  if (!user_id.starts_with(impl_->mark)) return std::nullopt;
  const std::string_view who = user_id.substr(impl_->mark.size());
  if (who == kAnybody) return Identity{};
  if (who == kLocal) return Identity{Identity::Kind::local, {}};
  if (!who.starts_with(kKey)) return std::nullopt;
  const Result<PublicKey> key = parse_public_key(who.substr(kKey.size()));
  if (!key) return std::nullopt;
  return Identity{Identity::Kind::key, *key};
}

std::vector<std::string> Admission::take_notices() {
  const MutexLock lock(impl_->mutex);
  return std::exchange(impl_->notices, {});
}

}  // namespace ssync::net
