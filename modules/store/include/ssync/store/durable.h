#pragma once

namespace ssync::store {

/// Whether the disk is waited for: content before names, names before anybody is told.
enum class Durable : bool { no, yes };

}  // namespace ssync::store
