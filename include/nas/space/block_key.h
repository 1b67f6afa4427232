// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace nas {

/// What a runtime executes as one fused unit (latency.md §2).
enum class BlockOp { kAvgPool, kConv, kConv1, kConv2, kConv1x1, kLogits, kMbconv };

/// `avgpool2d`, `conv`, `conv_1`, `conv_2`, `conv1x1`, `logits`, `mbconv`.
std::string_view ToString(BlockOp op);
/// All of them, in the order of the enum.
const std::vector<BlockOp>& AllBlockOps();
/// Throws kInput with the known names.
BlockOp ParseBlockOp(std::string_view word);

/// Activation of a block as its key spells it. relu and relu6 cost the same when fused: one class for the model.
enum class BlockAct { kNone, kRelu, kRelu6, kHSwish };

/// `-`, `relu`, `relu6`, `hswish`.
std::string_view ToString(BlockAct act);
/// Also reads the aliases `hs`, `h_swish`, `hard_swish`. Throws kInput with the known words.
BlockAct ParseBlockAct(std::string_view word);
/// `-`, `relu` (for relu and relu6) or `hswish`.
std::string_view ActClass(BlockAct act);

/// The shape of one block: the identity under which latencies are stored. Square maps; `h` and `hout` are sides.
struct BlockKey {
  BlockOp op = BlockOp::kMbconv;
  int h = 0;
  int cin = 0;
  int hout = 0;
  int cout = 0;
  int mid = 0;  ///< mbconv: hidden width; mid == cin means no expand conv
  int k = 0;
  int s = 0;
  bool skip = false;
  bool se = false;
  BlockAct act = BlockAct::kNone;
  friend auto operator<=>(const BlockKey&, const BlockKey&) = default;
};

/// `op:h,cin,hout,cout,mid,k,s,skip,se,act`.
std::string ToString(const BlockKey& key);
/// Inverse of `ToString`; also checks. Throws kInput naming the key, what breaks the grammar and the expected form.
BlockKey ParseBlockKey(std::string_view text);
/// "" for a legal key, else what is wrong with it: hout, skip, fields that the op does not have.
std::string BlockKeyProblem(const BlockKey& key);

/// Hidden width of squeeze-and-excitation: make_divisible(⌊mid/4⌋, 8).
int SeWidth(int mid);
bool HasExpand(const BlockKey& key);
/// Multiply-adds of one image, convs of SE included.
double BlockMacs(const BlockKey& key);
/// Conv and linear weights, without BN and bias.
double BlockWeights(const BlockKey& key);
/// Kernel launches on a GPU when BN and activation are fused (latency.md §3.6).
int BlockLaunches(const BlockKey& key);

}  // namespace nas
