#include "ssync/model/change.h"

namespace ssync {

std::string_view guard_name(Guard guard) noexcept {
  switch (guard) {
    case Guard::none:
      return "none";
    case Guard::over_half:
      return "over_half";
    case Guard::source_empty:
      return "source_empty";
    case Guard::never_synced:
      return "never_synced";
    case Guard::max_delete:
      return "max_delete";
  }
  return "?";
}

std::string_view op_name(Op op) noexcept {
  switch (op) {
    case Op::make_directory:
      return "make_directory";
    case Op::make_link:
      return "make_link";
    case Op::make_empty:
      return "make_empty";
    case Op::copy:
      return "copy";
    case Op::rename:
      return "rename";
    case Op::rename_directory:
      return "rename_directory";
    case Op::exchange:
      return "exchange";
    case Op::stage_rename:
      return "stage_rename";
    case Op::stage_copy:
      return "stage_copy";
    case Op::publish_staged:
      return "publish_staged";
    case Op::remove:
      return "remove";
    case Op::remove_directory:
      return "remove_directory";
    case Op::request:
      return "request";
    case Op::set_metadata:
      return "set_metadata";
  }
  return "?";
}

}  // namespace ssync
