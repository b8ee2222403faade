// What happens in a server is told to it.
#pragma once

#include <string_view>

#include "ssync/mirror/observer.h"

namespace ssync::serve {

/// Says nothing by itself. Thread safety: any thread.
class Observer {
 public:
  virtual ~Observer() = default;
  virtual void notice(std::string_view /*text*/) {}   ///< something to know
  virtual void warning(std::string_view /*text*/) {}  ///< something went wrong
  /// Who is told what happens to this mirror. Lives as long as the server.
  [[nodiscard]] virtual mirror::Observer& of_mirror(std::string_view /*name*/) { return silent_; }

 private:
  mirror::Observer silent_;
};

}  // namespace ssync::serve
