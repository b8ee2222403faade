#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "ssync/base/result.h"
#include "ssync/base/signals.h"

namespace ssync {

/// Standard output, whole lines at a time. Waits while the reader is slow, but not past a signal to end.
class Output {
 public:
  /// `signals` must outlive this object.
  explicit Output(Signals& signals) noexcept;

  enum class Written : std::uint8_t { yes, reader_gone, interrupted };
  /// Errors: as write(2).
  [[nodiscard]] Result<Written> write(std::string_view lines) const;

  /// Something to poll that becomes ready when the reader closes a pipe, if output is one.
  [[nodiscard]] std::optional<int> pipe() const noexcept;
  [[nodiscard]] bool reader_gone() const noexcept;
  [[nodiscard]] static bool is_terminal() noexcept;

 private:
  Signals& signals_;
  bool is_pipe_;
};

}  // namespace ssync
