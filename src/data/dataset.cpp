// SPDX-License-Identifier: Apache-2.0
#include "nas/data/dataset.h"

#include "resize.h"

namespace nas {

ImageView Dataset::Borrow(std::int64_t /*index*/) const { return {}; }

void Dataset::GetResized(std::int64_t index, const ResizePlanner& planner, Image* out) const {
  const ImageView held = Borrow(index);
  if (held.pixels != nullptr) {
    detail::ResizeImage(held, planner(held.width, held.height), out);
    return;
  }
  const Image image = Get(index);
  detail::ResizeImage(View(image), planner(image.width, image.height), out);
}

}  // namespace nas
