// Everything between a source tree and a mirror tree but the network and the planner.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ssync/fs/staging.h"
#include "ssync/fs/tree.h"
#include "ssync/model/change.h"
#include "ssync/store/applier.h"
#include "ssync/support/changes.h"
#include "ssync/transfer/receiver.h"
#include "ssync/transfer/source_reader.h"

namespace ssync::transfer {

using store::Applied;
using store::Applier;
using store::Durable;
using support::change_from;
using support::change_to;
using support::seen;
using support::TemporaryRoot;

/// All that a first copy needs, parents first; rows count from 0.
struct FirstCopy {
  std::vector<Change> make;  ///< directories and links
  std::vector<Change> requests;
  std::vector<Change> finish;  ///< attributes of directories, the root last
};
[[nodiscard]] FirstCopy first_copy(fs::Tree& source, fs::Tree& mirror);

struct PipeOptions {
  SourceReader::Options reader;
  Receiver::Options receiver;
  std::size_t queue_items = 1;
  std::function<void(Chunk&)> on_chunk;  ///< between reader and receiver
};

struct PipeResult {
  std::vector<std::string> published;  ///< paths, sorted
  std::vector<std::string> failures;   ///< "path: text", sorted
  std::vector<SentFile> sent;
  std::vector<PublishedFile> files;
  std::uint64_t charged = 0, credited = 0;
  std::uint64_t messages = 0;
  std::string error;  ///< of accept(); the session ended there
};

/// Sends what is requested from one tree to the other.
[[nodiscard]] PipeResult pipe(fs::Tree& source, fs::Tree& mirror, fs::Staging& staging,
                              const std::vector<Change>& requests, const PipeOptions& options = {});
/// first_copy() carried out.
[[nodiscard]] PipeResult copy_tree(fs::Tree& source, fs::Tree& mirror, const PipeOptions& options = {});

// Messages by hand.
[[nodiscard]] wire::DataHead head_of(std::vector<wire::Segment> segments);
[[nodiscard]] wire::Segment whole(RowId row, std::string_view text, FileTime mtime = {1'500'000'000, 5});
[[nodiscard]] wire::Segment piece(RowId row, std::uint64_t offset, std::string_view text);
[[nodiscard]] Buffer payload_of(std::string_view text);

}  // namespace ssync::transfer
