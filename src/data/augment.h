// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "nas/core/rng.h"
#include "nas/data/image.h"
#include "nas/data/loader_options.h"

namespace nas::detail {

/// A box of 8 to 100 % of the area with ratio 3/4…4/3 (log-uniform), resized to side × side; after ten misses the
/// largest central box within these ratios (Szegedy et al. 2015, as in torchvision's RandomResizedCrop).
ResizePlan RandomResizedCrop(int width, int height, int side, CounterRng* rng);

/// Short side to `resize_short`, then the central crop × crop.
ResizePlan CentreCrop(int width, int height, int resize_short, int crop);

/// The window of a side × side picture after `padding` black pixels on each side and a random shift.
void PadAndCrop(ImageView image, int padding, CounterRng* rng, Image* out);

/// Mirrors left and right in place.
void FlipHorizontally(Image* image);

/// Half-widths of the factors' ranges around 1 (hue: turns around 0).
struct JitterStrength {
  double brightness = 0;
  double contrast = 0;
  double saturation = 0;
  double hue = 0;
};
/// kEval: none; kTrain: brightness 32/255, saturation 0.5; kStrong: 0.4, 0.4, 0.4, hue 0.1.
JitterStrength JitterFor(Augmentation augmentation);

/// Draws factors and order, then changes the pixels in place (torchvision's ColorJitter on 8-bit pictures).
void ColorJitter(const JitterStrength& strength, CounterRng* rng, Image* image);

void AdjustBrightness(double factor, Image* image);
void AdjustContrast(double factor, Image* image);
void AdjustSaturation(double factor, Image* image);
/// Turns the hue by a part of the colour circle, −0.5…0.5.
void AdjustHue(double turn, Image* image);

}  // namespace nas::detail
