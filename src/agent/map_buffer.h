// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>

namespace nas::agent {

/// Memory of one feature map: aligned to cache lines, with a tail that vector code may read beyond the end.
class MapBuffer {
 public:
  explicit MapBuffer(std::int64_t elements) : elements_(elements) {
    constexpr std::size_t kLine = 64;
    const std::size_t bytes = static_cast<std::size_t>(elements) * sizeof(float) + kLine;
    data_.reset(static_cast<float*>(std::aligned_alloc(kLine, (bytes + kLine - 1) / kLine * kLine)));
    if (!data_) throw std::bad_alloc();
    for (std::int64_t i = 0; i < elements; ++i) data_.get()[i] = 0;
  }

  float* data() { return data_.get(); }
  const float* data() const { return data_.get(); }
  std::int64_t size() const { return elements_; }

 private:
  struct Free {
    void operator()(float* data) const { std::free(data); }
  };
  std::unique_ptr<float, Free> data_;
  std::int64_t elements_;
};

/// Fills with uniform numbers in (−1, 1) from a seed: neither zeros nor denormals, which processors treat differently.
void FillRandom(MapBuffer& buffer, std::uint64_t seed);

}  // namespace nas::agent
