// SPDX-License-Identifier: Apache-2.0
#include "aligned_buffer.h"

#include <cstdlib>
#include <new>

namespace nas::detail {

AlignedBuffer::AlignedBuffer(std::int64_t floats) {
  // Not aligned_alloc: glibc takes more than was asked for and gives the ends back, after which the hole that a freed
  // buffer leaves is too small for the next one of its size, and the heap grows from step to step.
  memory_.reset(std::malloc(static_cast<std::size_t>(floats) * sizeof(float) + kLine));
  if (memory_ == nullptr) throw std::bad_alloc();
}

void AlignedBuffer::Free::operator()(void* p) const { std::free(p); }

}  // namespace nas::detail
