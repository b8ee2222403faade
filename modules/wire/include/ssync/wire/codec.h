// Control messages <-> frames. A message is two frames: head (a msgpack map) and body (msgpack rows, empty
// for messages that have none); net adds ROUTER/DEALER envelopes. Decoding is bounded by limits.h before
// anything is allocated, and every decoded message has passed its validation (proto-spec/03): names and paths
// checked, numbers in range, no trailing bytes, no duplicate keys.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "ssync/base/buffer.h"
#include "ssync/base/result.h"
#include "ssync/wire/limits.h"
#include "ssync/wire/messages.h"

namespace ssync::wire {

struct Frames {
  Buffer head;
  Buffer body;  ///< may be empty
  [[nodiscard]] std::size_t bytes() const noexcept { return head.bytes().size() + body.bytes().size(); }
};

/// Requires: the message is within the limits of rows and bytes (an assertion: senders cut their batches).
/// In texts, '?' stands for each byte that is no UTF-8; texts that are too long are cut, notes beyond
/// kNotesMax left out. Nothing else is checked: validate() is there for who doubts what it sends.
[[nodiscard]] Frames encode(const Request& request);
[[nodiscard]] Frames encode(const Reply& reply);

/// Errors: Errc::protocol with the message's name and the field; Errc::limit; Errc::version for another
/// version's message and for a field that the sender says must be understood and is not. The decoded rows of
/// a filelist keep `frames.body` alive and point into it.
[[nodiscard]] Result<Request> decode_request(Frames frames);
[[nodiscard]] Result<Reply> decode_reply(Frames frames);

/// The sequence number in a head, also of a message that cannot be decoded, so that it can be answered with
/// an error; 0 when there is none.
[[nodiscard]] std::uint32_t seq_of(std::span<const std::byte> head);

/// Bytes that a row takes in a body at most. Senders close a batch at kRowsMax rows, or as soon as the sum
/// reaches kBodyBytesTarget.
[[nodiscard]] std::size_t body_bytes(const RequestRow& row) noexcept;
[[nodiscard]] std::size_t body_bytes(const DigestQuery& row) noexcept;
[[nodiscard]] std::size_t body_bytes(const DirectorySum& row) noexcept;
[[nodiscard]] std::size_t body_bytes(const AskedDirectory& row) noexcept;
[[nodiscard]] std::size_t body_bytes(const ChangeRow& row) noexcept;
[[nodiscard]] std::size_t body_bytes(const Problem& row) noexcept;

/// Builds the body of a filelist row by row; the client's hot path. One thread.
class FileListEncoder {
 public:
  /// A batch is full at `rows_max` rows, or at `target_bytes` (the row that crosses it still goes in).
  /// Requires: 1 <= rows_max <= kRowsMax, target_bytes <= kBodyBytesTarget.
  explicit FileListEncoder(std::size_t rows_max = kRowsMax, std::size_t target_bytes = kBodyBytesTarget);
  ~FileListEncoder();
  FileListEncoder(FileListEncoder&&) noexcept;
  FileListEncoder& operator=(FileListEncoder&&) noexcept;
  /// False, and nothing added, when the batch is full (rows or bytes): finish() first.
  [[nodiscard]] bool add(const Row& row);
  [[nodiscard]] std::size_t rows() const noexcept;
  /// The filelist `number` with these rows, ready to send under (seq, session); starts the next batch.
  struct Encoded {
    Buffer body;
    std::uint64_t number = 0;
    std::size_t rows = 0;
    bool last = false;
  };
  [[nodiscard]] Encoded finish(bool last);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};
/// The frames of a filelist from its encoded body.
[[nodiscard]] Frames filelist_frames(std::uint32_t seq, const SessionId& session,
                                     FileListEncoder::Encoded encoded);

}  // namespace ssync::wire
