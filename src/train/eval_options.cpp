// SPDX-License-Identifier: Apache-2.0
#include "nas/train/eval_options.h"

#include "nas/core/error.h"
#include "nas/core/option_checks.h"
#include "option_checks.h"

namespace nas {

void EvalOptions::Validate() const {
  detail::CheckNetworkSource(arch, run, target);
  if (!arch.empty() && weights.empty()) ThrowUsage("--arch FILE has no weights of its own; give --weights FILE too");
  if (batch != 0) CheckRange("--batch", batch, 1, 65536);
  CheckRange("--threads", threads, 1, 4096);
}

}  // namespace nas
