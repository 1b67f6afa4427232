// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace nas::detail {

/// False for the bytes that continue a UTF-8 character.
inline bool StartsUtf8Character(char byte) { return (byte & 0xC0) != 0x80; }

/// Characters of a UTF-8 text, taken as terminal columns (wide and combining ones count as one).
inline std::size_t Utf8Length(std::string_view text) {
  std::size_t length = 0;
  for (const char byte : text) length += StartsUtf8Character(byte) ? 1 : 0;
  return length;
}

/// The first `characters` characters.
inline std::string Utf8Prefix(std::string_view text, std::size_t characters) {
  std::size_t seen = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (StartsUtf8Character(text[i]) && seen++ == characters) return std::string(text.substr(0, i));
  }
  return std::string(text);
}

}  // namespace nas::detail
