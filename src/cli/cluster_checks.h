// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "doctor_report.h"

namespace nas::cli {

/// What `nas doctor` says about batch jobs: Slurm, and the file system that runs/ lies on.
std::vector<DoctorCheck> CheckCluster();

}  // namespace nas::cli
