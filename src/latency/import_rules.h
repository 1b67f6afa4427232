// SPDX-License-Identifier: Apache-2.0
// Rules that all importers share: numbers, units, names, one device per file.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "nas/latency/importer.h"

namespace nas {

/// Throws kInput `where: what; remedy`.
[[noreturn]] void ThrowAt(const std::string& where, const std::string& what);

/// A latency in ms. Throws kInput unless it is a finite number above 0.
double ImportLatency(const std::string& where, std::string_view field, std::string_view text, double ms_per_unit);
double CheckLatency(const std::string& where, std::string_view field, double value, double ms_per_unit);
/// A standard deviation in ms: finite, not negative.
double ImportDeviation(const std::string& where, std::string_view field, std::string_view text, double ms_per_unit);
/// A variance in ms², given as its square root in ms.
double ImportVariance(const std::string& where, std::string_view field, std::string_view text, double ms_per_unit);
/// A whole number ≥ 1.
std::int64_t ImportCount(const std::string& where, std::string_view field, std::string_view text);

/// Throws kInput with the nearest known name unless `name` is known or ignored.
void CheckKnownField(const std::string& where, const std::string& kind, const std::string& name,
                     const std::vector<std::string>& known, const ImportOptions& options);

/// Throws kInput when the key is not legal.
void CheckImportedKey(const std::string& where, const BlockKey& key);

/// Keeps one device and one runtime: each `Accept` names what a record belongs to; false = skip the record.
class SourceFilter {
 public:
  explicit SourceFilter(const ImportOptions& options) : options_(options) {}
  bool Accept(const std::string& device, const std::string& runtime);
  /// Throws kInput listing the devices or runtimes if several were accepted, or none although records were there.
  void Finish(const std::string& source_name, ImportedData* data) const;

 private:
  const ImportOptions& options_;
  std::vector<std::string> devices_, runtimes_;          // accepted
  std::vector<std::string> all_devices_, all_runtimes_;  // seen
};

}  // namespace nas
