#include "ssync/transfer/content.h"

#include <algorithm>
#include <memory>

#include <openssl/evp.h>

#include "attributes.h"

namespace ssync::transfer {
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
  Pass(fs::File& file, DigestStream digest, const std::function<bool(std::uint64_t)>& progress)
      : file_(file), digest_(std::move(digest)), progress_(progress) {}

  /// False: it is shorter than `size` by now.
  Result<bool> read(std::uint64_t size, bool sparse) {
    if (!sparse) return read_range(size);
    while (done_ < size) {
      SSYNC_TRY(const auto data, file_.next_data(done_, size));
      SSYNC_TRY_VOID(skip_to(data ? data->begin : size));
      if (!data) break;
      SSYNC_TRY(const bool complete, read_range(data->end));
      if (!complete) return false;
    }
    return true;
  }
  [[nodiscard]] Content finish(const Seen& seen) { return {hash_.checksum(), digest_.finish(), seen}; }

 private:
  Result<bool> read_range(std::uint64_t end) {
    while (done_ < end) {
      const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(end - done_, kReadBytes));
      const std::span<std::byte> buffer = room(wanted);
      SSYNC_TRY(const std::size_t got, file_.read_at(done_, buffer));
      if (got == 0) return false;
      hash_.add(buffer.first(got));
      SSYNC_TRY_VOID(advance(buffer.first(got)));
    }
    return true;
  }

  Result<void> skip_to(std::uint64_t end) {
    if (end <= done_) return {};
    const std::span<std::byte> zeros = room(kReadBytes);
    std::fill(zeros.begin(), zeros.end(), std::byte{0});
    while (done_ < end) {
      const auto step = static_cast<std::size_t>(std::min<std::uint64_t>(end - done_, kReadBytes));
      hash_.add(zeros.first(step));
      SSYNC_TRY_VOID(advance(zeros.first(step)));
    }
    return {};
  }

  // Not a vector, which would clear what is about to be read into.
  std::span<std::byte> room(std::size_t bytes) {
    if (room_ < bytes) {
      buffer_ = std::make_unique_for_overwrite<std::byte[]>(bytes);
      room_ = bytes;
    }
    return {buffer_.get(), bytes};
  }

  Result<void> advance(std::span<const std::byte> bytes) {
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
  ContentHash hash_;
  std::unique_ptr<std::byte[]> buffer_;
  std::size_t room_ = 0;
  std::uint64_t done_ = 0;
  std::uint64_t reported_ = 0;
};

/// Inode numbers are looked at where they mean something; that is asked only when they differ.
Result<bool> is_expected(fs::Directory& directory, const Seen& expected, const fs::Stat& now) {
  if (same_content(expected, now, StableInodes::yes)) return true;
  if (!same_content(expected, now, StableInodes::no)) return false;
  SSYNC_TRY(const fs::Volume volume, directory.volume());
  return !volume.stable_inodes;
}

/// nullopt: it changed while it was read.
Result<std::optional<Content>> read_once(fs::Directory& directory, std::string_view name,
                                         const std::optional<Seen>& expected,
                                         std::optional<DigestKind> digest,
                                         const std::function<bool(std::uint64_t)>& progress) {
  SSYNC_TRY(const auto file, directory.open_file(name));
  SSYNC_TRY(const fs::Stat before, file->stat());
  if (expected) {
    SSYNC_TRY(const bool same, is_expected(directory, *expected, before));
    if (!same) return fail(Errc::changed, "it is not the file it was");
  }
  SSYNC_TRY(DigestStream stream, DigestStream::create(digest));
  Pass pass(*file, std::move(stream), progress);
  SSYNC_TRY(const bool complete, pass.read(before.seen.values.size, is_sparse(before)));
  SSYNC_TRY(const fs::Stat after, file->stat());
  if (!complete || !unchanged(before.seen, after.seen)) return std::nullopt;
  if (progress && !progress(after.seen.values.size)) return fail(Errc::interrupted, "reading was stopped");
  return pass.finish(after.seen);
}

}  // namespace

Result<Content> read_content(fs::Directory& directory, std::string_view name,
                             const std::optional<Seen>& expected, std::optional<DigestKind> digest,
                             const std::function<bool(std::uint64_t)>& progress) {
  for (int attempt = 0; attempt < kTries; ++attempt) {
    SSYNC_TRY(std::optional<Content> content, read_once(directory, name, expected, digest, progress));
    if (content) return *std::move(content);
  }
  return fail(Errc::changed, "it changed while it was read");
}

}  // namespace ssync::transfer
