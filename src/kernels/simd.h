// SPDX-License-Identifier: Apache-2.0
// Vectors of kLanes floats. Included once by each stages_<set>.cpp, inside its own namespace: what is compiled for one
// instruction set must never be merged by the linker with another file's. So nothing of the standard library is
// instantiated here.

constexpr int kLanes = NAS_LANES;
typedef float Vec __attribute__((vector_size(4 * NAS_LANES)));

#define NAS_MEMBER inline __attribute__((always_inline))
#define NAS_INLINE static NAS_MEMBER

// By memcpy: a vector type of reduced alignment makes g++ 12 split loads.
NAS_INLINE Vec Load(const float* p) {
  Vec v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}
NAS_INLINE void Store(float* p, Vec v) { __builtin_memcpy(p, &v, sizeof v); }
NAS_INLINE Vec Splat(float s) { return s - Vec{}; }

#if defined(__AVX512F__) && NAS_LANES == 16

NAS_INLINE Vec LoadSome(const float* p, int n) {
  return reinterpret_cast<Vec>(_mm512_maskz_loadu_ps(static_cast<__mmask16>((1u << n) - 1), p));
}
NAS_INLINE void StoreSome(float* p, Vec v, int n) {
  _mm512_mask_storeu_ps(p, static_cast<__mmask16>((1u << n) - 1), reinterpret_cast<__m512>(v));
}
NAS_INLINE void StoreStream(float* p, Vec v) { _mm512_stream_ps(p, reinterpret_cast<__m512>(v)); }
// The second operand comes out where one is NaN: a NaN has to survive.
NAS_INLINE Vec Max(Vec bound, Vec v) {
  return reinterpret_cast<Vec>(_mm512_max_ps(reinterpret_cast<__m512>(bound), reinterpret_cast<__m512>(v)));
}
NAS_INLINE Vec Min(Vec bound, Vec v) {
  return reinterpret_cast<Vec>(_mm512_min_ps(reinterpret_cast<__m512>(bound), reinterpret_cast<__m512>(v)));
}

#else

NAS_INLINE Vec LoadSome(const float* p, int n) {
  Vec v{};
  __builtin_memcpy(&v, p, sizeof(float) * static_cast<unsigned>(n));
  return v;
}
NAS_INLINE void StoreSome(float* p, Vec v, int n) { __builtin_memcpy(p, &v, sizeof(float) * static_cast<unsigned>(n)); }

#if defined(__AVX2__) && NAS_LANES == 8

NAS_INLINE void StoreStream(float* p, Vec v) { _mm256_stream_ps(p, reinterpret_cast<__m256>(v)); }
NAS_INLINE Vec Max(Vec bound, Vec v) {
  return reinterpret_cast<Vec>(_mm256_max_ps(reinterpret_cast<__m256>(bound), reinterpret_cast<__m256>(v)));
}
NAS_INLINE Vec Min(Vec bound, Vec v) {
  return reinterpret_cast<Vec>(_mm256_min_ps(reinterpret_cast<__m256>(bound), reinterpret_cast<__m256>(v)));
}

#else

NAS_INLINE void StoreStream(float* p, Vec v) { Store(p, v); }
NAS_INLINE Vec Max(Vec bound, Vec v) { return bound > v ? bound : v; }
NAS_INLINE Vec Min(Vec bound, Vec v) { return bound < v ? bound : v; }

#endif
#endif

// `full`, a constant after inlining, spares the mask.
NAS_INLINE Vec LoadUpTo(const float* p, int n, bool full) { return full ? Load(p) : LoadSome(p, n); }
NAS_INLINE void StoreUpTo(float* p, Vec v, int n, bool full) {
  if (full) {
    Store(p, v);
  } else {
    StoreSome(p, v, n);
  }
}

static void Clear(float* p, std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i) p[i] = 0;
}
