// SPDX-License-Identifier: Apache-2.0
// The loops of SgdStep over MultiplyAdd(a, b, c) = a·b + c, which the including file defines. Included once by each
// sgd_step_<set>.cpp, inside its own namespace. Compiled without contraction: `momentum·m + d` rounds twice.

template <bool kMomentum, bool kFirst, bool kDecay>
void Step(const SgdCoefficients& c, std::int64_t n, float* __restrict w, const float* __restrict g,
          float* __restrict m) {
  for (std::int64_t i = 0; i < n; ++i) {
    float d = g[i];
    if constexpr (kDecay) d = MultiplyAdd(w[i], c.decay, d);
    if constexpr (kMomentum) {
      float b = d;
      if constexpr (!kFirst) {
        b = m[i] * c.momentum;
        b += d;
      }
      m[i] = b;
      d = MultiplyAdd(b, c.momentum, d);
    }
    w[i] = MultiplyAdd(d, -c.rate, w[i]);
  }
}

void SgdStepImpl(const SgdCoefficients& c, std::int64_t n, float* w, const float* g, float* m) {
  if (c.momentum == 0)
    return c.decay == 0 ? Step<false, false, false>(c, n, w, g, m) : Step<false, false, true>(c, n, w, g, m);
  if (c.first) return c.decay == 0 ? Step<true, true, false>(c, n, w, g, m) : Step<true, true, true>(c, n, w, g, m);
  c.decay == 0 ? Step<true, false, false>(c, n, w, g, m) : Step<true, false, true>(c, n, w, g, m);
}
