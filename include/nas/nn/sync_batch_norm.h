// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

namespace nas {

/// How processes that share a batch tell each other the BN statistics of their parts.
class StatisticsExchange {
 public:
  virtual ~StatisticsExchange() = default;
  /// `mine`: [n] float64 on the CPU. Returns [R, n], one row of each process, in the same order for all of them.
  /// Collective.
  virtual at::Tensor Gather(const at::Tensor& mine) = 0;
};

/// While it lives, BN in a mode with batch statistics (kTrain, kProbe) of this thread normalises by those of all
/// processes' images, forward and backward (cluster.md §3): the same function as one process with the whole batch,
/// where each loss is the mean over the whole batch. Every process has to run the same layers, on one image or more. A
/// scope and not an argument: blocks in between need not know of it. Nothing changes when `exchange` is null.
class SyncBatchNormScope {
 public:
  /// `exchange` has to outlive the backward passes of what runs meanwhile.
  explicit SyncBatchNormScope(StatisticsExchange* exchange);
  ~SyncBatchNormScope();
  SyncBatchNormScope(const SyncBatchNormScope&) = delete;
  SyncBatchNormScope& operator=(const SyncBatchNormScope&) = delete;

  /// Null outside a scope.
  static StatisticsExchange* Current();

 private:
  StatisticsExchange* before_;
};

}  // namespace nas
