// SPDX-License-Identifier: Apache-2.0
#include <immintrin.h>

#include <cstring>

#include "vector_kernels.h"

namespace nas::detail {
namespace {

constexpr int kGroup = 4;         // taps that one 16-byte load serves
constexpr int kPackedGroup = 32;  // 16-bit weights of one group and two outputs: two vectors

/// Two outputs at a time, one in each half of a vector; four taps per load. A byte shuffle brings the same channel of
/// two neighbouring pixels side by side, as the multiply-add of pairs wants them.
__attribute__((target("avx2"))) void Avx2RowKernel(const RowFilter& filter, const std::uint8_t* row, int row_left,
                                                   std::uint8_t* out) {
  const __m256i first_pair =
      _mm256_broadcastsi128_si256(_mm_setr_epi8(0, -1, 3, -1, 1, -1, 4, -1, 2, -1, 5, -1, -1, -1, -1, -1));
  const __m256i second_pair =
      _mm256_broadcastsi128_si256(_mm_setr_epi8(6, -1, 9, -1, 7, -1, 10, -1, 8, -1, 11, -1, -1, -1, -1, -1));
  const __m256i half = _mm256_set1_epi32(1 << 13);
  const int groups = (filter.taps + kGroup - 1) / kGroup;
  const std::int16_t* weights = filter.packed.data();
  for (int i = 0; i < filter.outputs; i += 2) {
    const int next = i + 1 < filter.outputs ? i + 1 : i;
    const std::uint8_t* left = row + static_cast<std::ptrdiff_t>(filter.first[i] - row_left) * 3;
    const std::uint8_t* right = row + static_cast<std::ptrdiff_t>(filter.first[next] - row_left) * 3;
    __m256i sum = half;
    for (int g = 0; g < groups; ++g) {
      const __m128i low = _mm_loadu_si128(reinterpret_cast<const __m128i*>(left + 3 * kGroup * g));
      const __m128i high = _mm_loadu_si128(reinterpret_cast<const __m128i*>(right + 3 * kGroup * g));
      const __m256i bytes = _mm256_inserti128_si256(_mm256_castsi128_si256(low), high, 1);
      const __m256i w0 = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(weights));
      const __m256i w1 = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(weights + 16));
      sum = _mm256_add_epi32(sum, _mm256_madd_epi16(_mm256_shuffle_epi8(bytes, first_pair), w0));
      sum = _mm256_add_epi32(sum, _mm256_madd_epi16(_mm256_shuffle_epi8(bytes, second_pair), w1));
      weights += kPackedGroup;
    }
    sum = _mm256_srai_epi32(sum, 14);
    sum = _mm256_packs_epi32(sum, sum);
    sum = _mm256_packus_epi16(sum, sum);
    const int first_pixel = _mm256_extract_epi32(sum, 0);
    const int second_pixel = _mm256_extract_epi32(sum, 4);
    // Four bytes each: the fourth is overwritten by the next pixel or lies in the padding.
    std::memcpy(out, &first_pixel, 4);
    std::memcpy(out + 3, &second_pixel, 4);
    out += 6;
  }
}

/// Thirty-two bytes at a time: bytes of two rows side by side as 16-bit pairs, as the multiply-add of pairs wants them.
__attribute__((target("avx2"))) void Avx2ColumnKernel(const std::uint8_t* rows, const std::int16_t* weights, int taps,
                                                      std::size_t stride, std::uint8_t* out) {
  constexpr std::size_t kStep = 32;
  const __m256i zero = _mm256_setzero_si256();
  const __m256i half = _mm256_set1_epi32(1 << 13);
  std::size_t x = 0;
  for (; x + kStep <= stride; x += kStep) {
    __m256i sum0 = half, sum1 = half, sum2 = half, sum3 = half;
    for (int k = 0; k < taps; k += 2) {
      const bool pair = k + 1 < taps;
      const std::uint8_t* line = rows + static_cast<std::size_t>(k) * stride + x;
      const __m256i a = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(line));
      const __m256i b = pair ? _mm256_loadu_si256(reinterpret_cast<const __m256i*>(line + stride)) : zero;
      const int second = pair ? weights[k + 1] : 0;
      const __m256i weight = _mm256_set1_epi32((weights[k] & 0xFFFF) | (second << 16));
      const __m256i low = _mm256_unpacklo_epi8(a, b), high = _mm256_unpackhi_epi8(a, b);
      sum0 = _mm256_add_epi32(sum0, _mm256_madd_epi16(_mm256_unpacklo_epi8(low, zero), weight));
      sum1 = _mm256_add_epi32(sum1, _mm256_madd_epi16(_mm256_unpackhi_epi8(low, zero), weight));
      sum2 = _mm256_add_epi32(sum2, _mm256_madd_epi16(_mm256_unpacklo_epi8(high, zero), weight));
      sum3 = _mm256_add_epi32(sum3, _mm256_madd_epi16(_mm256_unpackhi_epi8(high, zero), weight));
    }
    // Packing restores the order that unpacking within halves has made.
    const __m256i first = _mm256_packs_epi32(_mm256_srai_epi32(sum0, 14), _mm256_srai_epi32(sum1, 14));
    const __m256i last = _mm256_packs_epi32(_mm256_srai_epi32(sum2, 14), _mm256_srai_epi32(sum3, 14));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + x), _mm256_packus_epi16(first, last));
  }
  for (; x < stride; ++x) {
    int sum = 1 << 13;
    for (int k = 0; k < taps; ++k) sum += weights[k] * rows[static_cast<std::size_t>(k) * stride + x];
    out[x] = static_cast<std::uint8_t>(sum >> 14);
  }
}

#define NAS_AVX2 __attribute__((target("avx2")))

NAS_AVX2 void BlendAvx2(std::uint8_t* values, std::int64_t count, int factor, int offset) {
  loops::Blend(values, count, factor, offset);
}
NAS_AVX2 void SaturateAvx2(std::uint8_t* pixels, std::int64_t count, int factor) {
  loops::Saturate(pixels, count, factor);
}
NAS_AVX2 std::int64_t GreySumAvx2(const std::uint8_t* pixels, std::int64_t count) {
  return loops::GreySum(pixels, count);
}
NAS_AVX2 void NormaliseAvx2(const std::uint8_t* values, std::int64_t count, const NormaliseTable& table, float* out) {
  loops::Normalise(values, count, table, out);
}

void Blend(std::uint8_t* values, std::int64_t count, int factor, int offset) {
  loops::Blend(values, count, factor, offset);
}
void Saturate(std::uint8_t* pixels, std::int64_t count, int factor) { loops::Saturate(pixels, count, factor); }
std::int64_t GreySum(const std::uint8_t* pixels, std::int64_t count) { return loops::GreySum(pixels, count); }
void Normalise(const std::uint8_t* values, std::int64_t count, const NormaliseTable& table, float* out) {
  loops::Normalise(values, count, table, out);
}

constexpr PixelKernels kPlainKernels = {Blend, Saturate, GreySum, Normalise};
constexpr PixelKernels kAvx2Kernels = {BlendAvx2, SaturateAvx2, GreySumAvx2, NormaliseAvx2};

bool HasAvx2() { return __builtin_cpu_supports("avx2") != 0; }

}  // namespace

RowKernel VectorRowKernel() { return HasAvx2() ? Avx2RowKernel : nullptr; }

ColumnKernel VectorColumnKernel() { return HasAvx2() ? Avx2ColumnKernel : nullptr; }

const PixelKernels& BestPixelKernels() { return HasAvx2() ? kAvx2Kernels : kPlainKernels; }

void PackRowFilter(RowFilter* filter) {
  const int groups = (filter->taps + kGroup - 1) / kGroup;
  const int pairs = (filter->outputs + 1) / 2;
  filter->packed.assign(static_cast<std::size_t>(pairs) * groups * kPackedGroup, 0);
  for (int i = 0; i < filter->outputs; ++i) {
    const std::int16_t* weights = filter->weights + static_cast<std::ptrdiff_t>(i) * filter->taps;
    for (int k = 0; k < filter->taps; ++k) {
      // [pair of outputs][group of taps][pair of taps][output][channel, 4][tap]
      const std::size_t vector = (static_cast<std::size_t>(i / 2) * groups + k / kGroup) * 2 + k % kGroup / 2;
      std::int16_t* lane = filter->packed.data() + vector * 16 + i % 2 * 8 + k % 2;
      for (int channel = 0; channel < 4; ++channel) lane[2 * channel] = weights[k];
    }
  }
}

}  // namespace nas::detail
