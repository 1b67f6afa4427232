// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

namespace nas {

/// An 8-bit RGB picture, rows top to bottom, channels interleaved: pixels[(y·width + x)·3 + c].
struct Image {
  int width = 0;
  int height = 0;
  std::vector<std::uint8_t> pixels;
  friend bool operator==(const Image&, const Image&) = default;
};

}  // namespace nas
