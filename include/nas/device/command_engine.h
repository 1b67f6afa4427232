// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "nas/core/clock.h"
#include "nas/core/files.h"
#include "nas/device/affinity.h"
#include "nas/device/engine.h"
#include "nas/device/measuring_run.h"

namespace nas {

/// One line that a user's runtime prints (latency.md §8).
struct CommandLine {
  enum class Type { kHello, kSample, kDone };
  Type type = Type::kDone;
  std::string engine, version, precision;  ///< kHello
  double ms = 0;                           ///< kSample: of one forward call of the whole batch
  int runs = 0;                            ///< kDone
};
/// Throws kInput saying what is wrong with the line.
CommandLine ParseCommandLine(std::string_view text);

/// A runtime of the user's own: a program that is given an ONNX file and prints how long each run took. It samples by
/// itself, one process per item; blocks are alone in their file, behind a 1×1 conv from the image's three channels
/// whose own time is taken off. So whole networks have to calibrate the table.
class CommandEngine final : public Engine, public SelfMeasuring {
 public:
  /// Runs the command once to learn engine and version. Throws kUsage without a command or for a far device,
  /// kUnavailable when it does not run.
  explicit CommandEngine(const EngineOptions& options);

  Json Identity() const override;
  Json Recorded() const override;
  std::int64_t CacheBytes() const override { return 0; }
  std::unique_ptr<PreparedItem> Prepare(const MeasureItem& item, const RunLayout& layout) override;
  double Now() const override { return clock_.Seconds(); }
  void Sleep(double seconds) override;
  double Temperature() const override;
  double Megahertz() const override;
  SelfMeasuring* self_measuring() override { return this; }

  /// References are looked at every `reference_every` items; nothing is paused or measured again.
  MeasuringReport Measure(const ProtocolOptions& options, const MeasureItem& reference,
                          const std::vector<MeasureItem>& items, const std::set<std::string>& done,
                          const MeasuringHooks& hooks) override;

 private:
  class Item;
  struct Limits {
    int min_runs = 20;
    int max_runs = 200;
    double max_seconds = 10;
  };
  std::vector<double> Samples(const std::string& model, const Limits& limits);
  std::vector<double> SamplesOf(const MeasureItem& item, const Limits& limits);
  std::string ModelOf(const MeasureItem& item);
  ItemResult MeasureItemNow(const MeasureItem& item, const ProtocolOptions& options);

  EngineOptions options_;
  CoreMask mask_;
  AffinityScope pin_;
  TempDir folder_;
  CommandLine hello_;
  Stopwatch clock_;
  int models_ = 0;
};

}  // namespace nas
