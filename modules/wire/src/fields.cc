#include "fields.h"

#include <utility>

#include "ssync/base/text.h"

#include "text.h"

namespace ssync::wire {
namespace {

// What of a peer's key an error repeats.
std::string shown(std::string_view key) {
  return escape(key.substr(0, 32));
}

}  // namespace

Fields::Fields(std::span<const Token> tokens, std::size_t at, std::optional<Error>& fault)
    : tokens_(tokens), fault_(fault) {
  index(at);
}

void Fields::index(std::size_t at) {
  const Token& map = tokens_[at];
  if (map.type != Token::Type::map) return refuse(Errc::protocol, "", "is no map");
  if (map.items > kFieldsMax) return refuse(Errc::limit, "", "has too many fields");
  keys_.reserve(map.items);
  std::size_t next = at + 1;
  for (std::uint32_t i = 0; i < map.items; ++i) {
    const Token& key = tokens_[next];
    if (key.type != Token::Type::text) return refuse(Errc::protocol, "", "has a key that is no text");
    if (key.bytes.starts_with('!'))
      return refuse(Errc::version, shown(key.bytes), "must be understood and is not known");
    if (has(key.bytes)) return refuse(Errc::protocol, shown(key.bytes), "comes twice");
    keys_.push_back(&key);
    next = tokens_[next + 1].next;
  }
}

void Fields::refuse(Errc code, std::string_view key, std::string_view why) {
  if (fault_) return;
  std::string message = key.empty() ? std::string() : "field " + std::string(key) + " ";
  fault_ = Error{code, message.append(why), 0};
}

const Token* Fields::find(std::string_view key) const noexcept {
  for (const Token* token : keys_) {
    if (token->bytes == key) return token + 1;
  }
  return nullptr;
}

const Token* Fields::need(std::string_view key, Token::Type type, std::string_view what) {
  const Token* token = find(key);
  if (token == nullptr) {
    refuse(Errc::protocol, key, "is missing");
    return nullptr;
  }
  if (token->type != type) {
    refuse(Errc::protocol, key, "is no " + std::string(what));
    return nullptr;
  }
  return token;
}

std::uint64_t Fields::number_of(const Token& token, std::string_view key, std::uint64_t max) {
  if (token.type != Token::Type::positive) {
    refuse(Errc::protocol, key, "is no unsigned integer");
    return 0;
  }
  if (token.number > max) {
    refuse(Errc::protocol, key, "is out of range");
    return 0;
  }
  return token.number;
}

std::uint64_t Fields::number(std::string_view key, std::uint64_t max) {
  const Token* token = find(key);
  if (token != nullptr) return number_of(*token, key, max);
  refuse(Errc::protocol, key, "is missing");
  return 0;
}

std::optional<std::uint64_t> Fields::optional_number(std::string_view key, std::uint64_t max) {
  const Token* token = find(key);
  if (token == nullptr) return std::nullopt;
  return number_of(*token, key, max);
}

std::int64_t Fields::signed_number(std::string_view key, std::int64_t min, std::int64_t max) {
  const Token* token = find(key);
  if (token == nullptr) {
    refuse(Errc::protocol, key, "is missing");
    return 0;
  }
  const bool negative = token->type == Token::Type::negative;
  if (!negative && (token->type != Token::Type::positive || token->number > kNumberMax)) {
    refuse(Errc::protocol, key, "is no integer below 2^63");
    return 0;
  }
  const auto value = static_cast<std::int64_t>(token->number);
  if (value >= min && value <= max) return value;
  refuse(Errc::protocol, key, "is out of range");
  return 0;
}

bool Fields::boolean(std::string_view key) {
  const Token* token = need(key, Token::Type::boolean, "boolean");
  return token != nullptr && token->number != 0;
}

std::string Fields::text_of(const Token& token, std::string_view key, std::size_t max_bytes) {
  if (token.type != Token::Type::text) {
    refuse(Errc::protocol, key, "is no text");
  } else if (token.bytes.size() > max_bytes) {
    refuse(Errc::limit, key, "is longer than " + std::to_string(max_bytes) + " bytes");
  } else if (!is_utf8(token.bytes)) {
    refuse(Errc::protocol, key, "is no UTF-8");
  } else {
    return std::string(token.bytes);
  }
  return {};
}

std::string Fields::text(std::string_view key, std::size_t max_bytes) {
  const Token* token = need(key, Token::Type::text, "text");
  return token == nullptr ? std::string() : text_of(*token, key, max_bytes);
}

std::string Fields::bytes(std::string_view key, std::size_t max_bytes) {
  const Token* token = need(key, Token::Type::bytes, "byte string");
  if (token == nullptr) return {};
  if (token->bytes.size() > max_bytes) {
    refuse(Errc::limit, key, "is longer than " + std::to_string(max_bytes) + " bytes");
    return {};
  }
  return std::string(token->bytes);
}

std::string_view Fields::exact_bytes(std::string_view key, std::size_t size) {
  const Token* token = need(key, Token::Type::bytes, "byte string");
  if (token == nullptr) return {};
  if (token->bytes.size() != size) refuse(Errc::protocol, key, "has not " + std::to_string(size) + " bytes");
  return token->bytes;
}

const Token* Fields::need_array(std::string_view key, std::size_t items_max) {
  const Token* array = need(key, Token::Type::array, "array");
  if (array == nullptr || array->items <= items_max) return array;
  refuse(Errc::limit, key, "has more than " + std::to_string(items_max) + " items");
  return nullptr;
}

std::vector<std::uint64_t> Fields::numbers(std::string_view key, std::size_t items_max) {
  std::vector<std::uint64_t> out;
  const Token* array = need_array(key, items_max);
  if (array == nullptr) return out;
  out.reserve(array->items);
  for (std::uint32_t i = 0; i < array->items; ++i) {
    // The first item that is no number ends it: what follows a container is not the next token.
    const Token& item = array[i + 1];
    if (item.type != Token::Type::positive) {
      refuse(Errc::protocol, key, "has an item that is no unsigned integer");
      break;
    }
    out.push_back(item.number);
  }
  return out;
}

std::vector<std::string> Fields::texts(std::string_view key, std::size_t items_max, std::size_t max_bytes) {
  std::vector<std::string> out;
  const Token* array = need_array(key, items_max);
  if (array == nullptr) return out;
  out.reserve(array->items);
  for (std::uint32_t i = 0; i < array->items && !fault_; ++i)
    out.push_back(text_of(array[i + 1], key, max_bytes));
  return out;
}

Fields Fields::map(std::string_view key) {
  const Token* token = need(key, Token::Type::map, "map");
  Fields inner(fault_);
  if (token == nullptr) return inner;
  inner.tokens_ = tokens_;
  inner.index(static_cast<std::size_t>(token - tokens_.data()));
  return inner;
}

}  // namespace ssync::wire
