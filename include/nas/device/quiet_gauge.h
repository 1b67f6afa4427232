// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "nas/device/engine.h"
#include "nas/device/protocol.h"

namespace nas {

/// Tells quiet spells of a shared machine from busy ones by the reference network: whatever slows the machine down
/// slows it down, too. The quiet level is the 20th percentile of all readings so far, so a busy start is forgiven
/// later.
class QuietGauge {
 public:
  QuietGauge(Engine& engine, PreparedItem& reference, const ProtocolOptions& options);

  /// Takes readings for `seconds`, at least five.
  void Settle(double seconds);
  /// One reading: the least of two runs of the reference, ms. It goes into the level.
  double Read();
  double level() const { return level_; }
  bool IsQuiet(double reading) const { return reading <= (1 + options_.quiet_band) * level_; }
  /// Seconds that one reading costs.
  double reading_seconds() const { return 2e-3 * level_; }

  /// Median over a look of `reference_seconds` at the reference, quiet readings alone where at least a quarter is
  /// quiet; the look is prolonged up to four times to find them.
  double Look();

 private:
  Engine& engine_;
  PreparedItem& reference_;
  const ProtocolOptions& options_;
  std::vector<double> sorted_;  // all readings
  double level_ = 0;
};

}  // namespace nas
