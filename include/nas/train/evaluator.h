// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nas/core/progress.h"
#include "nas/core/stop_flag.h"
#include "nas/train/eval_options.h"
#include "nas/train/evaluate.h"

namespace nas {

/// Accuracy of a network on the whole test set, BN with running statistics. `progress` and `stop` may be null.
/// Throws kInput: files, data, weights that do not fit (naming the first tensor), another number of classes;
/// kInterrupted when stopped.
Accuracy RunEval(const EvalOptions& options, Progress* progress = nullptr, const StopFlag* stop = nullptr);

}  // namespace nas
