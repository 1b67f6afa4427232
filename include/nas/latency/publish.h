// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "nas/latency/evaluation.h"
#include "nas/latency/latency_table.h"

namespace nas {

/// The form in which tables are shipped (latency.md §5, §6): refitted with 64 k-means centres, certified on `splits` of
/// `data` by the same form of model, rows and networks left out. `date`: `2026-11-22`; equal input gives equal bytes.
LatencyTable Publish(LatencyTable table, const EvalData& data, const std::vector<std::string>& splits,
                     const std::string& date);

/// Throws kUsage for a table name that is an alias, a number-like word, or not made of letters, digits, '-', '_', '.'.
void CheckTableName(const std::string& name);

}  // namespace nas
