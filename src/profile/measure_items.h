// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "nas/device/item_result.h"
#include "nas/device/measuring_run.h"
#include "nas/profile/profile_plan.h"
#include "nas/profile/profiler.h"

namespace nas::detail {

/// Why the results give no figure; "" = they do.
std::string NoiseOf(const std::map<std::string, ItemResult>& results, const ProtocolOptions& protocol);

/// Runs a plan's items, or some of them, and tells the caller's progress.
/// `results`: earlier results by id, left out of measuring; new ones are added, and noise is judged by all of them.
/// `on_result` may be empty.
MeasuringReport MeasureItems(Engine& engine, const ProtocolOptions& protocol, const MeasureItem& reference,
                             const std::vector<MeasureItem>& items, const ProfileHooks& hooks,
                             std::map<std::string, ItemResult>& results,
                             const std::function<void(const ItemResult&)>& on_result);

/// Opens an engine of the hooks' list by name. Throws kUsage with the nearest name.
std::unique_ptr<Engine> OpenEngine(const ProfileHooks& hooks, const std::string& name, const EngineOptions& options);

}  // namespace nas::detail
