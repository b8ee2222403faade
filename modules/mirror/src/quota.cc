#include "quota.h"

#include <algorithm>

#include <fmt/format.h>

#include "ssync/base/text.h"
#include "ssync/model/total.h"

namespace ssync::mirror {
namespace {

Error over(std::uint64_t what, std::string_view unit, std::uint64_t allowed, std::string_view right) {
  return {
      Errc::permission,
      fmt::format("the mirror would hold {} {}, and this client's key allows {} ({}): nothing was changed",
                  with_commas(what), unit, with_commas(allowed), right)};
}

}  // namespace

Result<void> Quota::add(const ListBatch& list) {
  const auto* const rows = std::get_if<RowBatch>(&list.batch);
  if (rows == nullptr) {  // sums say nothing of sizes, and each stands for one entry at least
    add_to(directories_, std::get<DirectoryBatch>(list.batch).rows.size());
  } else {
    add_to(entries_, rows->rows.size());
    for (const Row& row : rows->rows)
      if (row.values.kind == Kind::file) add_to(bytes_, row.values.size);
  }
  // The list begins with the root.
  const std::uint64_t entries = std::max(entries_, directories_);
  if (limits_.max_entries && entries > 0 && entries - 1 > *limits_.max_entries)
    return fail(over(entries - 1, "entries or more", *limits_.max_entries, "max-entries"));
  if (limits_.max_bytes && bytes_ > *limits_.max_bytes)
    return fail(over(bytes_, "bytes or more", *limits_.max_bytes, "max-bytes"));
  return {};
}

// What the mirror has is copied before anything is deleted (planner, "Order"), so who leaves in between could
// add without end. One sync alone never gets there: both parts are within the quota.
Result<void> Quota::check_copies(const PlanTotals& plan) const {
  const auto check = [](std::uint64_t held, std::uint64_t copied, std::optional<std::uint64_t> allowed,
                        std::string_view right) -> Result<void> {
    add_to(held, copied);
    if (!allowed || copied == 0 || held / 2 <= *allowed) return {};
    return fail(
        Errc::permission,
        fmt::format("the mirror would hold {} before what goes is deleted, and this client's key allows "
                    "twice {} for so long ({}): nothing was changed",
                    with_commas(held), with_commas(*allowed), right));
  };
  SSYNC_TRY_VOID(check(plan.mirror_entries, plan.copies, limits_.max_entries, "max-entries"));
  // Renames reuse too, but add nothing.
  const std::uint64_t copied = plan.copies > 0 ? plan.reused_bytes : 0;
  return check(plan.mirror_bytes, copied, limits_.max_bytes, "max-bytes");
}

Result<std::optional<std::uint64_t>> Quota::check(const PlanTotals& plan, std::uint64_t kept_bytes) const {
  std::uint64_t entries = plan.source_entries;
  add_to(entries, plan.extras_kept);
  if (limits_.max_entries && entries > *limits_.max_entries)
    return fail(over(entries, "entries", *limits_.max_entries, "max-entries"));
  SSYNC_TRY_VOID(check_copies(plan));
  if (!limits_.max_bytes) return std::nullopt;
  std::uint64_t bytes = plan.source_bytes;
  add_to(bytes, kept_bytes);
  if (bytes > *limits_.max_bytes) return fail(over(bytes, "bytes", *limits_.max_bytes, "max-bytes"));
  return *limits_.max_bytes - bytes;
}

}  // namespace ssync::mirror
