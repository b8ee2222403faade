#include "failed.h"

namespace ssync::source {

using session::client::Failed;

ExitCode code_of(const Failed& failed) {
  switch (failed.why) {
    case Failed::Why::connection:
    case Failed::Why::connect_timeout:
      return ExitCode::socket;
    case Failed::Why::idle_timeout:
      return ExitCode::timeout;
    case Failed::Why::protocol:
      return ExitCode::stream;
    case Failed::Why::refused_plan:
      return ExitCode::max_delete;
    case Failed::Why::interrupted:
      return ExitCode::interrupted;
    case Failed::Why::server_error:
      break;
  }
  switch (failed.code.value_or(wire::ErrorCode::internal)) {
    case wire::ErrorCode::version:
      return ExitCode::incompatible;
    case wire::ErrorCode::refused:
    case wire::ErrorCode::source:
    case wire::ErrorCode::mirror:
    case wire::ErrorCode::rights:
    case wire::ErrorCode::revoked:
      return ExitCode::start;
    case wire::ErrorCode::overlap:
      return ExitCode::selection;
    case wire::ErrorCode::io:
    case wire::ErrorCode::no_space:
      return ExitCode::file;
    case wire::ErrorCode::timeout:
      return ExitCode::timeout;
    case wire::ErrorCode::busy:
    case wire::ErrorCode::shutdown:
      return ExitCode::socket;
    default:
      return ExitCode::stream;
  }
}

}  // namespace ssync::source
