// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "backend.h"
#include "device_facts.h"
#include "nas/core/clock.h"
#include "nas/device/affinity.h"
#include "nas/device/engine.h"

namespace nas::agent {

/// The device that this program runs on, through one of its backends: networks and blocks built from their keys, with
/// weights from a seed, on fixed cores for as long as the engine lives.
class GraphEngine final : public Engine {
 public:
  /// `hash`: of the agent's program. Throws kUsage on a core mask that is not legal here or threads that the backend
  /// does not have.
  GraphEngine(Backend backend, const EngineOptions& options, std::string hash);

  Json Identity() const override;
  Json Recorded() const override;
  std::int64_t CacheBytes() const override;
  std::unique_ptr<PreparedItem> Prepare(const MeasureItem& item, const RunLayout& layout) override;
  double Now() const override { return clock_.Seconds(); }
  void Sleep(double seconds) override;
  double Temperature() const override;
  double Megahertz() const override;

 private:
  Backend backend_;
  EngineOptions options_;
  std::string hash_;
  CoreMask mask_;
  AffinityScope pin_;
  DeviceFacts facts_;
  Stopwatch clock_;
};

}  // namespace nas::agent
