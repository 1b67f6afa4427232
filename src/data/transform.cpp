// SPDX-License-Identifier: Apache-2.0
#include "nas/data/transform.h"

namespace nas {

Preprocessing PreprocessingFor(const LoaderOptions& options) {
  const int side = options.resolution;
  if (options.small_images) return {side, side, kCifarMean, kCifarStd};
  return {(side * 256 + 112) / 224, side, kImageNetMean, kImageNetStd};
}

}  // namespace nas
