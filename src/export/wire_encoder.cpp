// SPDX-License-Identifier: Apache-2.0
#include "wire_encoder.h"

#include <bit>
#include <cstring>

namespace nas::detail {

static_assert(std::endian::native == std::endian::little, "protocol buffers are little-endian");

void WireMessage::Varint(std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) bytes_ += static_cast<char>((value & 0x7f) | 0x80);
  bytes_ += static_cast<char>(value);
}

void WireMessage::Key(int field, unsigned wire_type) { Varint(static_cast<std::uint64_t>(field) << 3 | wire_type); }

WireMessage& WireMessage::Int(int field, std::int64_t value) {
  Key(field, 0);
  Varint(static_cast<std::uint64_t>(value));
  return *this;
}

WireMessage& WireMessage::Float(int field, float value) {
  Key(field, 5);
  char raw[sizeof value];
  std::memcpy(raw, &value, sizeof value);
  bytes_.append(raw, sizeof value);
  return *this;
}

WireMessage& WireMessage::Bytes(int field, std::string_view value) {
  Key(field, 2);
  Varint(value.size());
  bytes_.append(value);
  return *this;
}

}  // namespace nas::detail
