// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>

namespace nas::detail {

/// Floats at the start of a cache line, not set to anything.
class AlignedBuffer {
 public:
  AlignedBuffer() = default;
  /// Throws std::bad_alloc.
  explicit AlignedBuffer(std::int64_t floats);

  float* data() const {
    return reinterpret_cast<float*>((reinterpret_cast<std::uintptr_t>(memory_.get()) + kLine - 1) / kLine * kLine);
  }

 private:
  struct Free {
    void operator()(void* p) const;
  };
  static constexpr std::uintptr_t kLine = 64;
  std::unique_ptr<void, Free> memory_;
};

}  // namespace nas::detail
