// How a failure at one path is told.
#pragma once

#include <string_view>

#include "ssync/base/result.h"
#include "ssync/model/entry.h"
#include "ssync/model/path.h"

namespace ssync {

/// The error with nothing but `operation` as its context, "set owner: Operation not permitted": for where the
/// path is shown beside it.
[[nodiscard]] Error failed_to(std::string_view operation, const Error& error);
/// The result of one step; its Error, if it has one, becomes failed_to(operation, error).
template <typename T>
[[nodiscard]] Result<T> named(std::string_view operation, Result<T> step) {
  if (!step) return fail(failed_to(operation, step.error()));
  return step;
}
/// `error` as what went wrong with one path.
[[nodiscard]] Problem problem_at(PathView path, RowId row, const Error& error);

}  // namespace ssync
