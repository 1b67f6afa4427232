// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "nas/dist/rank_options.h"

namespace nas {

/// What `nas bench` runs.
struct BenchOptions {
  std::string items = "supernet.*,plain.step,loader.*,predictor.*";  ///< globs, comma-separated
  std::string space = "cifar-mbconv";                                ///< shipped name or file
  int batch = 0;                                                     ///< images per step; 0 = 64, or 16 from 64 px on
  int resolution = 0;                                                ///< pixels; 0 = the space's own
  int threads = 1;
  int iters = 10;             ///< timed steps per item and path, 1…10,000
  std::string memory_of;      ///< internal: measure the peak memory of this one item in this process
  std::string data = "demo";  ///< of the loader items: demo | DIR | cifar10:DIR
  std::string device = "auto";
  RankOptions ranks;             ///< several: measure steps on so many processes instead of the items
  std::string kernels = "auto";  ///< auto | fused | torch: what computes MBConv blocks of the supernet and plain items
};

}  // namespace nas
