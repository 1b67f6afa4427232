// SPDX-License-Identifier: Apache-2.0
#include "ofa_code.h"

#include <cmath>

#include "nas/space/layer.h"

namespace nas {
namespace {

constexpr int kClasses = 1000;

// once-for-all, OFAMobileNetV3: width, stride, SE and activation of the five searched stages.
struct Stage {
  int width;
  int stride;
  bool se;
  BlockAct act;
};
constexpr Stage kStages[] = {{24, 2, false, BlockAct::kRelu},
                             {40, 2, true, BlockAct::kRelu},
                             {80, 2, false, BlockAct::kHSwish},
                             {112, 1, true, BlockAct::kHSwish},
                             {160, 2, true, BlockAct::kHSwish}};

BlockKey HeadKey(BlockOp op, int h, int cin, int hout, int cout) {
  return {op, h, cin, hout, cout, 0, 0, 0, false, false, BlockAct::kNone};
}

}  // namespace

BlockKey StemKey(int resolution, int cout) {
  return HeadKey(BlockOp::kConv, resolution, 3, (resolution + 1) / 2, cout);
}

std::vector<BlockKey> PublishedHead(int h, int cin, int final_expand, int feature_mix) {
  if (final_expand <= 0) {
    return {HeadKey(BlockOp::kConv1, h, cin, h, feature_mix), HeadKey(BlockOp::kLogits, h, feature_mix, 1, kClasses)};
  }
  return {HeadKey(BlockOp::kConv1, h, cin, h, final_expand),
          HeadKey(BlockOp::kAvgPool, h, final_expand, 1, final_expand),
          HeadKey(BlockOp::kConv2, 1, final_expand, 1, feature_mix),
          HeadKey(BlockOp::kLogits, 1, feature_mix, 1, kClasses)};
}

std::vector<BlockKey> OfaKeys(const OfaCode& code, double width) {
  const int stem = MakeDivisible(16 * width);
  std::vector<BlockKey> keys = {StemKey(code.resolution, stem)};
  int h = keys[0].hout;
  keys.push_back({BlockOp::kMbconv, h, stem, h, stem, stem, 3, 1, true, false, BlockAct::kRelu});
  int cin = stem;
  for (size_t s = 0; s < std::size(kStages); ++s) {
    const Stage& stage = kStages[s];
    const int cout = MakeDivisible(stage.width * width);
    for (int block = 0; block < code.d[s]; ++block) {
      BlockKey key;
      key.s = block == 0 ? stage.stride : 1;
      key.h = h;
      key.cin = cin;
      key.hout = (h - 1) / key.s + 1;
      key.cout = cout;
      key.mid = MakeDivisible(static_cast<double>(cin) * code.e[4 * s + block]);
      key.k = code.ks[4 * s + block];
      key.skip = key.s == 1 && cin == cout;
      key.se = stage.se;
      key.act = stage.act;
      keys.push_back(key);
      h = key.hout;
      cin = cout;
    }
  }
  for (const auto& key : PublishedHead(h, cin, MakeDivisible(960 * width), MakeDivisible(1280 * width)))
    keys.push_back(key);
  return keys;
}

}  // namespace nas
