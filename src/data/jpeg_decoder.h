// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "image_decoder.h"

namespace nas::detail {

/// As the functions of the same names in image_decoder.h, for bytes known to be JPEG.
ImageInfo ReadJpegInfo(ByteSpan bytes);
Image DecodeJpeg(ByteSpan bytes, Damage damage);

/// Decodes the columns, rows and the DCT scale (1, 1/2, 1/4, 1/8) that the plan needs: the smallest scale at which the
/// box is still no smaller than what it is resized to.
void DecodeJpegResized(ByteSpan bytes, const ResizePlanner& planner, Image* out);

/// The divisor 1, 2, 4 or 8 that `DecodeJpegResized` uses for a plan.
int JpegScaleDivisor(const ResizePlan& plan);

}  // namespace nas::detail
