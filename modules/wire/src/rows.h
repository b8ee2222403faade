// msgpack bytes -> rows: an array of arrays, each row handed over as soon as it is complete, its strings as
// views into the input. The hot path of a sync, so a row costs no allocation.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "ssync/base/result.h"
#include "ssync/model/entry.h"
#include "ssync/wire/limits.h"

#include "fields.h"
#include "text.h"
#include "tokens.h"
#include "visit.h"

namespace ssync::wire {

/// Columns that are kept; a row may have more (of a later version), which are skipped.
inline constexpr std::size_t kColumnsMax = 24;
inline constexpr std::size_t kColumnsOfPeerMax = 64;

struct Cell {
  Token::Type type = Token::Type::nil;
  std::uint64_t number = 0;
  std::string_view bytes;
};

/// The location of the row before, when there is one.
struct LocationBefore {
  std::string_view location;
  bool any = false;
};

/// Reads one row's cells. The first thing wrong is kept; reads after it give defaults.
class RowReader {
 public:
  explicit RowReader(std::span<const Cell> cells) : cells_(cells) {}

  /// The first `count` columns must be there.
  void need(std::size_t count) {
    if (cells_.size() < count) refuse(cells_.size(), "is missing");
  }
  [[nodiscard]] bool has(std::size_t column) const noexcept {
    return column < cells_.size() && cells_[column].type != Token::Type::nil;
  }
  /// 0 when the column is left out.
  [[nodiscard]] std::uint64_t number(std::size_t column, std::uint64_t max = kNumberMax) {
    if (column >= cells_.size()) return 0;
    const Cell& cell = cells_[column];
    if (cell.type != Token::Type::positive) {
      refuse(column, "is no unsigned integer");
      return 0;
    }
    if (cell.number > max) {
      refuse(column, "is out of range");
      return 0;
    }
    return cell.number;
  }
  template <typename T>
  [[nodiscard]] T small(std::size_t column, T max = std::numeric_limits<T>::max()) {
    return static_cast<T>(number(column, max));
  }
  /// 0 when the column is left out.
  [[nodiscard]] std::int64_t signed_number(std::size_t column) {
    if (column >= cells_.size()) return 0;
    const Cell& cell = cells_[column];
    if (cell.type == Token::Type::negative) return static_cast<std::int64_t>(cell.number);
    return static_cast<std::int64_t>(number(column));
  }
  [[nodiscard]] std::string_view bytes(std::size_t column) {
    if (column < cells_.size() && cells_[column].type == Token::Type::bytes) return cells_[column].bytes;
    refuse(column, "is no byte string");
    return {};
  }
  /// Empty when nil or left out.
  [[nodiscard]] std::string_view bytes_or_nil(std::size_t column) {
    return has(column) ? bytes(column) : std::string_view();
  }
  [[nodiscard]] std::string_view text(std::size_t column) {
    if (column >= cells_.size() || cells_[column].type != Token::Type::text) {
      refuse(column, "is no text");
    } else if (cells_[column].bytes.size() > kTextBytesMax) {
      refuse(column, "is longer than 1024 bytes");
    } else if (!is_utf8(cells_[column].bytes)) {
      refuse(column, "is no UTF-8");
    } else {
      return cells_[column].bytes;
    }
    return {};
  }
  [[nodiscard]] std::optional<Checksum> checksum(std::size_t column) {
    if (!has(column)) return std::nullopt;
    const std::string_view from = bytes(column);
    Checksum out{};
    if (from.size() == out.size()) {
      std::memcpy(out.data(), from.data(), out.size());
    } else {
      refuse(column, "is no checksum of 16 bytes");
    }
    return out;
  }
  [[nodiscard]] std::optional<Digest> digest(std::size_t column) {
    if (!has(column)) return std::nullopt;
    const std::string_view from = bytes(column);
    Digest out{.kind = from.size() == 16 ? DigestKind::md5 : DigestKind::sha256, .bytes = {}};
    if (from.size() == out.size()) {
      std::memcpy(out.bytes.data(), from.data(), from.size());
    } else {
      refuse(column, "is no digest of 32 or 16 bytes");
    }
    return out;
  }
  /// Column 0: nil stands for the location of the row before.
  [[nodiscard]] std::string_view location(LocationBefore& before) {
    if (has(0)) {
      before = {.location = bytes(0), .any = true};
    } else if (!before.any) {
      refuse(0, "is nil, and there is no row before");
    }
    return before.location;
  }

  void refuse(std::size_t column, const char* why) noexcept {
    if (why_ == nullptr) column_ = column, why_ = why;
  }
  [[nodiscard]] bool good() const noexcept { return why_ == nullptr; }
  [[nodiscard]] std::string fault() const { return "column " + std::to_string(column_) + " " + why_; }

 private:
  std::span<const Cell> cells_;
  const char* why_ = nullptr;
  std::size_t column_ = 0;
};

/// `reserve(rows)` is called once, after the count was checked; `take(reader)` for each row.
template <typename Reserve, typename Take>
class RowVisitor : public Visitor {
 public:
  RowVisitor(std::size_t body_bytes, Reserve reserve, Take take)
      : body_bytes_(body_bytes), reserve_(std::move(reserve)), take_(std::move(take)) {}

  bool visit_nil() { return put(Token::Type::nil); }
  bool visit_boolean(bool v) { return put(Token::Type::boolean, v ? 1U : 0U); }
  bool visit_positive_integer(std::uint64_t v) { return put(Token::Type::positive, v); }
  bool visit_negative_integer(std::int64_t v) {
    return put(v < 0 ? Token::Type::negative : Token::Type::positive, static_cast<std::uint64_t>(v));
  }
  bool visit_float32(float /*v*/) { return put(Token::Type::floating); }
  bool visit_float64(double /*v*/) { return put(Token::Type::floating); }
  bool visit_str(const char* v, std::uint32_t size) { return put(Token::Type::text, 0, view(v, size)); }
  bool visit_bin(const char* v, std::uint32_t size) { return put(Token::Type::bytes, 0, view(v, size)); }
  bool visit_ext(const char* /*v*/, std::uint32_t /*size*/) { return put(Token::Type::extension); }
  bool start_map(std::uint32_t /*pairs*/) {
    if (depth_ < 2) return refuse(Errc::protocol, depth_ == 0 ? "is no array" : "is no array of columns");
    return open(Token::Type::map);
  }
  bool end_map() { return close(); }
  bool start_array(std::uint32_t items) {
    switch (depth_) {
      case 0:
        return begin(items);
      case 1:
        if (items > kColumnsOfPeerMax) return refuse(Errc::limit, "has too many columns");
        columns_ = 0;
        ++depth_;
        return true;
      default:
        return open(Token::Type::array);
    }
  }
  bool end_array() {
    if (depth_ == 2 && !end_row()) return false;
    return close();
  }

  Result<void> stopped;

 private:
  bool begin(std::uint32_t rows) {
    if (rows > kRowsMax) {
      stopped =
          fail(Errc::limit, "has " + std::to_string(rows) + " rows, more than " + std::to_string(kRowsMax));
      return false;
    }
    // Each row takes two bytes at least.
    if (rows > body_bytes_ / 2) {
      stopped = fail(Errc::protocol, "claims more rows than it has bytes for");
      return false;
    }
    reserve_(rows);
    ++depth_;
    return true;
  }
  bool put(Token::Type type, std::uint64_t number = 0, std::string_view bytes = {}) {
    if (depth_ != 2) {
      return depth_ > 2 || refuse(Errc::protocol, depth_ == 0 ? "is no array" : "is no array of columns");
    }
    if (columns_ < kColumnsMax) {
      Cell& cell = cells_[columns_];
      cell.type = type;
      cell.number = number;
      cell.bytes = bytes;
    }
    ++columns_;
    return true;
  }
  // A container in a row: in a column we know it is a wrong type, in others it is skipped.
  bool open(Token::Type type) {
    if (depth_ == kDepthOfTokensMax) return refuse(Errc::limit, "is nested too deeply");
    const bool kept = put(type);
    ++depth_;
    return kept;
  }
  bool close() {
    --depth_;
    return true;
  }
  bool end_row() {
    RowReader reader(std::span<const Cell>(cells_).first(std::min(columns_, kColumnsMax)));
    take_(reader);
    if (!reader.good()) return refuse(Errc::protocol, reader.fault());
    ++row_;
    return true;
  }
  bool refuse(Errc code, const std::string& why) {
    stopped = fail(code, (depth_ == 0 ? std::string("body ") : "row " + std::to_string(row_) + " ") + why);
    return false;
  }

  const std::size_t body_bytes_;
  Reserve reserve_;
  Take take_;
  std::array<Cell, kColumnsMax> cells_{};
  std::size_t columns_ = 0;
  std::size_t depth_ = 0;
  std::size_t row_ = 0;
};

/// Reads all rows of `body`. Errors: Errc::protocol, Errc::limit, with the row and column.
template <typename Reserve, typename Take>
[[nodiscard]] Result<void> read_rows(std::span<const std::byte> body, Reserve reserve, Take take) {
  RowVisitor<Reserve, Take> visitor(body.size(), std::move(reserve), std::move(take));
  return visit(body, visitor);
}

}  // namespace ssync::wire
