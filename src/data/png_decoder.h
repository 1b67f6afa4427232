// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "image_decoder.h"

namespace nas::detail {

/// As the functions of the same names in image_decoder.h, for bytes known to be PNG.
ImageInfo ReadPngInfo(ByteSpan bytes);
Image DecodePng(ByteSpan bytes);

}  // namespace nas::detail
