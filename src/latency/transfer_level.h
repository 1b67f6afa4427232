// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "head_model.h"
#include "mbconv_predictor.h"
#include "nas/latency/fit.h"
#include "nas/latency/transfer.h"

namespace nas {

/// What the ladder works on: measured mbconv blocks of the new device and what each source says about them.
struct TransferItems {
  std::vector<BlockSample> blocks;
  std::vector<std::vector<double>> source_ms;  ///< [block][source], ms
};

struct TransferSource {
  std::string name;
  ModelParams model;
};

/// Fits one level with `sources[0]` as s; the others only serve as columns of the ridge. Head models and σ_model are
/// left to the caller.
ModelParams FitLevel(TransferLevel level, const TransferItems& items, const std::vector<TransferSource>& sources,
                     const FitOptions& options);

/// Puts the source models that a mapped level needs into it.
void AttachSources(const std::vector<TransferSource>& sources, ModelParams* model);

/// ln(prediction/measurement) of each block by a fit without it (without its share in 20 above 30 blocks).
std::vector<double> LeaveOneOutErrors(TransferLevel level, const TransferItems& items,
                                      const std::vector<TransferSource>& sources, const FitOptions& options);

}  // namespace nas
