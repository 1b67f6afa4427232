// SPDX-License-Identifier: Apache-2.0
#include "aligned_buffer.h"

#include <cstdlib>
#include <new>

namespace nas::detail {

AlignedBuffer::AlignedBuffer(std::int64_t floats) {
  constexpr std::size_t kLine = 64;
  const std::size_t bytes = (static_cast<std::size_t>(floats) * sizeof(float) + kLine - 1) / kLine * kLine;
  data_.reset(static_cast<float*>(std::aligned_alloc(kLine, bytes == 0 ? kLine : bytes)));
  if (data_ == nullptr) throw std::bad_alloc();
}

void AlignedBuffer::Free::operator()(float* p) const { std::free(p); }

}  // namespace nas::detail
