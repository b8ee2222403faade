// The worked exchange of proto-spec/10: a first sync of one directory with one file.
#pragma once

#include <string>

namespace ssync::wire::test {

/// Markdown, without the document's introduction.
[[nodiscard]] std::string worked_example();

}  // namespace ssync::wire::test
