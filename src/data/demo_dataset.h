// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "nas/data/dataset.h"

namespace nas::detail {

inline constexpr int kDemoSide = 32;
inline constexpr int kDemoTrainPerClass = 400;
inline constexpr int kDemoTestPerClass = 100;

/// Ten classes of shapes and textures in random colours, places, sizes and turns, with noise; made from the seed.
/// Colours are free and contrast goes both ways, so that no linear model on pixels learns them; a small convolutional
/// net does.
DataSplits MakeDemoData(std::uint64_t seed, int threads);

}  // namespace nas::detail
