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

Result<std::optional<std::uint64_t>> Quota::check(const PlanTotals& plan, std::uint64_t kept_bytes) const {
  std::uint64_t entries = plan.source_entries;
  add_to(entries, plan.extras_kept);
  if (limits_.max_entries && entries > *limits_.max_entries)
    return fail(over(entries, "entries", *limits_.max_entries, "max-entries"));
  if (!limits_.max_bytes) return std::nullopt;
  std::uint64_t bytes = plan.source_bytes;
  add_to(bytes, kept_bytes);
  if (bytes > *limits_.max_bytes) return fail(over(bytes, "bytes", *limits_.max_bytes, "max-bytes"));
  return *limits_.max_bytes - bytes;
}

}  // namespace ssync::mirror
