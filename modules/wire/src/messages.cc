#include "ssync/wire/messages.h"

#include <array>
#include <type_traits>

namespace ssync::wire {
namespace {

constexpr std::array kRequestNames = {"hello", "filelist", "next",    "digests", "fail",
                                      "bye",   "dirlist",  "mirrors", "join"};
static_assert(kRequestNames.size() == std::variant_size_v<RequestBody>);

constexpr std::array kReplyNames = {"welcome",       "wait",        "filelist:ok", "ok",       "filerequest",
                                    "digestrequest", "plan",        "changes",     "problems", "sync:done",
                                    "error",         "listrequest", "mirrors",     "joined"};
static_assert(kReplyNames.size() == std::variant_size_v<ReplyBody>);

template <typename Body>
std::size_t count_rows(const Body& body) noexcept {
  return std::visit(
      [](const auto& message) -> std::size_t {
        using Message = std::decay_t<decltype(message)>;
        if constexpr (std::is_same_v<Message, FileList>) {
          return message.batch.rows.size();
        } else if constexpr (requires { message.rows.size(); }) {
          return message.rows.size();
        } else {
          return 0;
        }
      },
      body);
}

}  // namespace

const char* name_of(const RequestBody& body) noexcept {
  return kRequestNames[body.index()];
}
const char* name_of(const ReplyBody& body) noexcept {
  return kReplyNames[body.index()];
}
std::size_t rows_in(const RequestBody& body) noexcept {
  return count_rows(body);
}
std::size_t rows_in(const ReplyBody& body) noexcept {
  return count_rows(body);
}

const char* name_of(ErrorCode code) noexcept {
  switch (code) {
    case ErrorCode::protocol:
      return "protocol";
    case ErrorCode::version:
      return "version";
    case ErrorCode::refused:
      return "refused";
    case ErrorCode::busy:
      return "busy";
    case ErrorCode::limit:
      return "limit";
    case ErrorCode::session:
      return "session";
    case ErrorCode::flow:
      return "flow";
    case ErrorCode::state:
      return "state";
    case ErrorCode::path:
      return "path";
    case ErrorCode::io:
      return "io";
    case ErrorCode::no_space:
      return "no_space";
    case ErrorCode::timeout:
      return "timeout";
    case ErrorCode::shutdown:
      return "shutdown";
    case ErrorCode::internal:
      return "internal";
    case ErrorCode::source:
      return "source";
    case ErrorCode::overlap:
      return "overlap";
    case ErrorCode::mirror:
      return "mirror";
    case ErrorCode::rights:
      return "rights";
    case ErrorCode::revoked:
      return "revoked";
  }
  return "unknown";
}

}  // namespace ssync::wire
