// SPDX-License-Identifier: Apache-2.0
// The passes around the two 1×1 convolutions. Included once by each stages_<set>.cpp.

// to = act(factor·from + offset) for a tile; rows up to `padded_rows` are zeroed.
template <StageActivation kAct>
static void LoadTile(const float* from, const NormAct& norm, std::int64_t channels, std::int64_t rows,
                     std::int64_t padded_rows, float* to, std::int64_t ld) {
  for (std::int64_t r = 0; r < rows; ++r) {
    const float* z = from + r * channels;
    float* t = to + r * ld;
    std::int64_t c = 0;
    for (; c + kLanes <= channels; c += kLanes) {
      Store(t + c, Act<kAct>(Load(norm.factor + c) * Load(z + c) + Load(norm.offset + c)));
    }
    if (c < channels) {
      const Vec v = LoadSome(z + c, static_cast<int>(channels - c));
      Store(t + c, Act<kAct>(Load(norm.factor + c) * v + Load(norm.offset + c)));
    }
  }
  for (std::int64_t r = rows; r < padded_rows; ++r) {
    for (std::int64_t c = 0; c < channels; c += kLanes) Store(to + r * ld + c, Vec{});
  }
}

// to = from − shift; columns up to a multiple of kBlockRows are zeroed too.
static void LoadShifted(const float* from, const float* shift, std::int64_t channels, std::int64_t rows,
                        std::int64_t padded_rows, float* to, std::int64_t ld) {
  const std::int64_t wide = RoundUp(channels, kBlockRows > kLanes ? kBlockRows : kLanes);
  for (std::int64_t r = 0; r < padded_rows; ++r) {
    const float* x = from + r * channels;
    float* t = to + r * ld;
    for (std::int64_t c = 0; c < wide; c += kLanes) {
      const std::int64_t left = channels - c;
      if (r >= rows || left <= 0) {
        Store(t + c, Vec{});
      } else {
        Store(t + c, LoadUpTo(x + c, static_cast<int>(left), left >= kLanes) - Load(shift + c));
      }
    }
  }
}

// to = g·grad + z·value + constant.
static void LoadGradient(const float* g, const float* z, const NormGradient& norm, std::int64_t channels,
                         std::int64_t rows, std::int64_t padded_rows, float* to, std::int64_t ld) {
  const std::int64_t wide = RoundUp(channels, kBlockRows > kLanes ? kBlockRows : kLanes);
  for (std::int64_t r = 0; r < padded_rows; ++r) {
    float* t = to + r * ld;
    std::int64_t c = 0;
    if (r < rows) {
      const float* gr = g + r * channels;
      const float* zr = z + r * channels;
      for (; c + kLanes <= channels; c += kLanes) {
        const Vec constant = Load(zr + c) * Load(norm.value + c) + Load(norm.constant + c);
        Store(t + c, Load(gr + c) * Load(norm.grad + c) + constant);
      }
      if (c < channels) {
        const int left = static_cast<int>(channels - c);
        const Vec constant = LoadSome(zr + c, left) * Load(norm.value + c) + Load(norm.constant + c);
        Store(t + c, LoadSome(gr + c, left) * Load(norm.grad + c) + constant);
        c += kLanes;
      }
    }
    for (; c < wide; c += kLanes) Store(t + c, Vec{});
  }
}

// z = C − shift, with Σz and Σz².
template <bool kStream>
struct StoreWithSums {
  float* z;
  std::int64_t ld;
  const float* shift;
  float* sum;
  float* square;

  template <int kWidth>
  NAS_MEMBER void Expect(std::int64_t row, int rows, std::int64_t column) const {
    if constexpr (!kStream) ExpectBlock<kWidth>(z + row * ld + column, ld, rows);
  }

  template <int kWidth, bool kFull>
  NAS_MEMBER void Apply(Vec (&acc)[kRows][kWidth], std::int64_t row, int rows, std::int64_t column, int last) const {
#pragma GCC unroll 3
    for (int j = 0; j < kWidth; ++j) {
      const bool full = kFull || j + 1 < kWidth;
      const std::int64_t c = column + j * kLanes;
      const Vec offset = Load(shift + c);
      Vec s{}, q{};
#pragma GCC unroll 8
      for (int i = 0; i < kRows; ++i) {
        if (i >= rows) break;
        const Vec v = acc[i][j] - offset;
        s += v;
        q += v * v;
        float* to = z + (row + i) * ld + c;
        if constexpr (kStream) {
          StoreStream(to, v);
        } else {
          StoreUpTo(to, v, last, full);
        }
      }
      Store(sum + c, Load(sum + c) + s);
      Store(square + c, Load(square + c) + q);
    }
  }
};

// g = C ⊙ act'(t), with Σg and Σg·(z − mean).
template <StageActivation kAct, bool kStream>
struct StoreGradient {
  float* g;
  const float* z;
  std::int64_t ld;
  NormAct norm;
  const float* mean;
  float* sum;
  float* product;

  template <int kWidth>
  NAS_MEMBER void Expect(std::int64_t row, int rows, std::int64_t column) const {
    if constexpr (!kStream) ExpectBlock<kWidth>(g + row * ld + column, ld, rows);
  }

  template <int kWidth, bool kFull>
  NAS_MEMBER void Apply(Vec (&acc)[kRows][kWidth], std::int64_t row, int rows, std::int64_t column, int last) const {
#pragma GCC unroll 3
    for (int j = 0; j < kWidth; ++j) {
      const bool full = kFull || j + 1 < kWidth;
      const std::int64_t c = column + j * kLanes;
      const Vec factor = Load(norm.factor + c), offset = Load(norm.offset + c), m = Load(mean + c);
      Vec s{}, q{};
#pragma GCC unroll 8
      for (int i = 0; i < kRows; ++i) {
        if (i >= rows) break;
        const std::int64_t at = (row + i) * ld + c;
        const Vec value = LoadUpTo(z + at, last, full);
        const Vec v = ActGradient<kAct>(acc[i][j], factor * value + offset);
        s += v;
        q += v * (value - m);
        if constexpr (kStream) {
          StoreStream(g + at, v);
        } else {
          StoreUpTo(g + at, v, last, full);
        }
      }
      Store(sum + c, Load(sum + c) + s);
      Store(product + c, Load(product + c) + q);
    }
  }
};

// dx = C [+ dy].
struct StoreInputGradient {
  float* dx;
  const float* shortcut;
  std::int64_t ld;

  template <int kWidth>
  NAS_MEMBER void Expect(std::int64_t row, int rows, std::int64_t column) const {
    ExpectBlock<kWidth>(dx + row * ld + column, ld, rows);
  }

  template <int kWidth, bool kFull>
  NAS_MEMBER void Apply(Vec (&acc)[kRows][kWidth], std::int64_t row, int rows, std::int64_t column, int last) const {
#pragma GCC unroll 3
    for (int j = 0; j < kWidth; ++j) {
      const bool full = kFull || j + 1 < kWidth;
#pragma GCC unroll 8
      for (int i = 0; i < kRows; ++i) {
        if (i >= rows) break;
        const std::int64_t at = (row + i) * ld + column + j * kLanes;
        Vec v = acc[i][j];
        if (shortcut != nullptr) v += LoadUpTo(shortcut + at, last, full);
        StoreUpTo(dx + at, v, last, full);
      }
    }
  }
};

// Calls body(first row, rows, rows up to a multiple of kRows, rows of the next tile) for the tiles of a range.
template <typename Body>
static inline void ForTiles(const RowRange& range, const Body& body) {
  for (std::int64_t r = range.first; r < range.last; r += range.tile_rows) {
    const std::int64_t rows = range.last - r < range.tile_rows ? range.last - r : range.tile_rows;
    const std::int64_t rest = range.last - r - rows;
    body(r, rows, RoundUp(rows, kRows), rest < range.tile_rows ? rest : range.tile_rows);
  }
}

static void Expand(const ExpandArgs& args, const RowRange& range, float* sums, float* scratch) {
  const std::int64_t ld = TileStride(args.in);
  ForTiles(range, [&](std::int64_t first, std::int64_t rows, std::int64_t padded, std::int64_t next) {
    LoadShifted(args.x + first * args.in, args.x_shift, args.in, rows, padded, scratch, ld);
    float* z = args.z + first * args.hidden;
    const float* ahead_x = args.x + (first + rows) * args.in;
    Ahead ahead(ahead_x, ahead_x, next * args.in, GemmSteps(rows, args.in, args.hidden));
    if (args.stream) {
      const StoreWithSums<true> epilogue{z, args.hidden, args.shift, sums, sums + Padded(args.hidden)};
      Gemm(scratch, ld, rows, args.in, args.packed, args.hidden, epilogue, ahead);
    } else {
      const StoreWithSums<false> epilogue{z, args.hidden, args.shift, sums, sums + Padded(args.hidden)};
      Gemm(scratch, ld, rows, args.in, args.packed, args.hidden, epilogue, ahead);
    }
  });
}

static void Project(const ProjectArgs& args, const RowRange& range, float* sums, float* scratch) {
  const std::int64_t ld = TileStride(args.hidden);
  WithActivation(args.norm.act, [&](auto act) {
    ForTiles(range, [&](std::int64_t first, std::int64_t rows, std::int64_t padded, std::int64_t next) {
      LoadTile<decltype(act)::value>(args.input + first * args.hidden, args.norm, args.hidden, rows, padded, scratch,
                                     ld);
      const StoreWithSums<false> epilogue{args.z + first * args.out, args.out, args.shift, sums,
                                          sums + Padded(args.out)};
      const float* ahead_z = args.input + (first + rows) * args.hidden;
      Ahead ahead(ahead_z, ahead_z, next * args.hidden, GemmSteps(rows, args.hidden, args.out));
      Gemm(scratch, ld, rows, args.hidden, args.packed, args.out, epilogue, ahead);
    });
  });
}

static void Output(const OutputArgs& args, const RowRange& range) {
  const std::int64_t channels = args.channels;
  for (std::int64_t r = range.first; r < range.last; ++r) {
    const std::int64_t at = r * channels;
    for (std::int64_t c = 0; c < channels; c += kLanes) {
      const int left = static_cast<int>(channels - c < kLanes ? channels - c : kLanes);
      const bool full = left == kLanes;
      Vec y = LoadUpTo(args.z + at + c, left, full) * Load(args.norm.factor + c) + Load(args.norm.offset + c);
      if (args.x != nullptr) y += LoadUpTo(args.x + at + c, left, full);
      StoreUpTo(args.y + at + c, y, left, full);
    }
  }
}

static void OutputSums(const OutputSumsArgs& args, const RowRange& range, float* sums) {
  const std::int64_t channels = args.channels;
  float* products = sums + Padded(channels);
  for (std::int64_t r = range.first; r < range.last; ++r) {
    const std::int64_t at = r * channels;
    for (std::int64_t c = 0; c < channels; c += kLanes) {
      const int left = static_cast<int>(channels - c < kLanes ? channels - c : kLanes);
      const bool full = left == kLanes;
      const Vec dy = LoadUpTo(args.dy + at + c, left, full);
      Store(sums + c, Load(sums + c) + dy);
      Store(products + c, Load(products + c) + dy * (LoadUpTo(args.z + at + c, left, full) - Load(args.mean + c)));
    }
  }
}

template <StageActivation kAct, bool kStream>
static void ProjectGradTiles(const ProjectGradArgs& args, const RowRange& range, float* sums, float* dweights,
                             float* scratch) {
  const std::int64_t narrow_ld = TileStride(args.out), wide_ld = TileStride(args.hidden);
  float* wide = scratch + RoundUp(range.tile_rows, kBlockRows) * narrow_ld;
  ForTiles(range, [&](std::int64_t first, std::int64_t rows, std::int64_t padded, std::int64_t next) {
    float* narrow = args.dz3 == nullptr ? scratch : args.dz3 + first * narrow_ld;
    LoadGradient(args.dy + first * args.out, args.z3 + first * args.out, args.norm3, args.out, rows, padded, narrow,
                 narrow_ld);
    const float* z2 = args.z2 + first * args.hidden;
    const float* ahead_z = z2 + rows * args.hidden;
    const std::int64_t outer_steps = dweights == nullptr ? 0 : OuterSteps(args.out, args.hidden, rows);
    Ahead ahead(ahead_z, ahead_z, next * args.hidden, outer_steps + GemmSteps(rows, args.out, args.hidden));
    if (dweights != nullptr) {
      LoadTile<kAct>(z2, args.norm2, args.hidden, rows, rows, wide, wide_ld);
      AddOuter(narrow, narrow_ld, args.out, wide, wide_ld, args.hidden, rows, dweights, Padded(args.hidden), ahead);
    }
    const StoreGradient<kAct, kStream> epilogue{
        args.g + first * args.hidden, z2, args.hidden, args.norm2, args.mean2, sums, sums + Padded(args.hidden)};
    Gemm(narrow, narrow_ld, rows, args.out, args.packed, args.hidden, epilogue, ahead);
  });
}

static void ProjectGrad(const ProjectGradArgs& args, const RowRange& range, float* sums, float* dweights,
                        float* scratch) {
  WithActivation(args.norm2.act, [&](auto act) {
    if (args.stream) {
      ProjectGradTiles<decltype(act)::value, true>(args, range, sums, dweights, scratch);
    } else {
      ProjectGradTiles<decltype(act)::value, false>(args, range, sums, dweights, scratch);
    }
  });
}

static void ExpandGrad(const ExpandGradArgs& args, const RowRange& range, float* dweights, float* scratch) {
  const std::int64_t narrow_ld = TileStride(args.in), wide_ld = TileStride(args.hidden);
  float* wide = scratch + RoundUp(range.tile_rows, kBlockRows) * narrow_ld;
  ForTiles(range, [&](std::int64_t first, std::int64_t rows, std::int64_t padded, std::int64_t next) {
    if (args.x_tile != nullptr) {
      LoadShifted(args.x + first * args.in, args.x_shift, args.in, rows, padded, args.x_tile + first * narrow_ld,
                  narrow_ld);
      if (args.dx == nullptr) return;
    }
    LoadGradient(args.g1 + first * args.hidden, args.z1 + first * args.hidden, args.norm1, args.hidden, rows, padded,
                 wide, wide_ld);
    const std::int64_t outer_steps = dweights == nullptr ? 0 : OuterSteps(args.in, args.hidden, rows);
    const std::int64_t gemm_steps = args.dx == nullptr ? 0 : GemmSteps(rows, args.hidden, args.in);
    Ahead ahead(args.g1 + (first + rows) * args.hidden, args.z1 + (first + rows) * args.hidden, next * args.hidden,
                outer_steps + gemm_steps);
    if (dweights != nullptr) {
      LoadShifted(args.x + first * args.in, args.x_shift, args.in, rows, rows, scratch, narrow_ld);
      AddOuter(scratch, narrow_ld, args.in, wide, wide_ld, args.hidden, rows, dweights, Padded(args.hidden), ahead);
    }
    if (args.dx != nullptr) {
      const float* shortcut = args.shortcut == nullptr ? nullptr : args.shortcut + first * args.in;
      const StoreInputGradient epilogue{args.dx + first * args.in, shortcut, args.in};
      Gemm(wide, wide_ld, rows, args.hidden, args.packed, args.in, epilogue, ahead);
    }
  });
}

// partial [RoundUp(narrow, kBlockRows)][columns of the panel] = Uᵀ·V over the item's rows; `load` writes a tile of V.
template <typename LoadRows>
static inline void PanelOuter(const float* u, std::int64_t ldu, std::int64_t narrow, const PanelItem& item,
                              const Panel& panel, float* partial, float* scratch, const LoadRows& load) {
  Clear(partial, RoundUp(narrow, kBlockRows) * panel.columns);
  Ahead nothing;
  ForTiles(item.rows, [&](std::int64_t first, std::int64_t rows, std::int64_t, std::int64_t) {
    load(first, rows);
    AddOuter(u + first * ldu, ldu, narrow, scratch, panel.columns, panel.columns, rows, partial, panel.columns,
             nothing);
  });
}

static void ProjectWeights(const ProjectGradArgs& args, const PanelItem& item, float* partial, float* scratch) {
  const Panel panel = PanelAt(args.hidden, item.panel);
  const std::int64_t c = panel.first, left = args.hidden - c;
  const std::int64_t columns = left < panel.columns ? left : panel.columns;
  const NormAct norm{args.norm2.factor + c, args.norm2.offset + c, args.norm2.act};
  WithActivation(args.norm2.act, [&](auto act) {
    PanelOuter(args.dz3, TileStride(args.out), args.out, item, panel, partial, scratch,
               [&](std::int64_t first, std::int64_t rows) {
                 const float* z2 = args.z2 + first * args.hidden + c;
                 for (std::int64_t r = 0; r < rows; ++r) {
                   LoadTile<decltype(act)::value>(z2 + r * args.hidden, norm, columns, 1, 1,
                                                  scratch + r * panel.columns, panel.columns);
                 }
               });
  });
}

static void ExpandWeights(const ExpandGradArgs& args, const PanelItem& item, float* partial, float* scratch) {
  const Panel panel = PanelAt(args.hidden, item.panel);
  const std::int64_t c = panel.first, left = args.hidden - c;
  const std::int64_t columns = left < panel.columns ? left : panel.columns;
  const NormGradient norm{args.norm1.grad + c, args.norm1.value + c, args.norm1.constant + c};
  PanelOuter(args.x_tile, TileStride(args.in), args.in, item, panel, partial, scratch,
             [&](std::int64_t first, std::int64_t rows) {
               for (std::int64_t r = 0; r < rows; ++r) {
                 const std::int64_t at = (first + r) * args.hidden + c;
                 LoadGradient(args.g1 + at, args.z1 + at, norm, columns, 1, 1, scratch + r * panel.columns,
                              panel.columns);
               }
             });
}
