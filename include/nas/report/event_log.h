// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "nas/core/metric_follower.h"

namespace nas {

/// TensorBoard events (`<run>/events/`) of a run's metrics: scalars of every epoch, histograms of alphas and
/// probabilities. A resumed run writes the folder anew from metrics.jsonl, so that no step is there twice.
/// Throws kInput when the folder cannot be written.
std::unique_ptr<MetricFollower> MakeEventLog();

}  // namespace nas
