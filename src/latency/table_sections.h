// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <string>

#include "nas/core/json.h"
#include "nas/latency/latency_table.h"

namespace nas {

Json ModelToJson(const ModelParams& model);
ModelParams ModelFromJson(ObjectReader reader);
Json CalibrationToJson(const Calibration& calibration);
Calibration CalibrationFromJson(ObjectReader reader);
Json CertificateToJson(const Certificate& certificate);
Certificate CertificateFromJson(ObjectReader reader);

/// Two numbers in rising order. Throws kInput.
std::array<double, 2> ReadPair(ObjectReader& reader, const std::string& key);

}  // namespace nas
