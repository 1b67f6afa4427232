// SPDX-License-Identifier: Apache-2.0
// The header of a safetensors file: 8 bytes that say how much data follows, then the JSON text.
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>

#include "nas/core/error.h"
#include "nn/safetensors_header.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  if (size < 8) return 0;
  std::uint64_t data_size = 0;
  std::memcpy(&data_size, bytes, 8);
  const std::string text(reinterpret_cast<const char*>(bytes) + 8, size - 8);
  try {
    const nas::detail::SafetensorsHeader header = nas::detail::ParseSafetensorsHeader(text, data_size, "fuzz");
    // What is accepted covers the data exactly, without overlap, each region as large as its shape asks.
    std::uint64_t sum = 0;
    for (const nas::detail::SafetensorsEntry& entry : header.entries) {
      if (entry.begin > entry.end || entry.end > data_size) std::abort();
      std::uint64_t bytes_needed = nas::detail::kSafetensorsDtypes[entry.dtype].bytes;
      for (const std::int64_t side : entry.shape) {
        if (side < 0) std::abort();
        bytes_needed *= static_cast<std::uint64_t>(side);
      }
      if (bytes_needed != entry.end - entry.begin) std::abort();
      sum += bytes_needed;
    }
    if (sum != data_size) std::abort();
    // What is written is read again without loss.
    const std::string written = nas::detail::FormatSafetensorsHeader(header);
    const auto again = nas::detail::ParseSafetensorsHeader(written, data_size, "again");
    if (written.size() % 8 != 0 || nas::detail::FormatSafetensorsHeader(again) != written) std::abort();
  } catch (const nas::Error& error) {
    if (error.kind() != nas::ErrorKind::kInput) std::abort();
  }
  return 0;
}
