// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "nas/data/dataset.h"
#include "nas/data/loader_options.h"
#include "nas/data/transform.h"
#include "pixel_kernels.h"

namespace nas::detail {

/// Turns one sample into the network's input: decode, crop, augment, normalise. A pure function of
/// (options, dataset, index, epoch); free of LibTorch.
class SampleRenderer {
 public:
  explicit SampleRenderer(const LoaderOptions& options);

  /// Pictures that one thread uses again and again, so that no memory is asked for per sample.
  struct Scratch {
    Image resized;
    Image changed;
  };

  /// Writes resolution × resolution × 3 floats, channels interleaved (one image of a channels_last batch).
  void Render(const Dataset& dataset, std::int64_t index, std::int64_t epoch, Scratch* scratch, float* out) const;

 private:
  LoaderOptions options_;
  Preprocessing preprocessing_;
  NormaliseTable normalise_;  ///< value·scale + shift = (value/255 − mean)/std
};

}  // namespace nas::detail
