// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nas/report/run_record.h"

namespace nas::detail {

/// Fills epochs, validations, measured networks, prunes and alarms from metrics.jsonl, samples from samples.jsonl.
/// Returns the exit code of the `end` line, −1 = none.
int ReadMetrics(RunRecord* run);

/// Softmax over the candidates for which `gone` is false; 0 for the others.
std::vector<double> MaskedSoftmax(const std::vector<double>& alpha, const std::vector<bool>& gone);

}  // namespace nas::detail
