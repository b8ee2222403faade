#include "tokens.h"

#include <array>
#include <utility>

#include "visit.h"

namespace ssync::wire {
namespace {

class TokenVisitor : public Visitor {
 public:
  explicit TokenVisitor(std::size_t tokens_max) : tokens_max_(tokens_max) {}

  bool visit_nil() { return add({.type = Token::Type::nil}); }
  bool visit_boolean(bool v) { return add({.type = Token::Type::boolean, .number = v ? 1U : 0U}); }
  bool visit_positive_integer(std::uint64_t v) { return add({.type = Token::Type::positive, .number = v}); }
  bool visit_negative_integer(std::int64_t v) {
    // The signed formats may hold a number that is not negative.
    const auto type = v < 0 ? Token::Type::negative : Token::Type::positive;
    return add({.type = type, .number = static_cast<std::uint64_t>(v)});
  }
  bool visit_float32(float /*v*/) { return add({.type = Token::Type::floating}); }
  bool visit_float64(double /*v*/) { return add({.type = Token::Type::floating}); }
  bool visit_str(const char* v, std::uint32_t size) {
    return add({.type = Token::Type::text, .bytes = view(v, size)});
  }
  bool visit_bin(const char* v, std::uint32_t size) {
    return add({.type = Token::Type::bytes, .bytes = view(v, size)});
  }
  bool visit_ext(const char* /*v*/, std::uint32_t /*size*/) { return add({.type = Token::Type::extension}); }
  bool start_array(std::uint32_t items) { return open({.type = Token::Type::array, .items = items}); }
  bool start_map(std::uint32_t pairs) { return open({.type = Token::Type::map, .items = pairs}); }
  bool end_array() { return close(); }
  bool end_map() { return close(); }

  Result<void> stopped;
  std::vector<Token> tokens;

 private:
  bool add(Token token) {
    if (tokens.size() == tokens_max_) {
      stopped = fail(Errc::limit, "has more than " + std::to_string(tokens_max_) + " values");
      return false;
    }
    token.next = static_cast<std::uint32_t>(tokens.size() + 1);
    tokens.push_back(token);
    return true;
  }
  bool open(Token token) {
    if (depth_ == open_.size()) {
      stopped = fail(Errc::limit, "is nested too deeply");
      return false;
    }
    open_[depth_++] = tokens.size();
    return add(token);
  }
  bool close() {
    tokens[open_[--depth_]].next = static_cast<std::uint32_t>(tokens.size());
    return true;
  }

  const std::size_t tokens_max_;
  std::array<std::size_t, kDepthOfTokensMax> open_{};
  std::size_t depth_ = 0;
};

}  // namespace

Result<std::vector<Token>> parse_tokens(std::span<const std::byte> bytes, std::size_t tokens_max) {
  TokenVisitor visitor(tokens_max);
  SSYNC_TRY_VOID(visit(bytes, visitor));
  return std::move(visitor.tokens);
}

}  // namespace ssync::wire
