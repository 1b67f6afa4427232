// SPDX-License-Identifier: Apache-2.0
#include "gradient_strategy.h"
#include "nas/core/error.h"
#include "nas/core/text.h"
#include "nas/search/search_options.h"
#include "reinforce_strategy.h"
#include "sampling_strategies.h"

namespace nas {

/// The one list of strategies; `StrategyNames` holds the same names for the command line, and a test compares the two.
std::unique_ptr<Strategy> MakeStrategy(const std::string& name, std::uint64_t seed) {
  if (name == "two") return std::make_unique<GradientStrategy>(GateMode::kTwo);
  if (name == "full_v2") return std::make_unique<GradientStrategy>(GateMode::kFullV2);
  if (name == "full") return std::make_unique<GradientStrategy>(GateMode::kFull);
  if (name == "reinforce") return std::make_unique<ReinforceStrategy>();
  if (name == "random") return std::make_unique<RandomStrategy>(seed);
  if (name == "evolution") return std::make_unique<EvolutionStrategy>(seed);
  ThrowUsage(StrCat("unknown --strategy \"", name, "\"", DidYouMean(name, StrategyNames())));
}

}  // namespace nas
