// Bodies of filelist messages, shared by the request codec. The columns: proto-spec/03 §1.2.
#pragma once

#include <array>
#include <span>
#include <string_view>

#include "ssync/base/buffer.h"
#include "ssync/base/result.h"
#include "ssync/model/entry.h"

#include "packer.h"

namespace ssync::wire {

/// In the order of a row; named in filelist 0.
inline constexpr std::array<std::string_view, 17> kFileListColumns = {
    "location", "name", "digest",   "id",    "kind",   "size",      "mtime", "mtime_ns", "mode",
    "uid",      "gid",  "checksum", "flags", "target", "olocation", "oname", "ochecksum"};

[[nodiscard]] Buffer encode_rows(const RowBatch& batch);
/// The rows' views point into `body`, which is not kept. Checks types and ranges of columns only.
[[nodiscard]] Result<std::vector<Row>> decode_rows(std::span<const std::byte> body);

}  // namespace ssync::wire
