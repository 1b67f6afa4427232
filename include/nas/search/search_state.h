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

namespace nas {

/// What belongs to one target alone (N9): a step for one target leaves all others bit-identical.
struct TargetState {
  ArchParameters alphas;
  LatencyConstraint constraint;
  RewardBaseline baseline;
};

/// Sums of the epoch in progress; part of the checkpoint, so that a resumed run logs the same figures.
struct EpochMeter {
  double loss_sum = 0;
  double correct = 0;
  std::int64_t images = 0;
  double seconds = 0;
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
  double wall_s = 0;        ///< of all sessions of the run
  std::int64_t images = 0;  ///< training images consumed, carve-out included
  bool trained = false;     ///< the schedule is done; what is left is deriving
  /// Latencies that an earlier session of the run measured while deriving, by "label code": used again, not measured
  /// again.
  std::map<std::string, double> measured;

  /// The tensors that a weight step on `choice` moves, in a stable order.
  std::vector<std::pair<std::string, at::Tensor>> PathParameters(const Choice& choice) const;
  /// Removes a candidate everywhere: weights, momentum, every target's distribution. Returns the bytes freed.
  std::int64_t Remove(int edge, int op);

  Checkpoint Save(const std::string& config_hash, std::int64_t metric_lines) const;
  /// Returns the number of metric lines at the checkpoint. Throws kInput when it belongs to another configuration.
  std::int64_t Load(const Checkpoint& checkpoint, const std::string& config_hash);
};

}  // namespace nas
