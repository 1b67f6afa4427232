// SPDX-License-Identifier: Apache-2.0
// Depthwise convolution, forward and backward. An item is a few images and one block of channels; the rows in use are
// packed into a ring [row][channel vector][pixel][lane] with zeros at both ends, so that no inner loop knows a border
// and each value is normalised once. Included once by each stages_<set>.cpp.

constexpr int kBlockVectors = static_cast<int>(kChannelBlock) / kLanes;
constexpr int kLeftPad = 4;  // pixels before the first one of a packed row, at least ⌊k/2⌋ and ⌈k/2⌉ at stride 2

// Channels of an item, in whole and partial vectors.
struct ChannelBlock {
  int vectors = 0;
  int last = 0;  // channels of the last vector

  explicit ChannelBlock(std::int64_t channels) {
    const int n = static_cast<int>(channels < kChannelBlock ? channels : kChannelBlock);
    vectors = (n + kLanes - 1) / kLanes;
    last = n - (vectors - 1) * kLanes;
  }
  int Count(int v) const { return v + 1 < vectors ? kLanes : last; }
};

// One packed row per slot.
struct RowRing {
  float* data;
  std::int64_t pixels;  // of a packed row, with padding

  float* Row(std::int64_t slot, int vector) const { return data + (slot * kBlockVectors + vector) * pixels * kLanes; }

  // Zeros beside the `width` pixels of each row.
  void ClearEdges(int slots, std::int64_t width) const {
    for (int row = 0; row < slots * kBlockVectors; ++row) {
      float* first = data + row * pixels * kLanes;
      Clear(first, kLeftPad * kLanes);
      Clear(first + (kLeftPad + width) * kLanes, (pixels - kLeftPad - width) * kLanes);
    }
  }
};

// Pixels of a packed row from which `count` outputs are computed in groups.
static inline std::int64_t RingPixels(std::int64_t width, std::int64_t count, int kernel, int stride, int group) {
  const std::int64_t read = kLeftPad + ((count + group - 1) / group * group - 1) * stride + kernel;
  const std::int64_t held = kLeftPad + width;
  return read > held ? read : held;
}

// w[vector][tap][lane] from [channel][tap].
static void PackTaps(const float* weights, const ChannelBlock& block, int taps, float* packed) {
  if (block.vectors < kBlockVectors || block.last < kLanes) Clear(packed, kChannelBlock * taps);
  for (int v = 0; v < block.vectors; ++v) {
    for (int lane = 0; lane < block.Count(v); ++lane) {
      for (int t = 0; t < taps; ++t) packed[(v * taps + t) * kLanes + lane] = weights[(v * kLanes + lane) * taps + t];
    }
  }
}

// Some of the k rows under the kernel, each with its first pixel and its taps.
struct TapRows {
  const float* pixels[7];
  const float* taps[7];
  int count = 0;
};

// acc[p] = −shift + Σ rows Σ taps w·pixel for kGroup neighbouring outputs.
template <int kTaps, int kStride, int kGroup>
NAS_INLINE void Convolve(const TapRows& rows, std::int64_t first, Vec start, Vec (&acc)[kGroup]) {
#pragma GCC unroll 8
  for (int p = 0; p < kGroup; ++p) acc[p] = start;
  for (int r = 0; r < rows.count; ++r) {
    const float* pixel = rows.pixels[r] + first * kStride * kLanes;
    const float* tap = rows.taps[r];
#pragma GCC unroll 7
    for (int x = 0; x < kTaps; ++x) {
      const Vec w = Load(tap + x * kLanes);
#pragma GCC unroll 8
      for (int p = 0; p < kGroup; ++p) acc[p] += w * Load(pixel + (p * kStride + x) * kLanes);
    }
  }
}

// Rows of maps that will be packed next, touched while this one is computed.
struct AheadRows {
  static constexpr int kMost = 4;
  const float* rows[kMost] = {};
  int count = 0;
  std::int64_t step = 0;          // floats from pixel to pixel
  const float* output = nullptr;  // the row of results behind this one; null: none
  std::int64_t output_step = 0;

  void Add(const float* row) { rows[count++] = row; }

  // The pixels [first, last) of all rows.
  NAS_MEMBER void Touch(std::int64_t first, std::int64_t last) const {
    for (int r = 0; r < count; ++r) {
      const float* p = rows[r] + first * step;
      for (std::int64_t w = first; w < last; ++w, p += step) __builtin_prefetch(p, 0, 3);
    }
    if (output == nullptr) return;
    const float* p = output + first * output_step;
    for (std::int64_t w = first; w < last; ++w, p += output_step) __builtin_prefetch(p, 1, 3);
  }
};

// The pixels of an image that will be packed soon, where it is so small that nothing else comes before them.
static void TouchImage(const float* image, std::int64_t channels, std::int64_t pixels) {
  constexpr std::int64_t kMost = 64;
  if (pixels > kMost) return;
  for (std::int64_t i = 0; i < pixels; ++i) {
    for (std::int64_t c = 0; c < kChannelBlock; c += 16) __builtin_prefetch(image + i * channels + c, 0, 2);
  }
}

// Calls put(pixel, value) for `count` outputs of a row. `kGroup` accumulators: whichever wastes less.
template <int kTaps, int kStride, int kGroup, typename Put>
NAS_INLINE void ConvolveRow(const TapRows& rows, std::int64_t count, Vec start, const AheadRows& ahead,
                            const Put& put) {
  for (std::int64_t first = 0; first < count; first += kGroup) {
    ahead.Touch(first, first + kGroup < count ? first + kGroup : count);
    Vec acc[kGroup];
    Convolve<kTaps, kStride, kGroup>(rows, first, start, acc);
    const int valid = static_cast<int>(count - first < kGroup ? count - first : kGroup);
#pragma GCC unroll 8
    for (int p = 0; p < kGroup; ++p) {
      if (p >= valid) break;
      put(first + p, acc[p]);
    }
  }
}

// to[pixel][lane] = act(factor·from + offset) for one packed row.
template <StageActivation kAct>
static void PackRow(const float* from, std::int64_t channels, std::int64_t width, const NormAct& norm, int count,
                    float* to) {
  const Vec factor = Load(norm.factor), offset = Load(norm.offset);
  if (count == kLanes) {
    for (std::int64_t w = 0; w < width; ++w) {
      Store(to + w * kLanes, Act<kAct>(factor * Load(from + w * channels) + offset));
    }
  } else {
    for (std::int64_t w = 0; w < width; ++w) {
      Store(to + w * kLanes, Act<kAct>(factor * LoadSome(from + w * channels, count) + offset));
    }
  }
}

static void PackGradientRow(const float* g, const float* z, std::int64_t channels, std::int64_t width,
                            const NormGradient& norm, int count, float* to) {
  const Vec grad = Load(norm.grad), value = Load(norm.value), constant = Load(norm.constant);
  for (std::int64_t w = 0; w < width; ++w) {
    const Vec gv = LoadUpTo(g + w * channels, count, count == kLanes);
    const Vec zv = LoadUpTo(z + w * channels, count, count == kLanes);
    Store(to + w * kLanes, gv * grad + (zv * value + constant));
  }
}

template <int kKernel, int kStride, int kGroup, StageActivation kAct>
static void DepthwiseImages(const DepthwiseArgs& args, const DepthwiseItem& item, float* sums, float* scratch) {
  constexpr int kTaps = kKernel * kKernel;
  constexpr std::int64_t kPad = kKernel / 2;
  const ChannelBlock block(args.channels - item.channel);
  const std::int64_t channels = args.channels;
  const RowRing ring{scratch, RingPixels(args.width, args.out_width, kKernel, kStride, kGroup)};
  float* taps = scratch + kKernel * kBlockVectors * ring.pixels * kLanes;
  ring.ClearEdges(kKernel, args.width);
  PackTaps(args.weights + item.channel * kTaps, block, kTaps, taps);
  float* squares = sums + Padded(channels);

  const std::int64_t image = args.height * args.width * channels;
  const float* input = args.input + item.channel;
  TouchImage(input + item.first * image, channels, args.height * args.width);
  for (std::int64_t n = item.first; n < item.last; ++n) {
    if (n + 1 < item.last) TouchImage(input + (n + 1) * image, channels, args.height * args.width);
    std::int64_t packed = 0;  // input rows so far
    for (std::int64_t oh = 0; oh < args.out_height; ++oh) {
      const std::int64_t top = oh * kStride - kPad;
      const std::int64_t end = top + kKernel < args.height ? top + kKernel : args.height;
      for (; packed < end; ++packed) {
        const float* from = args.input + ((n * args.height + packed) * args.width) * channels + item.channel;
        for (int v = 0; v < block.vectors; ++v) {
          const std::int64_t c = item.channel + v * kLanes;
          const NormAct norm{args.norm.factor + c, args.norm.offset + c, kAct};
          PackRow<kAct>(from + v * kLanes, channels, args.width, norm, block.Count(v),
                        ring.Row(packed % kKernel, v) + kLeftPad * kLanes);
        }
      }
      for (int v = 0; v < block.vectors; ++v) {
        const std::int64_t c = item.channel + v * kLanes;
        TapRows rows;
        for (int y = 0; y < kKernel; ++y) {
          const std::int64_t ih = top + y;
          if (ih < 0 || ih >= args.height) continue;
          rows.pixels[rows.count] = ring.Row(ih % kKernel, v) + (kLeftPad - kPad) * kLanes;
          rows.taps[rows.count++] = taps + (v * kTaps + y * kKernel) * kLanes;
        }
        float* to = args.z + ((n * args.out_height + oh) * args.out_width) * channels + c;
        AheadRows ahead;
        ahead.step = ahead.output_step = channels;
        if (!args.stream && oh + 1 < args.out_height) ahead.output = to + args.out_width * channels;
        const float* below = args.input + ((n * args.height + packed) * args.width) * channels + c;
        if (packed < args.height) ahead.Add(below);
        if (kStride == 2) {  // twice the pixels, in rows and in columns
          if (packed < args.height) ahead.Add(below + args.width / 2 * channels);
          if (packed + 1 < args.height) ahead.Add(below + args.width * channels);
          if (packed + 1 < args.height) ahead.Add(below + (args.width + args.width / 2) * channels);
        }
        const int count = block.Count(v);
        const bool full = count == kLanes, stream = args.stream;
        Vec s{}, q{};
        ConvolveRow<kKernel, kStride, kGroup>(
            rows, args.out_width, -Load(args.shift + c),
            ahead, [&](std::int64_t w, Vec value) __attribute__((always_inline)) {
              s += value;
              q += value * value;
              if (stream) {
                StoreStream(to + w * channels, value);
              } else {
                StoreUpTo(to + w * channels, value, count, full);
              }
            });
        Store(sums + c, Load(sums + c) + s);
        Store(squares + c, Load(squares + c) + q);
      }
    }
  }
}

// Outputs per group: 7 where that divides the width better than 8.
static inline int GroupFor(std::int64_t width) {
  if (width <= 4) return 4;
  return (width + 6) / 7 * 7 < (width + 7) / 8 * 8 ? 7 : 8;
}

template <int kKernel, int kStride, StageActivation kAct>
static void DepthwiseGroups(const DepthwiseArgs& args, const DepthwiseItem& item, float* sums, float* scratch) {
  switch (GroupFor(args.out_width)) {
    case 4:
      return DepthwiseImages<kKernel, kStride, 4, kAct>(args, item, sums, scratch);
    case 7:
      return DepthwiseImages<kKernel, kStride, 7, kAct>(args, item, sums, scratch);
    default:
      return DepthwiseImages<kKernel, kStride, 8, kAct>(args, item, sums, scratch);
  }
}

template <int kN>
struct IntConstant {
  static constexpr int value = kN;
};

// Calls body(constant of the kernel, constant of the stride).
template <typename Body>
static inline void WithKernel(int kernel, int stride, const Body& body) {
  if (stride == 1) {
    if (kernel == 3) return body(IntConstant<3>{}, IntConstant<1>{});
    if (kernel == 5) return body(IntConstant<5>{}, IntConstant<1>{});
    return body(IntConstant<7>{}, IntConstant<1>{});
  }
  if (kernel == 3) return body(IntConstant<3>{}, IntConstant<2>{});
  if (kernel == 5) return body(IntConstant<5>{}, IntConstant<2>{});
  return body(IntConstant<7>{}, IntConstant<2>{});
}

static void Depthwise(const DepthwiseArgs& args, const DepthwiseItem& item, float* sums, float* scratch) {
  WithKernel(args.kernel, args.stride, [&](auto kernel, auto stride) {
    WithActivation(args.norm.act, [&](auto act) {
      DepthwiseGroups<decltype(kernel)::value, decltype(stride)::value, decltype(act)::value>(args, item, sums,
                                                                                              scratch);
    });
  });
}

// gradient[y][x] += Σ a[w·stride + x]·d_y[w] for kLines rows d of output gradients against one row of inputs: each
// value is loaded once for all taps, whose sums stay in registers.
template <int kKernel, int kStride, int kLines>
static void TapGradients(const float* a, const float* const* d, float* const* gradient, std::int64_t width) {
  Vec acc[kLines][kKernel];
#pragma GCC unroll 5
  for (int y = 0; y < kLines; ++y) {
#pragma GCC unroll 7
    for (int x = 0; x < kKernel; ++x) acc[y][x] = Load(gradient[y] + x * kLanes);
  }
  const float* lines[kLines];
#pragma GCC unroll 5
  for (int y = 0; y < kLines; ++y) lines[y] = d[y];
  for (std::int64_t w = 0; w < width; ++w) {
    Vec dv[kLines];
#pragma GCC unroll 5
    for (int y = 0; y < kLines; ++y) dv[y] = Load(lines[y] + w * kLanes);
#pragma GCC unroll 7
    for (int x = 0; x < kKernel; ++x) {
      const Vec v = Load(a + (w * kStride + x) * kLanes);
#pragma GCC unroll 5
      for (int y = 0; y < kLines; ++y) acc[y][x] += v * dv[y];
    }
  }
#pragma GCC unroll 5
  for (int y = 0; y < kLines; ++y) {
#pragma GCC unroll 7
    for (int x = 0; x < kKernel; ++x) Store(gradient[y] + x * kLanes, acc[y][x]);
  }
}

// Rows of gradients that fit in the registers at once.
template <int kKernel>
constexpr int MostLines() {
#ifdef __AVX512VL__
  return kKernel == 7 ? 3 : kKernel;
#else
  return kKernel == 7 ? 1 : kKernel == 5 ? 2 : 3;
#endif
}

template <int kKernel, int kStride>
static void AddTapGradients(const float* a, const float* const* d, float* const* gradient, int lines,
                            std::int64_t width) {
  constexpr int kMost = MostLines<kKernel>();
  for (int y = 0; y < lines;) {
    const int left = lines - y;
    // 4 = 2 + 2 rather than 3 + 1.
    const int now = left >= kMost ? (left == kMost + 1 && kMost == 3 ? 2 : kMost) : left;
    switch (now) {
      case 1:
        TapGradients<kKernel, kStride, 1>(a, d + y, gradient + y, width);
        break;
      case 2:
        if constexpr (kMost >= 2) TapGradients<kKernel, kStride, 2>(a, d + y, gradient + y, width);
        break;
      case 3:
        if constexpr (kMost >= 3) TapGradients<kKernel, kStride, 3>(a, d + y, gradient + y, width);
        break;
      case 4:
        if constexpr (kMost >= 4) TapGradients<kKernel, kStride, 4>(a, d + y, gradient + y, width);
        break;
      default:
        if constexpr (kMost >= 5) TapGradients<kKernel, kStride, 5>(a, d + y, gradient + y, width);
        break;
    }
    y += now;
  }
}
