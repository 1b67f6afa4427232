// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "nas/core/json.h"
#include "nas/latency/cost_table.h"
#include "nas/search/search_options.h"

namespace nas {

class LatencyModel;

/// One target of a run, ready for the search: what was asked, what each candidate costs, and the budget in the table's
/// unit.
struct SearchTarget {
  TargetRequest request;
  std::string folder;  ///< name under targets/: "cpu-50pct", "macs-50M", "macs" when unconstrained
  CostTable table;
  std::shared_ptr<const LatencyModel> model;  ///< null for MACs and params
  std::string table_text;                     ///< the latency table as used, for table.json; "" for MACs and params
  std::optional<double> budget;               ///< nullopt = unconstrained
  /// Measures a network on the target now, ms; empty where the device cannot be reached from here.
  std::function<double(const Architecture& architecture)> measure;

  double min() const { return table.MinCost(); }
  double max() const { return table.MaxCost(); }
  /// `cpu=50%` as asked.
  std::string label() const { return request.text.empty() ? request.name : request.name + "=" + request.text; }
  /// Below the reachable range: no architecture can meet it.
  bool unreachable() const { return budget && *budget < min(); }
  /// "ms", "macs" or "params": the unit of all figures of the target in result.json.
  std::string unit() const;
};

/// Budget in the table's unit from what was asked; a budget above the range counts as unconstrained (N6).
/// Shares are min + share·(max − min).
std::optional<double> ResolveBudget(const TargetRequest& request, const CostTable& table);

/// Folder name of a target: letters, digits, '-', '.', '_' only.
std::string TargetFolder(const TargetRequest& request);

}  // namespace nas
