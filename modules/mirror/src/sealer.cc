#include "sealer.h"

#include <algorithm>
#include <chrono>
#include <ctime>
#include <utility>

#include <fmt/format.h>

#include "ssync/index/index.h"

namespace ssync::mirror {
namespace {

/// "2038-01-19 03:14:07.5", in UTC; seconds since 1970 for years that a calendar does not have.
std::string time_text(FileTime time) {
  const std::time_t seconds = time.s;
  std::tm parts{};
  std::string out =
      ::gmtime_r(&seconds, &parts) == nullptr
          ? fmt::format("@{}", time.s)
          : fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}", parts.tm_year + 1900LL, parts.tm_mon + 1,
                        parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec);
  if (time.ns != 0) {
    out += fmt::format(".{:09}", time.ns);
    out.erase(out.find_last_not_of('0') + 1);
  }
  return out;
}

/// "mode 0644 instead of 0600, size 5 instead of 7".
std::string differences(const Values& held, const Values& wanted) {
  if (held.kind != wanted.kind) return "another kind of entry stands there";
  std::string out;
  const auto differ = [&out](std::string_view what, const std::string& is, const std::string& should) {
    if (is != should) out += fmt::format("{}{} {} instead of {}", out.empty() ? "" : ", ", what, is, should);
  };
  differ("size", std::to_string(held.size), std::to_string(wanted.size));
  differ("mode", fmt::format("{:04o}", held.mode), fmt::format("{:04o}", wanted.mode));
  differ("time", time_text(held.mtime), time_text(wanted.mtime));
  differ("owner", fmt::format("{}:{}", held.owner.uid, held.owner.gid),
         fmt::format("{}:{}", wanted.owner.uid, wanted.owner.gid));
  return out;
}

Problem problem_at(const SealItem& item, std::string text) {
  Problem problem;
  problem.location = item.location;
  problem.name = item.name;
  problem.text = std::move(text);
  problem.row = item.row;
  return problem;
}

}  // namespace

Sealer::Sealer(SyncContext& context) : context_(context), thread_([this] { run(); }) {}

Sealer::~Sealer() {
  context_.queues.seal_items.close();
}

Result<void> Sealer::finish() {
  context_.queues.seal_items.close();
  if (thread_.joinable()) thread_.join();
  return outcome_;
}

void Sealer::run() {
  while (std::optional<SealBatch> batch = context_.queues.seal_items.pop()) {
    for (const SealItem& item : *batch) {
      if (!outcome_) break;  // drained, so that nobody waits
      outcome_ = seal(item);
    }
  }
  directory_.reset();
}

Result<Seen> Sealer::seen_after_tick(const SealItem& item) {
  if (item.seen) return *item.seen;
  if (!directory_ || open_location_ != item.location) {
    directory_.reset();
    SSYNC_TRY(directory_, context_.tree.open(item.location));
    open_location_ = item.location;
  }
  const auto give_up = std::chrono::steady_clock::now() + context_.capacities.seal_wait;
  for (;;) {
    SSYNC_TRY(fs::Stat stat, item.name.empty() ? directory_->stat_self() : directory_->stat(item.name));
    if (stat.seen.values.kind != Kind::file || !fs::is_racy(stat.seen.ctime, context_.tree.clock()) ||
        std::chrono::steady_clock::now() >= give_up) {
      return stat.seen;
    }
    std::this_thread::sleep_for(std::min(std::chrono::nanoseconds(fs::tick_ns(stat.seen.ctime)),
                                         std::chrono::nanoseconds(5'000'000)));
  }
}

void Sealer::disturbed(const SealItem& item, std::string what) {
  if (problems_.size() >= kProblemsMax) {
    ++more_problems_;
    return;
  }
  problems_.push_back(problem_at(item, std::move(what)));
}

void Sealer::look_at_time(const SealItem& item) {
  if (item.wanted.kind == Kind::symlink && !context_.request.attributes.symlink_mtime) return;
  const FileTime nearest = clamp(item.wanted.mtime, context_.request.attributes);
  if (nearest.s == item.wanted.mtime.s) return;
  ++odd_times_;
  if (odd_time_) return;
  odd_time_ = problem_at(item, fmt::format("the mirror cannot keep its time, {}, and has the nearest, {}",
                                           time_text(item.wanted.mtime), time_text(nearest)));
  odd_time_->warning = true;
  odd_time_->row = kNoRow;  // it is right: with its row the client would take it for left out
}

Sealed Sealer::take() {
  if (more_problems_ > 0)
    problems_.back().text += fmt::format("; so are {} more entries", std::exchange(more_problems_, 0));
  if (odd_time_) {
    if (odd_times_ > 1) odd_time_->text += fmt::format("; so it is with {} more entries", odd_times_ - 1);
    problems_.push_back(*std::exchange(odd_time_, std::nullopt));
  }
  return {std::move(digest_), std::exchange(problems_, {})};
}

Result<void> Sealer::seal(const SealItem& item) {
  const Result<Seen> seen = seen_after_tick(item);
  if (!seen) {  // taken away by somebody: the next scan sees it
    if (Error why = fs::lost_or(context_.tree, seen.error()); why.code == Errc::lost)
      return fail(std::move(why));
    disturbed(item, fmt::format("could not be looked at any more: {}", seen.error().text()));
    return {};
  }
  if (item.retry) return keep_for_retry(item, *seen);
  const Values held = project(seen->values, context_.request.attributes);
  const Values wanted = project(item.wanted, context_.request.attributes);
  const bool as_made = held == wanted;
  if (!as_made) {
    disturbed(item,
              fmt::format("is not what this sync made of it on the mirror, which another program changed or "
                          "whose file system cannot keep it: {}",
                          differences(held, wanted)));
  }
  look_at_time(item);
  if (as_made) {  // else a Problem, whose row neither end counts (proto-spec/03 §5)
    digest_.add(item.location,
                row_hash(item.name, wanted, item.target,
                         context_.request.options.reads_content() && held.kind == Kind::file ? item.checksum
                                                                                             : std::nullopt));
  }
  if (held.kind == Kind::directory) return {};  // never in doubt: nothing to remember
  index::Record record;
  record.held = *seen;
  if (as_made) record.wanted = item.wanted;
  record.checksum = item.checksum;
  record.digest = item.digest;
  record.racy = !as_made || (held.kind == Kind::file && fs::is_racy(seen->ctime, context_.tree.clock()));
  if (record.racy) {
    record.checksum.reset();
    record.digest.reset();
  }
  return context_.index.with([&](index::Index& index) { return index.append(item.path(), record); });
}

Result<void> Sealer::keep_for_retry(const SealItem& item, const Seen& seen) {
  index::Record record;
  record.held = seen;
  record.racy = true;
  record.retry = true;
  return context_.index.with([&](index::Index& index) { return index.append(item.path(), record); });
}

}  // namespace ssync::mirror
