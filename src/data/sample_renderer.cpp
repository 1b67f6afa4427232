// SPDX-License-Identifier: Apache-2.0
#include "sample_renderer.h"

#include "augment.h"
#include "nas/core/rng.h"
#include "seed_streams.h"
#include "vector_kernels.h"

namespace nas::detail {
namespace {

/// 4 pixels at 32, as all CIFAR recipes since He et al. 2016.
constexpr int kPaddingDivisor = 8;

}  // namespace

SampleRenderer::SampleRenderer(const LoaderOptions& options)
    : options_(options), preprocessing_(PreprocessingFor(options)) {
  for (int k = 0; k < kNormalisePeriod; ++k) {
    const float deviation = preprocessing_.std[k % 3];
    normalise_.scale[k] = 1.0F / (255.0F * deviation);
    normalise_.shift[k] = -preprocessing_.mean[k % 3] / deviation;
  }
}

void SampleRenderer::Render(const Dataset& dataset, std::int64_t index, std::int64_t epoch, Scratch* scratch,
                            float* out) const {
  const int side = options_.resolution;
  const bool augment = options_.augmentation != Augmentation::kEval;
  CounterRng rng(MixSeed(options_.seed, kAugmentationSalt), static_cast<std::uint64_t>(index),
                 static_cast<std::uint32_t>(epoch));
  // Large pictures are mirrored while they are resized, which costs nothing.
  const ResizePlanner planner = [&](int width, int height) {
    if (!augment || options_.small_images) {
      return CentreCrop(width, height, preprocessing_.resize_short, preprocessing_.crop);
    }
    ResizePlan plan = RandomResizedCrop(width, height, side, &rng);
    plan.mirrored = (rng.Next() & 1U) != 0;
    return plan;
  };

  ImageView view = options_.small_images ? dataset.Borrow(index) : ImageView{};
  if (view.pixels == nullptr || view.width != side || view.height != side) {
    dataset.GetResized(index, planner, &scratch->resized);
    view = View(scratch->resized);
  }
  if (augment) {
    Image* picture = &scratch->resized;
    if (options_.small_images) {
      picture = &scratch->changed;
      PadAndCrop(view, side / kPaddingDivisor, &rng, picture);
      if ((rng.Next() & 1U) != 0) FlipHorizontally(picture);
    }
    if (options_.color_jitter) ColorJitter(JitterFor(options_.augmentation), &rng, picture);
    view = View(*picture);
  }
  BestPixelKernels().normalise(view.pixels, std::int64_t{3} * side * side, normalise_, out);
}

}  // namespace nas::detail
