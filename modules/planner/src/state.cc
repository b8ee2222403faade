#include "state.h"

namespace ssync::planner {

const Checksum kEmptyChecksum = [] {
  constexpr std::uint64_t kHigh = 0x99aa06d3014798d8U;
  constexpr std::uint64_t kLow = 0x6001c324468d497fU;
  Checksum checksum{};
  for (unsigned i = 0; i < 8; ++i) {
    checksum[i] = static_cast<std::byte>(kHigh >> (56U - 8U * i));
    checksum[8U + i] = static_cast<std::byte>(kLow >> (56U - 8U * i));
  }
  return checksum;
}();

std::uint32_t prefix_of(const Checksum& checksum) noexcept {
  std::uint32_t prefix = 0;
  for (std::size_t i = 0; i < 4; ++i)
    prefix = prefix << 8U | std::to_integer<std::uint32_t>(checksum[i]);
  return prefix;
}

std::string_view text_of(Kind kind) {
  switch (kind) {
    case Kind::file:
      return "file";
    case Kind::directory:
      return "directory";
    case Kind::symlink:
      return "symbolic link";
    case Kind::special:
      return "socket, fifo or device";
    case Kind::unreadable:
      break;
  }
  return "unreadable entry";
}

Result<RowIndex> State::add_row(const Row& row, Action action, Facts facts, EntryIndex at) {
  SSYNC_TRY_VOID(rows.begin_directory(row.location));
  SSYNC_TRY(const RowIndex index, rows.add(row.name, row.values, row.target, 0, row.id, 0, at));
  pending.push_back(Pending{kNoEntry, action, facts});
  if (row.values.kind != Kind::file) return index;
  // Where the mirror has no content to reuse, evidence of where content could come from would only take
  // memory.
  if (action == Action::find_content && !may_reuse) return index;
  // --checksum believes no index; only nothing needs no reading.
  const bool is_believed = !options.compare_content || row.values.size == 0;
  if (row.checksum && is_believed) checksums.put(index, *row.checksum);
  if (row.digest && row.digest->kind == options.digest_kind && is_believed) digests.put(index, *row.digest);
  if (row.origin && action == Action::find_content) origins.put(index, *row.origin);
  return index;
}

void State::report(Problem problem) {
  if (!problem.warning) ++totals.problems;
  problems.push_back(std::move(problem));
}

void State::fold(PathView path, const Values& values, std::string_view target,
                 const std::optional<Checksum>& checksum) {
  const bool with_content = options.compare_content && values.kind == Kind::file;
  digest.add(path.location, row_hash(path.name, project(values, options.attributes), target,
                                     with_content ? checksum : std::nullopt));
}

void State::absorb_learnt() {
  checksums.absorb(learnt_checksums);
  digests.absorb(learnt_digests);
}

Seen State::seen(EntryIndex entry) const {
  const Snapshot::View view = mirror.view(entry);
  Seen seen;
  seen.values = view.values;
  seen.device = view.device;
  seen.inode = view.inode;
  seen.links = (view.flags & kFlagLinks) != 0 ? 2 : 1;
  return seen;
}

std::optional<RowIndex> State::directory_row(std::string_view location) const {
  return rows.find(split(location));
}

}  // namespace ssync::planner
