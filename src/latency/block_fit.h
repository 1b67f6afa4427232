// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "head_model.h"
#include "nas/latency/fit.h"
#include "nas/latency/latency_table.h"

namespace nas {

/// What an mbconv fit starts from instead of nothing: weights of another device, brought over by a factor (latency.md
/// §10).
struct WeightPrior {
  std::vector<double> w;  ///< e^c·w_src
  double mu = 1;          ///< strength: extra rows √μ·rms_j·(w_j − w_prior,j)
};

struct MbconvFit {
  std::vector<double> w;
  int channel_multiple = 1;
  std::optional<ResidualParams> residual;
  std::vector<double> loo;  ///< leave-one-out errors of ln t, in the order of the samples
};

/// Linear part and residual of latency.md §3.1–§3.2 on mbconv samples (at least one), given in a fixed order.
MbconvFit FitMbconv(const std::vector<BlockSample>& samples, const FitOptions& options,
                    const WeightPrior* prior = nullptr);

/// Root mean square; with fewer samples than the residual needs at least 0.05, since leverages say little then.
double SigmaModel(const std::vector<double>& loo, const FitOptions& options);

/// φ·w, at least a nanosecond, so that ln t exists for every legal key.
double LinearPart(const BlockKey& key, const std::vector<double>& w, int channel_multiple);

}  // namespace nas
