// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "nas/latency/latency_table.h"

namespace nas {

/// Model and calibration from whole networks alone (latency.md §3.7): NNLS on Σφ, `net_one`, `mac_stem` and
/// `mac_conv_1`; the weight of `net_one` becomes b, the other head pieces cost nothing of their own. `launch_form`: as
/// in FitCalibration. Throws kInput below 10 networks.
void FitWholeNetworks(const std::vector<LatencyNet>& nets, bool launch_form, ModelParams* model,
                      Calibration* calibration);

/// Head pieces of a whole-network model: `w` is that of mac_stem or mac_conv_1, else the piece stands in b.
std::vector<std::pair<std::string, HeadParams>> InferredHeads(double w_stem, double w_conv_1);

}  // namespace nas
