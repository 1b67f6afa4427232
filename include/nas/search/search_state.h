// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "nas/nn/supernet.h"
#include "nas/search/arch_parameters.h"
#include "nas/search/collapse_alarm.h"
#include "nas/search/latency_constraint.h"
#include "nas/search/path_sampler.h"
#include "nas/search/pruning.h"
#include "nas/search/reinforce.h"
#include "nas/search/search_setup.h"
#include "nas/train/checkpoint.h"
#include "nas/train/sgd.h"
#include "nas/train/shard_group.h"

namespace nas {

/// Whether a budget decided, from the expected cost at the end of training.
inline bool Pressed(double expected, double budget) { return expected >= 0.9 * budget; }

/// What belongs to one target alone (N9): a step for one target leaves all others bit-identical.
struct TargetState {
  ArchParameters alphas;
  LatencyConstraint constraint;
  RewardBaseline baseline;
  /// The budget bound while the alphas were learned: they carry its price, so that their most probable network leaves
  /// latency unused.
  bool pressed = false;
  Matrix shared_p = {};  ///< rank 0's probabilities, on the other ranks of a run

  Matrix Probabilities() const { return shared_p.empty() ? alphas.Probabilities() : shared_p; }
};

/// What is missing of step `step` in a state that was saved because a rank was lost.
enum class Due { kNothing, kArchStep, kCount, kEpochEnd };

/// Sums of the epoch in progress; part of the checkpoint, so that a resumed run logs the same figures.
struct EpochMeter {
  double loss_sum = 0;
  double correct = 0;
  std::int64_t images = 0;
  double seconds = 0;       ///< of all steps
  double arch_seconds = 0;  ///< of the architecture steps among them
};

/// Lengths of the run folder's growing files.
struct LineCounts {
  std::int64_t metrics = 0;
  std::int64_t samples = 0;
};

/// All that changes while a search runs, and all that a checkpoint holds (N12). Loader positions and random draws
/// follow from the counters.
class SearchState {
 public:
  SearchState(const SearchSetup& setup, const at::Device& device);

  Supernet net;
  Sgd sgd;
  std::vector<TargetState> targets;
  Pruner pruner;
  PathSampler sampler;
  double alpha_lr = 0;            ///< of the schedule
  std::int64_t step = 0;          ///< weight steps done
  std::int64_t arch_updates = 0;  ///< architecture updates done, over all targets
  EpochMeter meter;
  double wall_s = 0;             ///< of all sessions of the run
  std::int64_t images = 0;       ///< training images consumed, carve-out included
  std::int64_t micro_batch = 0;  ///< images per piece of a step, once memory has run out; 0 = whole batches
  Due due = Due::kNothing;
  const ShardGroup* group = nullptr;  ///< how steps are divided; null = one process does all
  bool trained = false;               ///< the schedule is done; what is left is deriving
  /// Latencies that an earlier session of the run measured while deriving, by "label code": used again, not measured
  /// again.
  std::map<std::string, double> measured;
  /// Random architectures and their inherited accuracy at an earlier point of the run, by code: how much training on
  /// still changes the ranking.
  std::map<std::string, double> earlier_accuracy;

  /// The tensors that a weight step on `choice` moves, in a stable order.
  std::vector<std::pair<std::string, at::Tensor>> PathParameters(const Choice& choice) const;
  /// Removes a candidate everywhere: weights, momentum, every target's distribution. Returns the bytes freed.
  std::int64_t Remove(int edge, int op);

  Checkpoint Save(const std::string& config_hash, const LineCounts& lines) const;
  /// Returns the number of lines of metrics and samples at the checkpoint. Throws kInput when it belongs to another
  /// configuration.
  LineCounts Load(const Checkpoint& checkpoint, const std::string& config_hash);
  /// For new targets on a finished supernet: weights and dropped candidates of the checkpoint, and for each target here
  /// the alphas of target `origin[t]` there. False when the checkpoint's run has not ended its training.
  bool Inherit(const Checkpoint& checkpoint, const std::vector<std::size_t>& origin);

 private:
  /// Candidates that the alphas have dropped are removed, then weights come in.
  void LoadNetwork(const Checkpoint& checkpoint);
};

}  // namespace nas
