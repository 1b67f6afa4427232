// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "nas/device/engine.h"
#include "nas/device/item_result.h"
#include "nas/device/protocol.h"
#include "nas/device/quiet_gauge.h"

namespace nas {

/// Quantiles, deviations, interval and outliers of the samples that count, and the flag `unstable` (latency.md §9.6,
/// §9.7).
void SetStatistics(const std::vector<double>& samples, const ProtocolOptions& options, ItemResult* result);

/// Times one item by the protocol (latency.md §9.3–§9.7): warms up, loops short items into samples, samples until the
/// median is known well enough, measures once more what looks odd and flags what stays odd.
class ItemMeter {
 public:
  /// `gauge` may be null: then every sample counts.
  ItemMeter(Engine& engine, const ProtocolOptions& options, QuietGauge* gauge);

  ItemResult Measure(const std::string& id, PreparedItem& item);

 private:
  struct Samples;
  int WarmUp(PreparedItem& item, ItemResult& result);  // calls per sample
  int CallsPerSample(double own_ms, double call_ms) const;
  Samples Collect(PreparedItem& item, int calls, double seconds);
  void Summarise(const Samples& samples, ItemResult& result) const;

  Engine& engine_;
  const ProtocolOptions& options_;
  QuietGauge* gauge_;
};

}  // namespace nas
