// Writing msgpack: integers in their shortest form, paths as bin, text as str.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include <msgpack.hpp>

#include "ssync/base/buffer.h"

#include "text.h"

namespace ssync::wire {

/// Grows as needed. One thread.
class Packer {
 public:
  void nil() { packer_.pack_nil(); }
  void boolean(bool value) { value ? packer_.pack_true() : packer_.pack_false(); }
  void number(std::uint64_t value) { packer_.pack_uint64(value); }
  void signed_number(std::int64_t value) { packer_.pack_int64(value); }
  /// Not checked: a name of the protocol's own.
  void word(std::string_view word) {
    packer_.pack_str(static_cast<std::uint32_t>(word.size()));
    packer_.pack_str_body(word.data(), static_cast<std::uint32_t>(word.size()));
  }
  void text(std::string_view text, std::size_t max_bytes) { word(fit_text(text, max_bytes)); }
  void bytes(std::string_view bytes) {
    packer_.pack_bin(static_cast<std::uint32_t>(bytes.size()));
    packer_.pack_bin_body(bytes.data(), static_cast<std::uint32_t>(bytes.size()));
  }
  void bytes(std::span<const std::byte> of) { bytes({reinterpret_cast<const char*>(of.data()), of.size()}); }
  void array(std::size_t items) { packer_.pack_array(static_cast<std::uint32_t>(items)); }
  void map(std::size_t pairs) { packer_.pack_map(static_cast<std::uint32_t>(pairs)); }
  /// What another packer wrote.
  void append(const Packer& other) { out_.write(other.out_.bytes.data(), other.out_.bytes.size()); }

  [[nodiscard]] std::size_t size() const noexcept { return out_.bytes.size(); }
  /// Hands the bytes over without a copy; the packer is empty then.
  [[nodiscard]] Buffer take() {
    if (out_.bytes.empty()) return {};
    auto owner = std::make_shared<std::vector<char>>(std::exchange(out_.bytes, {}));
    const std::span<std::byte> all(reinterpret_cast<std::byte*>(owner->data()), owner->size());
    return Buffer::adopt(std::move(owner), all);
  }

 private:
  struct Out {
    std::vector<char> bytes;
    void write(const char* from, std::size_t size) { bytes.insert(bytes.end(), from, from + size); }
  };
  Out out_;
  msgpack::packer<Out> packer_{out_};
};

/// A map whose number of fields is known only when it is finished.
class MapPacker {
 public:
  void number(std::string_view key, std::uint64_t value) { at(key).number(value); }
  void signed_number(std::string_view key, std::int64_t value) { at(key).signed_number(value); }
  void boolean(std::string_view key, bool value) { at(key).boolean(value); }
  void word(std::string_view key, std::string_view value) { at(key).word(value); }
  void text(std::string_view key, std::string_view value, std::size_t max_bytes) {
    at(key).text(value, max_bytes);
  }
  void bytes(std::string_view key, std::string_view value) { at(key).bytes(value); }
  void bytes(std::string_view key, std::span<const std::byte> value) { at(key).bytes(value); }
  void map(std::string_view key, const MapPacker& value) { value.into(at(key)); }
  /// For anything else: exactly one value must be written to it.
  [[nodiscard]] Packer& at(std::string_view key) {
    ++count_;
    fields_.word(key);
    return fields_;
  }
  void into(Packer& out) const {
    out.map(count_);
    out.append(fields_);
  }

 private:
  Packer fields_;
  std::size_t count_ = 0;
};

}  // namespace ssync::wire
