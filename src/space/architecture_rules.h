// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "nas/space/architecture.h"

namespace nas::detail {

inline constexpr int kMaxLayers = 4096;

/// [resolution, resolution, 3]. Throws kInput on a resolution outside 1…4096.
MapShape InputShape(const Architecture& architecture);
/// Checks the layer against the map that enters and gives the map that leaves. Throws kInput.
MapShape CheckedStep(const Layer& layer, MapShape in);

/// Runs the checks of all layers; a fault is reported at `places[i]`, where layer i stands in its file.
void CheckLayersAt(const Architecture& architecture, const std::vector<std::string>& places);

/// The class name in net.config and the word in nas.architecture/1.
std::string FamilyName(Family family);
const std::vector<std::string>& FamilyNames();

/// The optional object "bn"; absent keys keep the values of `bn`. Throws on weight standardisation, which is not
/// supported.
BatchNormSpec ReadBatchNorm(ObjectReader& reader, BatchNormSpec bn);
/// null = none, absent = fallback.
Activation ReadActivation(ObjectReader& reader, const std::string& key, Activation fallback);

/// Reads one layer of nas.architecture/1 and its children.
Layer LayerFromJson(ObjectReader reader, int depth);
Json LayerToJson(const Layer& layer);

}  // namespace nas::detail
