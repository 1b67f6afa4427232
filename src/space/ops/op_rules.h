// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "nas/space/layer.h"

namespace nas::detail {

// Limits of what a description may ask for: far above every published network, low enough that the counts of one layer
// fit in 64 bits.
inline constexpr int kMaxChannels = 16384;
inline constexpr int kMaxKernel = 31;
inline constexpr int kMaxStride = 64;
inline constexpr int kMaxDilation = 32;
inline constexpr int kMaxSide = 4096;
inline constexpr int kMaxDepth = 32;  ///< nesting of composite layers

/// Throws kInput `layer "blocks.3" (mbconv): message`.
[[noreturn]] void FailLayer(const Layer& layer, std::string_view message);

/// The map that enters has to have the layer's input channels, and all channel counts have to be within the limits.
void CheckChannels(const Layer& layer, MapShape in);
/// As above, and in_channels = out_channels.
void CheckKeepsChannels(const Layer& layer, MapShape in);
/// Odd kernel, stride and dilation within the limits.
void CheckWindow(const Layer& layer);
void CheckStride(const Layer& layer);
void CheckGroups(const Layer& layer, int groups, int channels, std::string_view what);
/// `ops_order` is a permutation of weight, bn and act; dropout lies in [0, 1).
void CheckOrder(const Layer& layer);
/// A shortcut needs stride 1 and equal channels.
void CheckSkip(const Layer& layer);

/// Side after a window of odd size with "same" padding: ⌊(h − 1)/s⌋ + 1.
int StridedSide(int side, int stride);
std::int64_t Area(int side);
bool BnBeforeWeight(const Layer& layer);
/// 2 per channel of the layer's BN, 0 without.
std::int64_t BnParams(const Layer& layer);
/// True when an identity-like layer does nothing at all.
bool IsPlainIdentity(const Layer& layer);

/// Squeeze-and-excitation on `channels`: hidden width make_divisible(⌊channels/4⌋, 8), two 1×1 convs with bias.
int SeWidth(int channels);
std::int64_t SeParams(int channels);
std::int64_t SeMacs(int channels);
/// Pool, reduce + act, expand + gate, multiply.
inline constexpr int kSeLaunches = 4;

/// `op:h,cin,hout,cout,mid,k,s,skip,se,act`.
struct KeyFields {
  int h = 0, cin = 0, hout = 0, cout = 0, mid = 0, k = 0, s = 0;
  bool skip = false, se = false;
  std::string_view act = "-";
};
std::string FormatKey(std::string_view op, const KeyFields& fields);
/// Throws kInput "no latency model for X".
[[noreturn]] void FailLatency(const Layer& layer, std::string_view what);

/// ` s2` for a stride over 1, else "".
std::string StrideSuffix(const Layer& layer);

}  // namespace nas::detail
