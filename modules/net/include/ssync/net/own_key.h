#pragma once

#include <functional>
#include <memory>

#include "ssync/base/result.h"
#include "ssync/net/keys.h"

namespace ssync::net {

/// Gives a program's own keys when they are needed; it may have to make them first. Blocks for a disk.
using OwnKey = std::function<Result<std::shared_ptr<const KeyPair>>()>;

}  // namespace ssync::net
