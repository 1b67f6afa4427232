// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>

#include "nas/device/engine.h"
#include "nas/device/item_result.h"
#include "nas/device/measuring_run.h"
#include "nas/latency/latency_table.h"
#include "nas/profile/profile_plan.h"
#include "nas/space/search_space.h"

namespace nas::detail {

/// Identity and recorded state as the engine tells them.
DeviceIdentity ReadIdentity(const Engine& engine);
RecordedState ReadRecorded(const Engine& engine);

/// A table without rows.
LatencyTable NewTable(const Engine& engine, const std::string& name, const ProfilePlan& plan, const SearchSpace& space);

/// The reference network's quiet time over the items of a run: 20th percentile of what it took beside each of them.
/// 0 when it was never looked at.
double QuietReference(const std::map<std::string, ItemResult>& results);

/// One measured item as the table stores it: times divided by `reference_ratio`, what the reference took beside this
/// item over its quiet time `quiet_reference`, so that slow drifts of the machine do not look like differences of
/// items.
SampleStats ToStats(const ItemResult& result, double quiet_reference);

/// Adds a run with the results of the plan's items. `scale`: from this run's quiet reference to the table's (1 = own).
void AddRun(LatencyTable& table, const ProfilePlan& plan, const std::map<std::string, ItemResult>& results,
            const MeasuringReport& report, int run, const std::string& start);

/// The table's row of the reference network of a space, or null.
const LatencyNet* FindReference(const LatencyTable& table, const std::string& space);

/// "" when the rows suffice for a fit and its certificate, else what is missing.
std::string MissingForFit(const LatencyTable& table, const ProfilePlan& plan);

/// Fits the model, and certifies it on the held-out networks. `noisy`: the machine was too noisy for figures; intervals
/// are widened by its noise floor.
void FitAndCertify(LatencyTable& table, bool noisy);

}  // namespace nas::detail
