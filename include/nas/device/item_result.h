// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <string>
#include <vector>

#include "nas/core/json.h"

namespace nas {

/// What the protocol found about one item. Times are ms of one forward call of the whole batch.
struct ItemResult {
  std::string id;
  int n = 0;  ///< samples that count
  double min = 0, p10 = 0, p25 = 0, median = 0, p75 = 0, p90 = 0, p99 = 0;
  double mean = 0, std = 0, mad = 0;
  std::array<double, 2> ci{};  ///< 95 % interval of the median, distribution-free
  double outlier_share = 0;
  int warmup_runs = 0;
  double first_ms = 0;         ///< the very first run
  double reference_ms = 0;     ///< what the reference network took beside these samples; 0 = not looked at
  double quiet_share = 1;      ///< share of the samples that were taken in a quiet spell
  double seconds = 0;          ///< spent on the item
  std::vector<double> temp_c;  ///< before, after; empty = unknown
  std::vector<double> mhz;
  std::vector<std::string> flags;  ///< unstable, ci_not_reached, isolated, retimed
  std::string error;               ///< why there is no time; "" = there is one

  bool Has(const std::string& flag) const;
  void Flag(const std::string& flag);  ///< once
  double noise() const { return mean > 0 ? std / mean : 0; }
  friend bool operator==(const ItemResult&, const ItemResult&) = default;
};

/// One line of a partial file and of the agent's answers; `id` and the fields above.
Json ToJson(const ItemResult& result);
/// Throws kInput on missing or unknown keys.
ItemResult ItemResultFromJson(ObjectReader reader);

}  // namespace nas
