#include "differences.h"

#include <array>
#include <string_view>
#include <utility>

#include "ssync/model/path.h"

namespace ssync::client_program {
namespace {

std::string_view word_of(Kind kind) {
  switch (kind) {
    case Kind::directory:
      return "directory";
    case Kind::symlink:
      return "symbolic link";
    case Kind::special:
      return "socket, fifo or device";
    default:
      return "file";
  }
}

Difference missing(const wire::ChangeRow& row) {
  return {printable({row.location, row.name}),
          "missing on the mirror (a " + std::string(word_of(row.kind)) + ")"};
}
Difference extra(std::string_view location, std::string_view name, Kind kind) {
  return {printable({location, name}),
          "on the mirror, not in the source (a " + std::string(word_of(kind)) + ")"};
}

Difference other(const wire::ChangeRow& row) {
  static constexpr std::array<const char*, 6> kWords{"content", "size", "time", "mode", "owner", "group"};
  std::string words;
  for (unsigned bit = 0; bit < kWords.size(); ++bit) {
    if ((row.differs >> bit & 1U) == 0) continue;
    if (!words.empty()) words += ", ";
    words += bit == 0 && row.kind == Kind::symlink ? "target" : kWords.at(bit);
  }
  return {printable({row.location, row.name}), words.empty() ? "differs" : "other " + words};
}

Difference at_path(const wire::ChangeRow& row) {
  return row.is_new ? missing(row) : other(row);
}

}  // namespace

std::vector<Difference> differences_of(const wire::ChangeRow& row) {
  switch (row.op) {
    case Op::publish_staged:  // what was staged for it has said so
      return {};
    case Op::remove:
    case Op::remove_directory:
      return {extra(row.location, row.name, row.kind)};
    case Op::rename:
    case Op::rename_directory:
    case Op::stage_rename:
      return {at_path(row), extra(row.from_location, row.from_name, row.kind)};
    case Op::exchange: {
      wire::ChangeRow from = row;
      from.location = row.from_location;
      from.name = row.from_name;
      return {other(row), other(from)};
    }
    default:
      return {at_path(row)};
  }
}

}  // namespace ssync::client_program
