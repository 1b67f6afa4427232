// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nas/search/strategy.h"

namespace nas {

/// REINFORCE (paper §3.3.2; proxyless.md §6 and N4): samples paths, rewards carve-out accuracy weighed by predicted
/// cost.
class ReinforceStrategy : public Strategy {
 public:
  bool learns_alphas() const override { return true; }
  double ArchStep(SearchState& state, const SearchTarget& target, TargetState& target_state, const Batch& batch,
                  std::int64_t update) const override;
};

}  // namespace nas
