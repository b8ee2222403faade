#include "ssync/fs/mirror_record.h"

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include <fmt/format.h>

#include "ssync/base/text.h"
#include "ssync/fs/staging.h"

namespace ssync::fs {
namespace {

constexpr std::string_view kName = "mirror";
constexpr std::string_view kNewName = "mirror.new";
constexpr std::string_view kFirstLine = "server-sync mirror 1\n";
/// A source id has at most 64 KiB, escaped four times that.
constexpr std::size_t kBytesMax = std::size_t{512} << 10U;

/// FNV-1a, 64 bits: finds a torn or edited file. Source: draft-eastlake-fnv.
std::uint64_t sum_of(std::string_view text) {
  std::uint64_t sum = 0xCBF29CE484222325U;
  for (const char c : text)
    sum = (sum ^ static_cast<unsigned char>(c)) * 0x100000001B3U;
  return sum;
}

std::string text_of(const MirrorRecord& record) {
  std::string text = fmt::format("{}source {}\nsynced {}\nepoch {}\n", kFirstLine, escape(record.source_id),
                                 record.synced ? 1 : 0, record.epoch);
  text += fmt::format("sum {:016x}\n", sum_of(text));
  return text;
}

tl::unexpected<Error> damaged() {
  return fail(Errc::corrupt, fmt::format("{}/{} is damaged", kStateDirectory, kName));
}

/// The rest of the next line after `key` and a space. nullopt: it has another key, or no end.
std::optional<std::string_view> take_line(std::string_view& text, std::string_view key) {
  const std::size_t end = text.find('\n');
  if (end == std::string_view::npos || !text.starts_with(key) || text.substr(key.size(), 1) != " ")
    return std::nullopt;
  const std::string_view value = text.substr(key.size() + 1, end - key.size() - 1);
  text.remove_prefix(end + 1);
  return value;
}

/// The inverse of escape(): "\#ooo" is a byte.
std::string unescape(std::string_view text) {
  std::string bytes;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 4 >= text.size() || text[i + 1] != '#') {
      bytes += text[i];
      continue;
    }
    unsigned byte = 0;
    for (std::size_t digit = 2; digit < 5; ++digit)
      byte = byte * 8 + static_cast<unsigned>(text[i + digit] - '0');
    bytes += static_cast<char>(byte & 0xFFU);
    i += 4;
  }
  return bytes;
}

Result<std::optional<MirrorRecord>> parse(std::string_view text) {
  const std::string_view all = text;
  if (!text.starts_with(kFirstLine)) return damaged();
  text.remove_prefix(kFirstLine.size());
  const auto source = take_line(text, "source");
  const auto synced = source ? take_line(text, "synced") : std::nullopt;
  const auto epoch = synced ? take_line(text, "epoch") : std::nullopt;
  if (!epoch) return damaged();
  const std::string_view summed = all.substr(0, all.size() - text.size());
  const auto sum = take_line(text, "sum");
  if (!sum || *sum != fmt::format("{:016x}", sum_of(summed)) || !text.empty()) return damaged();
  return MirrorRecord{unescape(*source), *synced == "1", std::string(*epoch)};
}

}  // namespace

Result<std::optional<MirrorRecord>> read_mirror_record(Tree& tree) {
  const auto directory = tree.open(kStateDirectory);
  const bool none = !directory && (directory.error().code == Errc::not_found ||
                                   directory.error().code == Errc::not_directory);
  if (none) return std::optional<MirrorRecord>();
  if (!directory) return fail(directory.error());
  const auto file = (*directory)->open_file(kName);
  if (!file && file.error().code == Errc::not_found) return std::optional<MirrorRecord>();
  if (!file) return fail(file.error());
  std::string text;
  std::array<std::byte, 4096> piece{};
  while (text.size() <= kBytesMax) {
    SSYNC_TRY(const std::size_t got, (*file)->read_at(text.size(), piece));
    if (got == 0) return parse(text);
    for (std::size_t i = 0; i < got; ++i)
      text += static_cast<char>(piece.at(i));
  }
  return damaged();
}

Result<void> write_mirror_record(Tree& tree, const MirrorRecord& record) {
  auto directory = tree.open(kStateDirectory);
  if (!directory && directory.error().code == Errc::not_found) {
    SSYNC_TRY(const auto root, tree.open(""));
    SSYNC_TRY_VOID(root->make_directory(kStateDirectory, 0700));
    directory = tree.open(kStateDirectory);
  }
  if (!directory) return fail(directory.error());
  // Of one that was killed.
  if (Result<void> removed = (*directory)->remove(kNewName);
      !removed && removed.error().code != Errc::not_found)
    return removed;
  SSYNC_TRY(const auto file, (*directory)->create_file(kNewName, 0600));
  const std::string text = text_of(record);
  SSYNC_TRY_VOID(file->write_at(0, std::as_bytes(std::span(text))));
  SSYNC_TRY_VOID(file->flush());
  SSYNC_TRY_VOID((*directory)->rename(kNewName, **directory, kName, Replace::yes));
  return (*directory)->flush();
}

}  // namespace ssync::fs
