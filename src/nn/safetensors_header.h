// SPDX-License-Identifier: Apache-2.0
// The header of a safetensors file, free of LibTorch.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace nas::detail {

/// Element types that we read and write, by the format's names.
struct SafetensorsDtype {
  std::string_view name;
  std::uint64_t bytes = 0;  ///< of one element
};

inline constexpr std::array<SafetensorsDtype, 8> kSafetensorsDtypes{
    {{"F32", 4}, {"F64", 8}, {"BF16", 2}, {"F16", 2}, {"I64", 8}, {"I32", 4}, {"U8", 1}, {"BOOL", 1}}};

/// Where one tensor lies in the data part.
struct SafetensorsEntry {
  std::string name;
  std::size_t dtype = 0;  ///< index in kSafetensorsDtypes
  std::vector<std::int64_t> shape;
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

struct SafetensorsHeader {
  std::vector<SafetensorsEntry> entries;  ///< in the order of the header
  std::map<std::string, std::string> metadata;
};

/// Parses the JSON text of a header in front of `data_size` bytes of data. Strict: the regions cover the data exactly
/// and fit their shapes, no key is repeated, missing or unknown. Throws kInput `safetensors file <file> <fault>`.
SafetensorsHeader ParseSafetensorsHeader(const std::string& text, std::uint64_t data_size, const std::string& file);

/// The text of a header, padded with blanks to a multiple of 8 bytes.
std::string FormatSafetensorsHeader(const SafetensorsHeader& header);

}  // namespace nas::detail
