// SPDX-License-Identifier: Apache-2.0
#include "sample_renderer.h"

#include "augment.h"
#include "nas/core/rng.h"
#include "seed_streams.h"

namespace nas::detail {
namespace {

/// 4 pixels at 32, as all CIFAR recipes since He et al. 2016.
constexpr int kPaddingDivisor = 8;

}  // namespace

SampleRenderer::SampleRenderer(const LoaderOptions& options)
    : options_(options), preprocessing_(PreprocessingFor(options)) {
  for (int c = 0; c < 3; ++c) {
    for (int v = 0; v < 256; ++v) {
      table_[c][v] = (static_cast<float>(v) / 255.0F - preprocessing_.mean[c]) / preprocessing_.std[c];
    }
  }
}

void SampleRenderer::Render(const Dataset& dataset, std::int64_t index, std::int64_t epoch, Scratch* scratch,
                            float* out) const {
  const int side = options_.resolution;
  const bool augment = options_.augmentation != Augmentation::kEval;
  CounterRng rng(MixSeed(options_.seed, kAugmentationSalt), static_cast<std::uint64_t>(index),
                 static_cast<std::uint32_t>(epoch));
  const ResizePlanner planner = [&](int width, int height) {
    return augment && !options_.small_images
               ? RandomResizedCrop(width, height, side, &rng)
               : CentreCrop(width, height, preprocessing_.resize_short, preprocessing_.crop);
  };

  ImageView view = options_.small_images ? dataset.Borrow(index) : ImageView{};
  if (view.pixels == nullptr || view.width != side || view.height != side) {
    dataset.GetResized(index, planner, &scratch->resized);
    view = View(scratch->resized);
  }
  bool flip = false;
  if (augment) {
    Image* picture = &scratch->resized;
    if (options_.small_images) {
      picture = &scratch->shifted;
      PadAndCrop(view, side / kPaddingDivisor, &rng, picture);
    }
    flip = (rng.Next() & 1U) != 0;
    ColorJitter(JitterFor(options_.augmentation), &rng, picture);
    view = View(*picture);
  }
  Normalise(view.pixels, flip, out);
}

void SampleRenderer::Normalise(const std::uint8_t* pixels, bool flip, float* out) const {
  const int side = options_.resolution;
  const std::ptrdiff_t step = flip ? -3 : 3;
  for (int y = 0; y < side; ++y) {
    const std::uint8_t* source = pixels + (static_cast<std::ptrdiff_t>(y) * side + (flip ? side - 1 : 0)) * 3;
    for (int x = 0; x < side; ++x) {
      out[0] = table_[0][source[0]];
      out[1] = table_[1][source[1]];
      out[2] = table_[2][source[2]];
      out += 3;
      source += step;
    }
  }
}

}  // namespace nas::detail
