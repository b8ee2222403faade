#include "head.h"

#include <utility>

#include "ssync/base/assert.h"

#include "tokens.h"

namespace ssync::wire {
namespace {

// Frames of a message that is too large are refused before anything is parsed.
Result<void> check_sizes(const Frames& frames) {
  if (frames.head.size() > kHeadBytesMax) {
    return fail(Errc::limit, "head of " + std::to_string(frames.head.size()) + " bytes is larger than " +
                                 std::to_string(kHeadBytesMax));
  }
  if (frames.body.size() > kBodyBytesMax) {
    return fail(Errc::limit, "body of " + std::to_string(frames.body.size()) + " bytes is larger than " +
                                 std::to_string(kBodyBytesMax));
  }
  return {};
}

// The text that a key has; empty when it has none.
std::string_view text_at(std::span<const Token> tokens, std::string_view key) noexcept {
  if (tokens.front().type != Token::Type::map) return {};
  std::size_t next = 1;
  for (std::uint32_t i = 0; i < tokens.front().items; ++i) {
    const Token& value = tokens[next + 1];
    if (tokens[next].type == Token::Type::text && tokens[next].bytes == key &&
        value.type == Token::Type::text) {
      return value.bytes;
    }
    next = tokens[tokens[next].next].next;
  }
  return {};
}

}  // namespace

Frames HeadPacker::finish(Buffer body) const {
  Packer out;
  into(out);
  SSYNC_ASSERT(out.size() <= kHeadBytesMax && body.size() <= kBodyBytesMax);
  return {.head = out.take(), .body = std::move(body)};
}

Result<Head> open_head(const Frames& frames) {
  SSYNC_TRY_VOID(check_sizes(frames));
  auto tokens = parse_tokens(frames.head.bytes(), kHeadTokensMax);
  if (!tokens) return fail(context(std::move(tokens).error(), "head"));
  Head head{.tokens = *std::move(tokens), .type = {}, .seq = 0};
  std::optional<Error> fault;
  Fields fields(head.tokens, 0, fault);
  const auto version = fields.number("v");
  if (!fault && version != kVersion) {
    return fail(Errc::version,
                "head is of version " + std::to_string(version) + ", not " + std::to_string(kVersion));
  }
  head.seq = fields.small<std::uint32_t>("q");
  (void)fields.text("t", 32);
  if (fault) return fail(context(*std::move(fault), "head"));
  head.type = text_at(head.tokens, "t");
  return head;
}

std::uint32_t seq_of(std::span<const std::byte> head) {
  if (head.size() > kHeadBytesMax) return 0;
  const auto tokens = parse_tokens(head, kHeadTokensMax);
  if (!tokens || tokens->front().type != Token::Type::map) return 0;
  std::optional<Error> fault;
  Fields fields(*tokens, 0, fault);
  const auto seq = fields.small<std::uint32_t>("q");
  return fault && fault->code != Errc::version ? 0 : seq;
}

Result<void> require_no_body(const Frames& frames) {
  if (frames.body.empty()) return {};
  return fail(Errc::protocol, "has a body, which it must not");
}

Result<void> require_body(const Frames& frames) {
  if (!frames.body.empty()) return {};
  return fail(Errc::protocol, "has no body");
}

}  // namespace ssync::wire
