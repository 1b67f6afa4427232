// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <vector>

#include "nas/latency/block_key.h"
#include "nas/latency/latency_table.h"
#include "nas/latency/residual.h"

namespace nas {

/// The model part for mbconv blocks, ready to evaluate: linear part and residual, or a map of other devices'
/// predictions.
class MbconvPredictor {
 public:
  explicit MbconvPredictor(const ModelParams& model);

  struct Result {
    double ms = 0;
    double sigma = 0;  ///< relative
  };
  Result Predict(const BlockKey& key) const;
  double PredictMs(const BlockKey& key) const;

 private:
  double Linear(const BlockKey& key) const;
  double Mapped(const BlockKey& key) const;

  std::vector<double> w_;
  int channel_multiple_ = 1;
  double sigma_model_ = 0;
  bool inferred_ = false;
  std::optional<Residual> residual_;
  std::optional<TransferMap> map_;
  std::vector<MbconvPredictor> sources_;
};

/// What a map makes of the sources' predictions for a block (latency.md §10).
double MapSourceMs(const TransferMap& map, const BlockKey& key, const std::vector<double>& source_ms);

/// Columns of the ridge level: z, ln s of the first source, and of each other source ln s minus the first's.
std::vector<double> RidgeColumns(const BlockKey& key, const std::vector<double>& source_ms);

}  // namespace nas
