#include "outbox.h"

#include <utility>

#include "ssync/wire/limits.h"

namespace ssync::mirror {
namespace {

/// What a row takes beside its strings, roughly from above.
constexpr std::size_t kFixedBytes = 128;

wire::ChangeRow row_of(const Change& change, const Attributes& attributes) {
  wire::ChangeRow row;
  row.op = change.op();
  row.kind = change.wanted.kind;
  row.location = change.location;
  row.name = change.name;
  if (const Change::From* const from = change.from()) {
    row.from_location = from->location;
    row.from_name = from->name;
  }
  row.size = change.wanted.size;
  row.is_new = !change.at_path.has_value();
  if (change.at_path) {
    const Values now = project(change.at_path->values, attributes);
    const Values then = project(change.wanted, attributes);
    const auto bit = [&row](bool differs, unsigned position) {
      row.differs = static_cast<std::uint8_t>(row.differs | (differs ? 1U << position : 0U));
    };
    bit(change.op() != Op::set_metadata, 0);
    bit(now.size != then.size, 1);
    bit(now.mtime != then.mtime, 2);
    bit(now.mode != then.mode, 3);
    bit(now.owner.uid != then.owner.uid, 4);
    bit(now.owner.gid != then.owner.gid, 5);
  }
  return row;
}

}  // namespace

bool MessageRoom::next(std::initializer_list<std::string_view> strings) noexcept {
  std::size_t bytes = kFixedBytes;
  for (const std::string_view s : strings)
    bytes += s.size();
  const bool is_full = rows_ >= wire::kRowsMax || (rows_ > 0 && bytes_ + bytes > wire::kBodyBytesTarget);
  if (is_full) clear();
  ++rows_;
  bytes_ += bytes;
  return is_full;
}

Result<void> Outbox::say(session::server::Output output) {
  return put(context_.queues.outputs, std::move(output));
}

Result<void> Outbox::change(const Change& change) {
  if (!context_.request.options.list_changes) return {};
  wire::ChangeRow row = row_of(change, context_.request.attributes);
  if (changes_room_.next({row.location, row.name, row.from_location, row.from_name}))
    SSYNC_TRY_VOID(flush_changes());
  changes_.push_back(std::move(row));
  return {};
}

Result<void> Outbox::problem(Problem problem) {
  context_.observer.problem(problem);
  if (problem.warning) {
    ++stats_.warnings;
  } else if (problem.vanished) {
    ++stats_.vanished;
  } else {
    ++stats_.problems;
  }
  if (problem.text.size() > wire::kTextBytesMax) problem.text.resize(wire::kTextBytesMax);
  if (problems_room_.next({problem.location, problem.name, problem.text})) SSYNC_TRY_VOID(flush_problems());
  problems_.push_back(std::move(problem));
  return {};
}

Result<void> Outbox::flush() {
  changes_room_.clear();
  SSYNC_TRY_VOID(flush_changes());
  problems_room_.clear();
  return flush_problems();
}

Result<void> Outbox::flush_changes() {
  if (changes_.empty()) return {};
  wire::Changes message;
  message.rows = std::exchange(changes_, {});
  return say(std::move(message));
}

Result<void> Outbox::flush_problems() {
  if (problems_.empty()) return {};
  wire::Problems message;
  message.rows = std::exchange(problems_, {});
  return say(std::move(message));
}

}  // namespace ssync::mirror
