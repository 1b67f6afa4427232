// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "nas/latency/block_key.h"
#include "nas/latency/latency_table.h"

namespace nas {

/// A measured block, ready for fitting.
struct BlockSample {
  BlockKey key;
  double ms = 0;
};

inline constexpr double kHeadScaledSigma = 0.3;     ///< one row only
inline constexpr double kHeadEstimatedSigma = 0.5;  ///< no row

/// Relative least squares, non-negative, for every op but mbconv (latency.md §3.4, conv1x1: §2). Ops without a row get
/// the table's median throughput (classifier and conv_2 on CPUs: 0.35 ms per million weights), with `rows` = 0.
std::vector<std::pair<std::string, HeadParams>> FitHeads(const std::vector<BlockSample>& samples, bool gpu);

/// Σ w·feature, at least a nanosecond.
double PredictHead(const HeadParams& head, const BlockKey& key);

/// Median of MACs per ms over the samples that have MACs, in millions per ms; 0 when there is none.
double MedianMmacPerMs(const std::vector<BlockSample>& samples);

}  // namespace nas
