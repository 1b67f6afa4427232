// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>

#include "nas/data/loader_options.h"

namespace nas {

/// Channel statistics (R, G, B) of pixels scaled to 0…1.
inline constexpr std::array<float, 3> kImageNetMean = {0.485F, 0.456F, 0.406F};
inline constexpr std::array<float, 3> kImageNetStd = {0.229F, 0.224F, 0.225F};
inline constexpr std::array<float, 3> kCifarMean = {0.4914F, 0.4822F, 0.4465F};
inline constexpr std::array<float, 3> kCifarStd = {0.2470F, 0.2435F, 0.2616F};

/// What a picture goes through before the network sees it in evaluation; goes with exported networks.
struct Preprocessing {
  int resize_short = 0;  ///< short side after the antialiased bilinear resize, pixels
  int crop = 0;          ///< side of the centre crop that follows, pixels
  std::array<float, 3> mean{};
  std::array<float, 3> std{};
};

/// Large pictures: short side to round(R·256/224), centre crop R, ImageNet statistics; small ones: short side to R,
/// centre crop R, CIFAR statistics.
Preprocessing PreprocessingFor(const LoaderOptions& options);

}  // namespace nas
