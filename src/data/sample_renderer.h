// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>

#include "nas/data/dataset.h"
#include "nas/data/loader_options.h"
#include "nas/data/transform.h"

namespace nas::detail {

/// Turns one sample into the network's input: decode, crop, augment, normalise. A pure function of
/// (options, dataset, index, epoch); free of LibTorch.
class SampleRenderer {
 public:
  explicit SampleRenderer(const LoaderOptions& options);

  /// Pictures that one thread uses again and again, so that no memory is asked for per sample.
  struct Scratch {
    Image resized;
    Image shifted;
  };

  /// Writes resolution × resolution × 3 floats, channels interleaved (one image of a channels_last batch).
  void Render(const Dataset& dataset, std::int64_t index, std::int64_t epoch, Scratch* scratch, float* out) const;

 private:
  void Normalise(const std::uint8_t* pixels, bool flip, float* out) const;

  LoaderOptions options_;
  Preprocessing preprocessing_;
  std::array<std::array<float, 256>, 3> table_;  ///< (value/255 − mean)/std per channel
};

}  // namespace nas::detail
