// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "nas/export/exporter.h"

namespace nas::detail {

std::unique_ptr<Exporter> MakeOnnxExporter();
std::unique_ptr<Exporter> MakeTorchscriptExporter();
std::unique_ptr<Exporter> MakeSafetensorsExporter();
std::unique_ptr<Exporter> MakeStateDictExporter();
std::unique_ptr<Exporter> MakeNetConfigExporter();
std::unique_ptr<Exporter> MakeTimmExporter();

}  // namespace nas::detail
