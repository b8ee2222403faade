#include "ssync/content/content.h"

#include <algorithm>
#include <memory>

#include <openssl/evp.h>

#include "ssync/fs/same.h"

namespace ssync::content {
namespace {

constexpr int kTries = 3;
constexpr std::size_t kReadBytes = 256 * 1024;
constexpr std::uint64_t kProgressBytes = 16U << 20U;

/// SHA-256 or MD5 by OpenSSL, or nothing at all.
class DigestStream {
 public:
  [[nodiscard]] static Result<DigestStream> create(std::optional<DigestKind> kind) {
    DigestStream stream;
    if (!kind) return stream;
    stream.kind_ = *kind;
    stream.context_.reset(EVP_MD_CTX_new());
    const EVP_MD* method = *kind == DigestKind::sha256 ? EVP_sha256() : EVP_md5();
    if (!stream.context_ || EVP_DigestInit_ex(stream.context_.get(), method, nullptr) != 1) {
      return fail(Errc::unsupported, "this OpenSSL does not compute the digest that was asked for");
    }
    return stream;
  }
  void add(std::span<const std::byte> bytes) {
    if (context_) SSYNC_ASSERT(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1);
  }
  [[nodiscard]] std::optional<Digest> finish() {
    if (!context_) return std::nullopt;
    Digest digest;
    digest.kind = kind_;
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): OpenSSL wants unsigned char
    auto* const into = reinterpret_cast<unsigned char*>(digest.bytes.data());
    SSYNC_ASSERT(EVP_DigestFinal_ex(context_.get(), into, nullptr) == 1);
    return digest;
  }

 private:
  struct Free {
    void operator()(EVP_MD_CTX* context) const noexcept { EVP_MD_CTX_free(context); }
  };
  DigestKind kind_ = DigestKind::sha256;
  std::unique_ptr<EVP_MD_CTX, Free> context_;
};

/// One pass over an open file.
class Pass {
 public:
  /// `buffer` is of kReadBytes; both are borrowed.
  Pass(fs::File& file, DigestStream digest, const std::function<bool(std::uint64_t)>& progress,
       std::span<std::byte> buffer, ContentHash& hash)
      : file_(file), digest_(std::move(digest)), progress_(progress), buffer_(buffer), hash_(hash) {}

  /// False: it is shorter than `size` by now.
  Result<bool> read(std::uint64_t size, bool sparse) {
    if (!sparse && size <= buffer_.size()) return read_whole(static_cast<std::size_t>(size));
    hash_.reset();
    SSYNC_TRY(const bool complete, sparse ? read_data(size) : read_range(size));
    checksum_ = hash_.checksum();
    return complete;
  }
  [[nodiscard]] Content finish(const Seen& seen) { return {checksum_, digest_.finish(), seen}; }

 private:
  // Most files. What lies in one piece is hashed several times as fast.
  Result<bool> read_whole(std::size_t size) {
    const std::span<std::byte> whole = buffer_.first(size);
    for (std::size_t done = 0; done < size;) {
      SSYNC_TRY(const std::size_t got, file_.read_at(done, whole.subspan(done)));
      if (got == 0) return false;
      done += got;
    }
    checksum_ = checksum_of(whole);
    digest_.add(whole);
    return true;
  }

  Result<bool> read_data(std::uint64_t size) {
    while (done_ < size) {
      SSYNC_TRY(const auto data, file_.next_data(done_, size));
      SSYNC_TRY_VOID(skip_to(data ? data->begin : size));
      if (!data) break;
      SSYNC_TRY(const bool complete, read_range(data->end));
      if (!complete) return false;
    }
    return true;
  }

  Result<bool> read_range(std::uint64_t end) {
    while (done_ < end) {
      const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(end - done_, buffer_.size()));
      SSYNC_TRY(const std::size_t got, file_.read_at(done_, buffer_.first(wanted)));
      if (got == 0) return false;
      SSYNC_TRY_VOID(advance(buffer_.first(got)));
    }
    return true;
  }

  Result<void> skip_to(std::uint64_t end) {
    if (end <= done_) return {};
    std::fill(buffer_.begin(), buffer_.end(), std::byte{0});
    while (done_ < end) {
      const auto step = static_cast<std::size_t>(std::min<std::uint64_t>(end - done_, buffer_.size()));
      SSYNC_TRY_VOID(advance(buffer_.first(step)));
    }
    return {};
  }

  Result<void> advance(std::span<const std::byte> bytes) {
    hash_.add(bytes);
    digest_.add(bytes);
    done_ += bytes.size();
    if (done_ - reported_ < kProgressBytes) return {};
    reported_ = done_;
    if (progress_ && !progress_(done_)) return fail(Errc::interrupted, "reading was stopped");
    return {};
  }

  fs::File& file_;
  DigestStream digest_;
  const std::function<bool(std::uint64_t)>& progress_;
  const std::span<std::byte> buffer_;
  ContentHash& hash_;
  Checksum checksum_{};
  std::uint64_t done_ = 0;
  std::uint64_t reported_ = 0;
};

/// Inode numbers are looked at where they mean something; that is asked only when they differ.
Result<bool> is_expected(fs::Directory& directory, const Seen& expected, const fs::Stat& now) {
  if (same_content(expected, now.seen, fs::StableInodes::yes)) return true;
  if (!same_content(expected, now.seen, fs::StableInodes::no)) return false;
  SSYNC_TRY(const fs::Volume volume, directory.volume());
  return !volume.stable_inodes;
}

/// nullopt: it changed while it was read.
Result<std::optional<Content>> read_once(fs::Directory& directory, std::string_view name,
                                         const std::optional<Seen>& expected,
                                         std::optional<DigestKind> digest,
                                         const std::function<bool(std::uint64_t)>& progress,
                                         std::span<std::byte> buffer, ContentHash& hash) {
  SSYNC_TRY(const auto file, directory.open_file(name));
  SSYNC_TRY(const fs::Stat before, file->stat());
  if (expected) {
    SSYNC_TRY(const bool same, is_expected(directory, *expected, before));
    if (!same) return fail(Errc::changed, "it is not the file it was");
  }
  SSYNC_TRY(DigestStream stream, DigestStream::create(digest));
  Pass pass(*file, std::move(stream), progress, buffer, hash);
  SSYNC_TRY(const bool complete, pass.read(before.seen.values.size, before.is_sparse()));
  SSYNC_TRY(const fs::Stat after, file->stat());
  if (!complete || !fs::unchanged(before.seen, after.seen)) return std::nullopt;
  if (progress && !progress(after.seen.values.size)) return fail(Errc::interrupted, "reading was stopped");
  return pass.finish(after.seen);
}

}  // namespace

Result<Content> ContentReader::read(fs::Directory& directory, std::string_view name,
                                    const std::optional<Seen>& expected, std::optional<DigestKind> digest,
                                    const std::function<bool(std::uint64_t)>& progress) {
  if (buffer_.empty()) buffer_ = Buffer::allocate(kReadBytes);
  for (int attempt = 0; attempt < kTries; ++attempt) {
    SSYNC_TRY(std::optional<Content> content,
              read_once(directory, name, expected, digest, progress, buffer_.writable(), hash_));
    if (content) return *std::move(content);
  }
  return fail(Errc::changed, "it changed while it was read");
}

}  // namespace ssync::content
