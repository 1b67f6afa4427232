// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "nas/latency/block_key.h"

namespace nas {

inline constexpr int kPhiSize = 15;   ///< entries of φ
inline constexpr int kShapeSize = 9;  ///< entries of z

using PhiVector = std::array<double, kPhiSize>;
using ShapeVector = std::array<double, kShapeSize>;

/// Names of φ in order: one, mac_expand, …, one_se (latency.md §2).
const std::vector<std::string>& PhiNames();
/// Names of the two features that whole-network fits add: mac_stem, mac_conv_1 (latency.md §3.7).
const std::vector<std::string>& NetFeatureNames();

/// φ of an mbconv: non-negative cost terms, MACs, elements and weights in millions, per image.
/// `channel_multiple`: channels are rounded up to it first (kernels that work in steps of 4 or 8 channels).
PhiVector Phi(const BlockKey& key, int channel_multiple = 1);

/// z of an mbconv: ln h, ln cin, ln cout, ln mid, k, s, se, [hswish], skip; not standardised.
ShapeVector Shape(const BlockKey& key);

/// Feature of a head piece or conv1x1 by name: one, macs, weights, el_in (h²·cin), el_io (h²·cin + hout²·cout);
/// millions.
double HeadFeature(const BlockKey& key, std::string_view name);

}  // namespace nas
