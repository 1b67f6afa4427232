// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "nas/device/engine.h"
#include "nas/device/item_result.h"
#include "nas/device/protocol.h"

namespace nas {

/// What a measuring run tells while it goes on. All may be empty.
struct MeasuringHooks {
  /// Each result as it comes; an item that is timed again comes again and replaces its earlier result.
  std::function<void(const ItemResult& result)> on_result;
  std::function<void(int done, int total, const std::string& id, double seconds_left)> on_progress;
  std::function<bool()> stop;  ///< asked before each item
};

/// How a run went.
struct MeasuringReport {
  int done = 0;  ///< items with a result, the skipped ones left out
  int unstable = 0;
  int pauses = 0;  ///< of the drift guard
  int retimed = 0;
  int errors = 0;  ///< items that the engine could not run
  double seconds = 0;
  double reference_ms = 0;     ///< quiet level of the reference network at the end
  double reference_drift = 0;  ///< relative change of the reference from the first look to the last
  double noise_floor = 0;      ///< median over items of std/mean
  std::vector<double> temp_c;  ///< before, after; empty = unknown
  std::vector<double> mhz;
  bool stopped = false;   ///< asked to stop; items are left
  bool deadline = false;  ///< out of time; items are left
  /// Why no figure can be given, in words; "" = all is well. A run that left items out because they are done tells of
  /// drift only: a few items, measured again because they were doubtful, say nothing about the noise of all.
  std::string too_noisy;
};

/// A device whose agent does what `MeasuringRun` does.
class SelfMeasuring {
 public:
  virtual ~SelfMeasuring() = default;
  /// Like `MeasuringRun::Measure`. Throws kUnavailable when the device is lost for good.
  virtual MeasuringReport Measure(const ProtocolOptions& options, const MeasureItem& reference,
                                  const std::vector<MeasureItem>& items, const std::set<std::string>& done,
                                  const MeasuringHooks& hooks) = 0;
};

/// Measures items in shuffled order under the drift guard (latency.md §9.8, §9.9). An agent on a far device and the
/// host run the same code.
class MeasuringRun {
 public:
  /// `reference`: the network that is looked at every `reference_every` items.
  MeasuringRun(Engine& engine, const ProtocolOptions& options, MeasureItem reference);

  /// `done`: ids that have a result already and are left out; the order of the rest does not depend on it.
  MeasuringReport Measure(const std::vector<MeasureItem>& items, const std::set<std::string>& done,
                          const MeasuringHooks& hooks);

 private:
  Engine& engine_;
  ProtocolOptions options_;
  MeasureItem reference_;
};

/// The layout that a protocol asks of an engine: rotation through what it says, at most (and where it says nothing)
/// through 1.25 × the last-level cache.
RunLayout LayoutFor(const Engine& engine, const ProtocolOptions& options);

/// Copies of a chain of blocks that take turns: as many as a layout's rotation holds of `footprint` bytes, at least
/// one.
int CopiesFor(const RunLayout& layout, std::int64_t footprint);

/// Why items give no figure (latency.md §9.8): too many are unstable, or their noise floor is too high; "" = they do.
std::string NoiseProblem(const std::vector<ItemResult>& results, const ProtocolOptions& options);

/// Order of measuring: a permutation of 0…n−1 from the stored seed.
std::vector<int> MeasuringOrder(int n, std::uint64_t seed);

}  // namespace nas
