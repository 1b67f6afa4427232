// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "nas/latency/cost_table.h"
#include "nas/latency/latency_model.h"
#include "session.h"

namespace nas::cli {

/// The table that a target name stands for (latency.md §6), from those that exist: nothing is measured here.
/// Throws kInput for unknown names, kUnavailable naming the remedy when `cpu` has no profile yet.
LatencyTable LoadTargetTable(const std::string& target, const Session& session);

/// Costs of a space on a named target (latency.md §6 order: path, cached, shipped, alias; `macs`, `params`), from
/// tables that exist: nothing is measured here. Throws kInput naming the remedy when `cpu` or `gpu` has no profile yet.
CostTable LoadCostTable(const std::string& target, const SearchSpace& space, const Session& session);

}  // namespace nas::cli
