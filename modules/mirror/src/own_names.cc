#include "own_names.h"

#include "ssync/base/text.h"
#include "ssync/fs/staging.h"
#include "ssync/model/path.h"

namespace ssync::mirror {

Result<void> OwnNames::check(const RowBatch& batch) const {
  for (const Row& row : batch.rows) {
    const auto in_root = row.location.empty() ? fs::InRoot::yes : fs::InRoot::no;
    const auto is_directory = row.values.kind == Kind::directory ? fs::IsDirectory::yes : fs::IsDirectory::no;
    if (fs::is_reserved(row.name, in_root, is_directory))
      return fail(Errc::protocol, "the list has '" + printable(row.path()) + "', a name that is reserved");
    if (!left_out_.empty()) SSYNC_TRY_VOID(check_path(join(row.path())));
  }
  return {};
}

Result<void> OwnNames::check(const std::vector<DirectorySum>& directories) const {
  if (left_out_.empty()) return {};
  for (const DirectorySum& directory : directories)
    SSYNC_TRY_VOID(check_path(directory.location));
  return {};
}

Result<void> OwnNames::check_path(std::string_view path) const {
  for (const std::string& own : left_out_) {
    if (is_at_or_below(path, own))
      return fail(Errc::refused, "the source has '" + escape(path) +
                                     "', where the server keeps its state or log: move that elsewhere "
                                     "(server-sync --state-dir, --log-file)");
  }
  return {};
}

}  // namespace ssync::mirror
