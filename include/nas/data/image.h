// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

namespace nas {

/// An 8-bit RGB picture, rows top to bottom, channels interleaved: pixels[(y·width + x)·3 + c].
struct Image {
  int width = 0;
  int height = 0;
  std::vector<std::uint8_t> pixels;
  friend bool operator==(const Image&, const Image&) = default;
};

/// Borrowed pixels in the layout of `Image`, rows packed.
struct ImageView {
  const std::uint8_t* pixels = nullptr;
  int width = 0;
  int height = 0;
};

inline ImageView View(const Image& image) { return {image.pixels.data(), image.width, image.height}; }

/// One crop-and-resize: the box [left, left+width) × [top, top+height) of the picture is resized to scaled_width ×
/// scaled_height; of the result only the window is computed. Pixels outside of the box take no part.
struct ResizePlan {
  int left = 0, top = 0, width = 0, height = 0;
  int scaled_width = 0, scaled_height = 0;
  int window_left = 0, window_top = 0, window_width = 0, window_height = 0;
  bool mirrored = false;  ///< the window comes out with left and right exchanged
  friend bool operator==(const ResizePlan&, const ResizePlan&) = default;
};

/// Chooses the plan once width and height of the picture are known.
using ResizePlanner = std::function<ResizePlan(int width, int height)>;

}  // namespace nas
