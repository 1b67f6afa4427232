// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "nas/core/clock.h"
#include "nas/device/affinity.h"
#include "nas/device/engine.h"
#include "nas/nn/device.h"

namespace nas::detail {

/// This machine's CPU through LibTorch, in this process (latency.md §8): BN folded, channels_last, InferenceMode, a
/// fixed number of threads on fixed cores for as long as the engine lives. Runs that the scheduler interrupted are run
/// again.
class LibTorchEngine final : public Engine {
 public:
  /// Throws kUsage on a core mask that is not legal here, kUnavailable for a device that is not the CPU.
  explicit LibTorchEngine(const EngineOptions& options);

  Json Identity() const override;
  Json Recorded() const override;
  std::int64_t CacheBytes() const override;
  std::unique_ptr<PreparedItem> Prepare(const MeasureItem& item, const RunLayout& layout) override;
  double Now() const override { return clock_.Seconds(); }
  void Sleep(double seconds) override;
  double Temperature() const override;
  double Megahertz() const override;

 private:
  EngineOptions options_;
  CoreMask mask_;
  AffinityScope pin_;
  ThreadScope threads_;
  Stopwatch clock_;
};

}  // namespace nas::detail
