// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nas/latency/latency_table.h"
#include "nas/latency/residual.h"

namespace nas {

struct FitOptions {
  bool residual = true;              ///< false: the linear part alone
  ResidualOptions residual_options;  ///< `exact_limit` 0: k-means centres, as in every shipped table
  int min_residual_rows = 20;
};

/// Fits model and calibration of a table on its rows and on its nets of role "calibrate" (latency.md §3); what was
/// there is replaced. Without block rows the whole networks give an inferred model (§3.7). Deterministic: neither the
/// order of rows nor the number of threads changes a bit. Throws kInput when there is too little to fit on.
void FitTable(LatencyTable& table, const FitOptions& options = {});

/// Fits only the calibration (a, b) of a table that has a block model, on its nets of role "calibrate".
void CalibrateTable(LatencyTable& table);

}  // namespace nas
