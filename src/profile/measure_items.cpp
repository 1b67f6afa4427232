// SPDX-License-Identifier: Apache-2.0
#include "measure_items.h"

#include <set>

#include "nas/core/log.h"
#include "nas/core/text.h"

namespace nas::detail {

std::string NoiseOf(const std::map<std::string, ItemResult>& results, const ProtocolOptions& protocol) {
  std::vector<ItemResult> measured;
  for (const auto& [id, result] : results) {
    if (result.error.empty()) measured.push_back(result);
  }
  return NoiseProblem(measured, protocol);
}

MeasuringReport MeasureItems(Engine& engine, const ProtocolOptions& protocol, const MeasureItem& reference,
                             const std::vector<MeasureItem>& items, const ProfileHooks& hooks,
                             std::map<std::string, ItemResult>& results,
                             const std::function<void(const ItemResult&)>& on_result) {
  std::set<std::string> done;
  for (const auto& [id, result] : results) done.insert(id);
  const auto skipped = static_cast<int>(done.size());
  MeasuringHooks measuring;
  measuring.on_result = [&](const ItemResult& result) {
    if (!result.error.empty()) LogWarning(StrCat(result.id, ": ", result.error));
    results[result.id] = result;
    if (on_result) on_result(result);
  };
  measuring.on_progress = [&](int count, int total, const std::string& id, double seconds_left) {
    if (hooks.progress == nullptr) return;
    ProgressState state;
    state.phase = "profile";
    state.done = skipped + count;
    state.total = skipped + total;
    state.fields = {{"item", id}};
    state.seconds_left = seconds_left;
    hooks.progress->Update(state);
  };
  measuring.stop = [&] { return hooks.stop != nullptr && hooks.stop->requested(); };
  MeasuringReport report = MeasuringRun(engine, protocol, reference).Measure(items, done, measuring);
  if (report.too_noisy.empty()) report.too_noisy = NoiseOf(results, protocol);
  return report;
}

std::unique_ptr<Engine> OpenEngine(const ProfileHooks& hooks, const std::string& name, const EngineOptions& options) {
  return FindEngine(hooks.engines.empty() ? BuiltinEngines() : hooks.engines, name).make(options);
}

}  // namespace nas::detail
