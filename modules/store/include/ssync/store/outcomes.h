// Who expects files, and is told what became of them.
#pragma once

#include <cstddef>
#include <vector>

#include "ssync/base/result.h"
#include "ssync/model/entry.h"
#include "ssync/store/incoming.h"

namespace ssync::store {

/// So many of the files that fill a location are staged, or failed.
struct Filled {
  Location* location = nullptr;
  std::size_t files = 0;
};

/// Implemented by whoever keeps the list of what is expected (transfer's ledger). Thread safety: any thread.
/// All but outstanding() and filled() may block while their reader is slow.
class Outcomes {
 public:
  virtual ~Outcomes() = default;
  /// Expected and neither published nor failed.
  [[nodiscard]] virtual std::size_t outstanding() const = 0;
  /// Counts these files off. Only those locations stay in `filled` that have all their files now and expect
  /// no more.
  virtual void filled(std::vector<Filled>& filled) = 0;
  /// One part of the message was written, or discarded.
  virtual void written(Message& message) = 0;
  virtual void published(std::vector<ReadyFile> files) = 0;
  virtual void failed(Incoming& file, const Error& error) = 0;
  virtual void failed(Incoming& file, Problem problem) = 0;
};

}  // namespace ssync::store
