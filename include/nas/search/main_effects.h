// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "nas/search/path_sampler.h"
#include "nas/space/search_space.h"

namespace nas {

/// The accuracy of architectures as a constant and one main effect per candidate of each edge (Box and Wilson, 1951),
/// by ridge regression on architectures that were judged whole. A single judgement carries the noise of its images and
/// of weights that few steps trained together; an effect is a mean over all judged architectures with the candidate,
/// and orders networks better than the judgements it comes from.
struct MainEffects {
  Matrix effect;          ///< [edge][op], units of accuracy; the mean over the judged architectures is 0 on each edge
  double mean = 0;        ///< accuracy of the mean architecture
  int architectures = 0;  ///< judged
  double error = 0;       ///< root mean square leave-one-out error of an architecture's accuracy
  double explained = 0;  ///< 1 − error²/variance: share of the variance foretold for unseen architectures; ≤ 0: none
  double standard_error = 0;  ///< of the difference between two candidates of an edge, about

  double Predict(const Choice& choice) const;
};

/// Least number of judged architectures for `candidates` candidates in all edges.
int LeastForMainEffects(int candidates);

/// `choices[i]` has accuracy `accuracy[i]`; `ops[e]` candidates on edge e. Candidates in no architecture have effect 0.
/// Throws kInternal on lists of different lengths or fewer than two architectures.
MainEffects FitMainEffects(const std::vector<Choice>& choices, const std::vector<double>& accuracy,
                           const std::vector<std::size_t>& ops);

}  // namespace nas
