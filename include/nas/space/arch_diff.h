// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "nas/space/architecture.h"

namespace nas {

/// One place where two networks differ. An absent layer has index −1 and label "".
struct LayerDifference {
  std::string name;     ///< "blocks.3"; the op for layers without a name
  int a = -1;           ///< index in the first network
  int b = -1;           ///< index in the second one
  std::string a_label;  ///< `k5e6 24->40 s2`
  std::string b_label;
  std::string fields;  ///< names of the differing fields, comma-separated; "" when a side is absent
};

/// Layers that differ, in network order; layers of equal name are compared with each other. Empty for equal networks.
std::vector<LayerDifference> ArchDiff(const Architecture& a, const Architecture& b);

}  // namespace nas
