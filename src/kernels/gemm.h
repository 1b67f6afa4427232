// SPDX-License-Identifier: Apache-2.0
// Small GEMMs between a tile of pixels and a weight matrix. Included once by each stages_<set>.cpp.

// Accumulators fill three quarters of the registers; three vectors of columns suit widths that are multiples of 48,
// which expansions by 3 and 6 give.
#ifdef __AVX512VL__
constexpr int kRows = 8;
#else
constexpr int kRows = 4;
#endif
constexpr int kColumns = 3;

// Memory that the next tile will read. It is touched bit by bit between the arithmetic of this one, which would
// otherwise stand still while the next tile comes in.
class Ahead {
 public:
  Ahead() = default;
  // Of one map, or the same place of two; `steps`: how often Touch will be called.
  Ahead(const float* from, const float* too, std::int64_t floats, std::int64_t steps)
      : next_(reinterpret_cast<const char*>(from)),
        other_(reinterpret_cast<const char*>(too) - next_),
        step_(4 * floats / (steps > 0 ? steps : 1)) {}

  NAS_MEMBER void Touch() {
    __builtin_prefetch(next_, 0, 2);
    __builtin_prefetch(next_ + other_, 0, 2);
    next_ += step_;
  }

 private:
  const char* next_ = nullptr;  // a hint may point nowhere
  std::int64_t other_ = 0;
  std::int64_t step_ = 0;
};

// Width in vectors of the next panel of columns: never one vector behind three.
NAS_INLINE int PanelWidth(std::int64_t vectors) {
  if (vectors >= 6 || vectors == 3 || vectors == 5) return 3;
  return vectors == 1 ? 1 : 2;
}

// The panel of columns with that index.
static Panel PanelAt(std::int64_t columns, std::int64_t index) {
  const std::int64_t vectors = (columns + kLanes - 1) / kLanes;
  std::int64_t v = 0;
  for (; index > 0; --index) v += PanelWidth(vectors - v);
  return {v * kLanes, PanelWidth(vectors - v) * kLanes};
}

static void PackPanel(const float* weights, std::int64_t k, std::int64_t n, std::int64_t stride_k,
                      std::int64_t stride_n, std::int64_t index, float* packed) {
  const Panel panel = PanelAt(n, index);
  packed += panel.first * k;
  if (stride_n == 1) {
    for (std::int64_t i = 0; i < k; ++i) {
      const float* row = weights + i * stride_k + panel.first;
      for (std::int64_t j = 0; j < panel.columns; j += kLanes) {
        const std::int64_t left = n - panel.first - j;
        Store(packed + i * panel.columns + j, LoadUpTo(row + j, static_cast<int>(left), left >= kLanes));
      }
    }
    return;
  }
  // Transposed, some rows of the result at a time; meanwhile what they need next comes in.
  constexpr std::int64_t kStep = 16;
  for (std::int64_t first = 0; first < k; first += kStep) {
    const std::int64_t count = first + kStep < k ? kStep : k - first;
    for (std::int64_t j = 0; j < panel.columns; ++j) {
      float* to = packed + first * panel.columns + j;
      if (panel.first + j >= n) {
        for (std::int64_t i = 0; i < count; ++i) to[i * panel.columns] = 0;
        continue;
      }
      const float* from = weights + (panel.first + j) * stride_n + first;
      __builtin_prefetch(from + 2 * kStep, 0, 2);
      if (count == kStep) {
#pragma GCC unroll 16
        for (std::int64_t i = 0; i < kStep; ++i) to[i * panel.columns] = from[i];
      } else {
        for (std::int64_t i = 0; i < count; ++i) to[i * panel.columns] = from[i];
      }
    }
  }
}

template <int kWidth, typename Epilogue>
static void GemmBlock(const float* a, std::int64_t lda, std::int64_t depth, const float* b, std::int64_t row, int rows,
                      std::int64_t column, std::int64_t columns, const Epilogue& epilogue, Ahead& shared_ahead) {
  Ahead ahead = shared_ahead;  // in registers
  epilogue.template Expect<kWidth>(row, rows, column);
  Vec acc[kRows][kWidth];
#pragma GCC unroll 8
  for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 3
    for (int j = 0; j < kWidth; ++j) acc[i][j] = Vec{};
  }
#pragma GCC unroll 2
  for (std::int64_t k = 0; k < depth; ++k) {
    Vec w[kWidth];
#pragma GCC unroll 3
    for (int j = 0; j < kWidth; ++j) w[j] = Load(b + j * kLanes);
    b += kWidth * kLanes;
    ahead.Touch();
#pragma GCC unroll 8
    for (int i = 0; i < kRows; ++i) {
      const Vec s = Splat(a[i * lda + k]);
#pragma GCC unroll 3
      for (int j = 0; j < kWidth; ++j) acc[i][j] += s * w[j];
    }
  }
  shared_ahead = ahead;
  const std::int64_t left = columns - column - (kWidth - 1) * kLanes;
  if (left >= kLanes) {
    epilogue.template Apply<kWidth, true>(acc, row, rows, column, kLanes);
  } else {
    epilogue.template Apply<kWidth, false>(acc, row, rows, column, static_cast<int>(left));
  }
}

static std::int64_t Panels(std::int64_t columns) {
  std::int64_t panels = 0;
  for (std::int64_t v = (columns + kLanes - 1) / kLanes; v > 0; v -= PanelWidth(v)) ++panels;
  return panels;
}
// How often Gemm and AddOuter touch what lies ahead.
NAS_INLINE std::int64_t GemmSteps(std::int64_t rows, std::int64_t depth, std::int64_t columns) {
  return Panels(columns) * ((rows + kRows - 1) / kRows) * depth;
}
NAS_INLINE std::int64_t OuterSteps(std::int64_t narrow, std::int64_t wide, std::int64_t rows) {
  return Panels(wide) * ((narrow + kRows - 1) / kRows) * rows;
}

// Lines that a block of results will go to, fetched for writing while it is computed: a store that misses the cache
// holds up those behind it.
template <int kWidth>
NAS_INLINE void ExpectBlock(const float* to, std::int64_t ld, int rows) {
#pragma GCC unroll 8
  for (int i = 0; i < kRows; ++i) {
    if (i >= rows) break;
#pragma GCC unroll 3
    for (int j = 0; j < kWidth; ++j) __builtin_prefetch(to + i * ld + j * kLanes, 1, 3);
  }
}

// C = A·B for `rows` rows of A [rows up to a multiple of kRows][depth] and packed B; `epilogue` gets blocks of C.
template <typename Epilogue>
static void Gemm(const float* a, std::int64_t lda, std::int64_t rows, std::int64_t depth, const float* packed,
                 std::int64_t columns, const Epilogue& epilogue, Ahead& ahead) {
  const std::int64_t vectors = (columns + kLanes - 1) / kLanes;
  for (std::int64_t v = 0; v < vectors;) {
    const int width = PanelWidth(vectors - v);
    const float* b = packed + v * kLanes * depth;
    for (std::int64_t row = 0; row < rows; row += kRows) {
      const int valid = static_cast<int>(rows - row < kRows ? rows - row : kRows);
      if (width == 3) {
        GemmBlock<3>(a + row * lda, lda, depth, b, row, valid, v * kLanes, columns, epilogue, ahead);
      } else if (width == 2) {
        GemmBlock<2>(a + row * lda, lda, depth, b, row, valid, v * kLanes, columns, epilogue, ahead);
      } else {
        GemmBlock<1>(a + row * lda, lda, depth, b, row, valid, v * kLanes, columns, epilogue, ahead);
      }
    }
    v += width;
  }
}

template <int kWidth>
static void OuterBlock(const float* u, std::int64_t ldu, const float* v, std::int64_t ldv, std::int64_t rows, float* c,
                       std::int64_t ldc, Ahead& shared_ahead) {
  Ahead ahead = shared_ahead;
  Vec acc[kRows][kWidth];
#pragma GCC unroll 8
  for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 3
    for (int j = 0; j < kWidth; ++j) acc[i][j] = Load(c + i * ldc + j * kLanes);
  }
#pragma GCC unroll 2
  for (std::int64_t m = 0; m < rows; ++m) {
    Vec w[kWidth];
#pragma GCC unroll 3
    for (int j = 0; j < kWidth; ++j) w[j] = Load(v + m * ldv + j * kLanes);
    ahead.Touch();
#pragma GCC unroll 8
    for (int i = 0; i < kRows; ++i) {
      const Vec s = Splat(u[m * ldu + i]);
#pragma GCC unroll 3
      for (int j = 0; j < kWidth; ++j) acc[i][j] += s * w[j];
    }
  }
  shared_ahead = ahead;
#pragma GCC unroll 8
  for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 3
    for (int j = 0; j < kWidth; ++j) Store(c + i * ldc + j * kLanes, acc[i][j]);
  }
}

// C [narrow][wide] += Uᵀ·V over the rows of two tiles; `narrow` may be rounded up to kBlockRows, `wide` to kLanes: the
// tiles hold zeros there, or the result is not read.
static void AddOuter(const float* u, std::int64_t ldu, std::int64_t narrow, const float* v, std::int64_t ldv,
                     std::int64_t wide, std::int64_t rows, float* c, std::int64_t ldc, Ahead& ahead) {
  const std::int64_t vectors = (wide + kLanes - 1) / kLanes;
  for (std::int64_t j = 0; j < vectors;) {
    const int width = PanelWidth(vectors - j);
    for (std::int64_t i = 0; i < narrow; i += kRows) {
      const float* uu = u + i;
      const float* vv = v + j * kLanes;
      float* cc = c + i * ldc + j * kLanes;
      if (width == 3) {
        OuterBlock<3>(uu, ldu, vv, ldv, rows, cc, ldc, ahead);
      } else if (width == 2) {
        OuterBlock<2>(uu, ldu, vv, ldv, rows, cc, ldc, ahead);
      } else {
        OuterBlock<1>(uu, ldu, vv, ldv, rows, cc, ldc, ahead);
      }
    }
    j += width;
  }
}
