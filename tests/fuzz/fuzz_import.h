// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "nas/core/error.h"
#include "nas/latency/importer.h"

namespace nas::fuzz {

/// Whatever the bytes are: refused as bad input or usage, or a result that obeys the rules. Anything else ends the run.
inline void CheckImport(const char* format, const std::uint8_t* bytes, std::size_t size, const ImportOptions& options) {
  const std::string text(reinterpret_cast<const char*>(bytes), size);
  try {
    const ImportedData data = FindImporter(format).Import(text, "fuzz", options);
    for (const auto& row : data.rows) {
      if (!BlockKeyProblem(row.key).empty() || !std::isfinite(row.ms) || !(row.ms > 0)) std::abort();
      if (ParseBlockKey(ToString(row.key)) != row.key) std::abort();
      if (row.std_ms && !(*row.std_ms >= 0)) std::abort();
    }
    for (const auto& net : data.nets) {
      if (net.keys.empty() || !std::isfinite(net.ms) || !(net.ms > 0)) std::abort();
      for (const auto& key : net.keys) {
        if (!BlockKeyProblem(key).empty()) std::abort();
      }
    }
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kInput && error.kind() != ErrorKind::kUsage) std::abort();
  }
}

}  // namespace nas::fuzz
