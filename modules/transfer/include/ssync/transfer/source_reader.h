// Client: requested files -> data messages. Threads read, cut into chunks, pack many small files into one,
// compute checksums.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "ssync/base/bounded_queue.h"
#include "ssync/base/buffer.h"
#include "ssync/fs/tree.h"
#include "ssync/model/entry.h"
#include "ssync/wire/data.h"

namespace ssync::transfer {

/// A file to send, by the row that the client listed.
struct ReadRequest {
  RowId row = kNoRow;
  std::string location, name;
  Values listed;
  bool any_content =
      false;  ///< if it changes during every reading, the last reading is sent rather than nothing
};

/// A file that is completely in the chunks so far.
struct SentFile {
  RowId row = kNoRow;
  Values values;  ///< as listed, with the size and mtime that the last segment said (the file may be newer
                  ///< than its row)
  Checksum checksum{};
  Seen seen;  ///< stat for which the checksum holds; when the file only grew: size and mtime from before, the
              ///< rest from after reading
  bool exact = true;     ///< false: grown only or changed, so that the index must not keep the checksum
  bool changed = false;  ///< it changed while it was read
};

/// One data message without its numbers; `segments` lie in `payload` one after the other.
struct Chunk {
  std::vector<wire::Segment> segments;
  Buffer payload;
  std::vector<SentFile> finished;  ///< files whose last segment is in this chunk
};

struct ReadFailure {
  RowId row = kNoRow;
  Problem problem;
  std::optional<Error> lost;  ///< Errc::lost: not this file but the whole tree cannot be read any more
};

using ReadOutput = std::variant<Chunk, ReadFailure>;

/// Ends when its input is closed and drained; closes the output then. A file is read by one thread, in order;
/// different files may be interleaved by message, and with several threads a large file does not hold up the
/// others. Holes are not sent. A file of at most chunk_bytes is in one piece in one chunk. A partly filled
/// chunk is sent as soon as the input is empty.
///
/// Files that change while they are read: when the file only grew (what was read is read again and compared),
/// what it had when reading began is sent. Else it is read again, after a segment that says restart if
/// something of it had gone out; after three tries it is a ReadFailure, and what went out of it is for
/// nothing. With any_content the third reading stands as it is, with a time that no file has that was read in
/// peace: two seconds before the one that it had when the reading began.
class SourceReader {
 public:
  struct Options {
    unsigned threads = 1;  ///< to begin with
    unsigned threads_waiting =
        8;  ///< so many when small files have to be waited for, on a cold disk or a network
    std::size_t chunk_bytes = wire::kChunkBytesMax;
    std::size_t pool_buffers =
        16;  ///< chunk buffers in all: bounds memory, including what libzmq still holds
  };
  SourceReader(fs::Tree& tree, Options options, BoundedQueue<ReadRequest>& input,
               BoundedQueue<ReadOutput>& output);
  ~SourceReader();  ///< close the input (or stop()) first
  /// Gives up at once: closes input and output. Does not wait.
  void stop() noexcept;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ssync::transfer
