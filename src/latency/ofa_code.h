// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "nas/latency/block_key.h"

namespace nas {

/// A network of the once-for-all MobileNetV3 space as its code says it: kernel and expansion per possible block (index
/// 4·stage + d), depth per stage; only the first depth[s] blocks of a stage exist.
struct OfaCode {
  std::vector<int> ks, e, d;
  int resolution = 0;
};

/// Block keys of the network at a width multiplier: stem, first block, stages, conv_1, pooling, conv_2, classifier
/// (1,000).
std::vector<BlockKey> OfaKeys(const OfaCode& code, double width);

/// Keys of the head of a published network: pooling inside the classifier without `final_expand`, else conv_1, pooling,
/// conv_2 and classifier.
std::vector<BlockKey> PublishedHead(int h, int cin, int final_expand, int feature_mix);
BlockKey StemKey(int resolution, int cout);

}  // namespace nas
