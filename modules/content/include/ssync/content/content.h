// Reading a file's content to know it: checksum and digest in one pass.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "ssync/base/buffer.h"
#include "ssync/base/result.h"
#include "ssync/fs/tree.h"
#include "ssync/model/entry.h"

namespace ssync::content {

/// XXH3-128 over content that comes in pieces; holes as zeros without a buffer of zeros in the caller.
/// Move-only, one thread.
class ContentHash {
 public:
  ContentHash();
  ~ContentHash();
  ContentHash(ContentHash&&) noexcept;
  ContentHash& operator=(ContentHash&&) noexcept;
  void add(std::span<const std::byte> bytes);
  void add_zeros(std::uint64_t count);
  [[nodiscard]] Checksum checksum() const;
  void reset();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// The checksum of content that lies in one piece; several times as fast as ContentHash on small files.
[[nodiscard]] Checksum checksum_of(std::span<const std::byte> bytes);

/// What a file holds, and the stat for which that was true (taken before and after reading, and equal).
struct Content {
  Checksum checksum{};
  std::optional<Digest> digest;
  Seen seen;
};

/// Reads files to know their content. Thread safety: one thread. Memory: 256 KiB, kept from file to file.
class ContentReader {
 public:
  /// Reads `name`, holes not. `progress` (may be empty) is called with the bytes done, holes counted, at
  /// least every 16 MiB and at the end; false stops with Errc::interrupted. Errc::changed: it is not
  /// `expected` (device and inode where they are stable, size, mtime), no regular file, or it changed in each
  /// of three reads.
  [[nodiscard]] Result<Content> read(fs::Directory& directory, std::string_view name,
                                     const std::optional<Seen>& expected, std::optional<DigestKind> digest,
                                     const std::function<bool(std::uint64_t)>& progress);

 private:
  Buffer buffer_;
  ContentHash hash_;
};

}  // namespace ssync::content
