// What --verify says of the changes that would make the mirror equal.
#pragma once

#include <string>
#include <vector>

#include "ssync/wire/messages.h"

namespace ssync::client_program {

struct Difference {
  std::string path;  ///< printable
  std::string what;
};

/// A change that moves something stands for two paths, one that has got another name on the mirror for none.
[[nodiscard]] std::vector<Difference> differences_of(const wire::ChangeRow& row);

}  // namespace ssync::client_program
