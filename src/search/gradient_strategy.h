// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nas/search/strategy.h"

namespace nas {

/// ProxylessNAS's gradient variant (paper §3.2; proxyless.md §5) in its three modes. The choice is the most probable
/// architecture under the budget (N7).
class GradientStrategy : public Strategy {
 public:
  explicit GradientStrategy(GateMode mode) : mode_(mode) {}
  bool learns_alphas() const override { return true; }
  double ArchStep(SearchState& state, const SearchTarget& target, TargetState& target_state, const Batch& batch,
                  std::int64_t update) const override;

 private:
  GateMode mode_;
};

}  // namespace nas
