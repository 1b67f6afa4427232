// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "nas/core/json.h"
#include "nas/search/search_setup.h"

namespace nas {

/// `nas eval --supernet RUN --archs FILE`: any architectures of the run's space with its inherited weights.
struct SupernetEvalOptions {
  std::string supernet;              ///< run folder of a search
  std::string archs_source;          ///< where `archs` come from: a file, or "-"; read by the command line
  std::vector<Architecture> archs;   ///< networks of the run's space
  std::string data;                  ///< "" = the run's own
  std::int64_t limit_per_class = 0;  ///< test images per class; 0 = all
  std::int64_t carve_out = 0;  ///< > 0: as the search judges, on so many images of its architecture-validation set
  std::string device = "auto";
  std::uint64_t seed = 0;
  int threads = 1;
};

/// The space that a run searched, from its config.json. Throws kInput when there is none.
SearchSpace SpaceOfRun(const std::string& run, const SearchPlaces& places);

/// One object per architecture, in order, handed to `emit` as it is known: {code, top1, top5, loss, images}; BN
/// recalibrated for each (N2), accuracy on the test set. With `carve_out`: {code, top1, images} by batch statistics, at
/// a third of the time, for ranking. Throws kInput for a folder without a checkpoint or an
/// architecture of another space.
void EvaluateInherited(const SupernetEvalOptions& options, const SearchPlaces& places, const SearchHooks& hooks,
                       const std::function<void(const Json&)>& emit);

}  // namespace nas
