// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "nas/core/json.h"
#include "nas/space/architecture.h"

namespace nas {

/// What the search found for one target. Costs in `unit`.
struct TargetResult {
  std::string target;  ///< name of the target
  std::string folder;  ///< under targets/
  std::string unit;    ///< "ms", "macs" or "params"
  std::optional<double> asked;
  double predicted = 0;
  std::optional<std::pair<double, double>> interval;  ///< 95 % of the prediction
  std::optional<double> measured;                     ///< ms, on the device, after the search
  bool met = true;
  double expected = 0;          ///< E under the final probabilities
  double argmax_predicted = 0;  ///< the unconstrained most probable network
  double argmax_log_prob = 0;
  double selected_log_prob = 0;
  std::string code;  ///< of the selected network
  std::int64_t macs = 0;
  std::int64_t params = 0;
  double top1 = 0, top5 = 0;  ///< inherited weights, BN recalibrated, test set; shares 0…1
  std::int64_t images = 0;
  Architecture architecture;
};

struct SearchResult {
  std::string run;  ///< run folder
  std::string space;
  std::uint64_t seed = 0;
  double wall_s = 0;
  double images_per_s = 0;  ///< training images consumed per second, arch steps included
  double peak_memory_mib = 0;
  std::vector<TargetResult> targets;
  std::optional<Json> comm;     ///< what went over the wire, where steps were divided over shards or ranks
  std::optional<Json> ranking;  ///< how far the supernet's ranking can be trusted, from the run's own data
  bool met() const;
};

/// The object that `search --json` prints and result.json holds: `nas.search/1`.
Json ToJson(const SearchResult& result);
/// Inverse, for runs that are finished. Throws kInput with file, line and path.
SearchResult SearchResultFromJson(const JsonDocument& document);
/// Aligned table for people: target, asked, predicted, measured, accuracy, MACs, params.
std::string ToTable(const SearchResult& result, bool color);

}  // namespace nas
