// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nas/core/run_folder.h"
#include "nas/search/search_result.h"
#include "nas/search/search_setup.h"
#include "nas/search/search_state.h"
#include "nas/search/strategy.h"

namespace nas {

/// BN statistics from a fixed list of 2,000 training images with training augmentation (N2).
void RecalibrateOnTrainingImages(const SearchSetup& setup, Network& network, const at::Device& device);

/// From a trained supernet to one network per target: selection under the budget (N7), recalibrated BN (N2), accuracy
/// on the test set with inherited weights, latency measured again and the selection corrected by it (N13). Writes
/// targets/*.
SearchResult DeriveNetworks(const SearchSetup& setup, const SearchHooks& hooks, RunFolder& folder, SearchState& state,
                            const Strategy& strategy);

}  // namespace nas
