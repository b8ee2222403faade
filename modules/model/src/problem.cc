#include "ssync/model/problem.h"

#include <string>

namespace ssync {

Error failed_to(std::string_view operation, const Error& error) {
  if (error.sys_errno != 0) return {error.code, std::string(operation), error.sys_errno};
  return {error.code, std::string(operation) + ": " + error.message, 0};
}

Problem problem_at(PathView path, RowId row, const Error& error) {
  Problem problem;
  problem.location = path.location;
  problem.name = path.name;
  problem.text = error.text();
  problem.sys_errno = error.sys_errno;
  problem.row = row;
  return problem;
}

}  // namespace ssync
