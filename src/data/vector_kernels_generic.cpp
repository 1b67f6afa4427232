// SPDX-License-Identifier: Apache-2.0
#include "vector_kernels.h"

namespace nas::detail {
namespace {

void Blend(std::uint8_t* values, std::int64_t count, int factor, int offset) {
  loops::Blend(values, count, factor, offset);
}
void Saturate(std::uint8_t* pixels, std::int64_t count, int factor) { loops::Saturate(pixels, count, factor); }
std::int64_t GreySum(const std::uint8_t* pixels, std::int64_t count) { return loops::GreySum(pixels, count); }
void Normalise(const std::uint8_t* values, std::int64_t count, const NormaliseTable& table, float* out) {
  loops::Normalise(values, count, table, out);
}

constexpr PixelKernels kKernels = {Blend, Saturate, GreySum, Normalise};

}  // namespace

RowKernel VectorRowKernel() { return nullptr; }

void PackRowFilter(RowFilter* /*filter*/) {}

ColumnKernel VectorColumnKernel() { return nullptr; }

const PixelKernels& BestPixelKernels() { return kKernels; }

}  // namespace nas::detail
