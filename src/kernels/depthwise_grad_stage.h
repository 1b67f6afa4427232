// SPDX-License-Identifier: Apache-2.0
// Backward pass of the depthwise convolution: data and weight gradients from one packed copy of each row. Included once
// by each stages_<set>.cpp.

// Taps of one output column phase: at stride 2 an input pixel meets every second tap only.
template <int kKernel, int kStride, int kPhase>
struct Phase {
  static constexpr int kTaps = kStride == 1 ? kKernel : (kKernel - kPhase + 1) / 2;
  static constexpr int kPad = kKernel / 2;
  // First pixel of this phase, and the packed gradient pixel (before kLeftPad) that its first, mirrored tap meets.
  static constexpr int kFirst = kStride == 1 ? 0 : (kPhase + kPad) % 2;
  static constexpr int kOffset = (kStride == 1 ? kPad : (kFirst + kPad - kPhase) / 2) - kTaps + 1;
};

// Mirrored taps of a phase: [vector][row][kTaps][lane].
template <int kKernel, int kStride, int kPhase>
static float* MirrorTaps(const float* taps, float* mirrored) {
  using P = Phase<kKernel, kStride, kPhase>;
  for (int v = 0; v < kBlockVectors; ++v) {
    for (int y = 0; y < kKernel; ++y) {
      for (int x = 0; x < P::kTaps; ++x) {
        const int source = kPhase + kStride * (P::kTaps - 1 - x);
        Store(mirrored, Load(taps + ((v * kKernel + y) * kKernel + source) * kLanes));
        mirrored += kLanes;
      }
    }
  }
  return mirrored;
}

// The rows of output gradients that meet input row `h`.
struct GradientLines {
  int tap_row[7];
  std::int64_t row[7];
  int count = 0;

  template <int kKernel, int kStride>
  static GradientLines Of(std::int64_t h, std::int64_t out_height) {
    GradientLines lines;
    for (int y = 0; y < kKernel; ++y) {
      const std::int64_t at = h + kKernel / 2 - y;
      if (at < 0 || at % kStride != 0 || at / kStride >= out_height) continue;
      lines.tap_row[lines.count] = y;
      lines.row[lines.count++] = at / kStride;
    }
    return lines;
  }
};

template <int kKernel, int kStride, int kGroup, StageActivation kAct>
class DepthwiseGradItem {
 public:
  DepthwiseGradItem(const DepthwiseGradArgs& args, const DepthwiseItem& item, float* sums, float* dweights,
                    float* scratch)
      : args_(args),
        item_(item),
        block_(args.channels - item.channel),
        sums_(sums),
        dweights_(dweights),
        ring_{scratch, RingWidth(args)},
        input_{scratch + kKernel * kBlockVectors * ring_.pixels * kLanes, ring_.pixels},
        taps_(input_.data + kBlockVectors * ring_.pixels * kLanes),
        mirrored_(taps_ + kChannelBlock * kTaps),
        gradients_(mirrored_ + kChannelBlock * kTaps) {
    ring_.ClearEdges(kKernel, args.out_width);
    input_.ClearEdges(1, args.width);
    Clear(gradients_, kChannelBlock * kTaps);
    PackTaps(args.weights + item.channel * kTaps, block_, kTaps, taps_);
    second_phase_ = MirrorTaps<kKernel, kStride, 0>(taps_, mirrored_);
    if constexpr (kStride == 2) MirrorTaps<kKernel, kStride, 1>(taps_, second_phase_);
  }

  void Run() {
    TouchMaps(item_.first);
    for (std::int64_t n = item_.first; n < item_.last; ++n) {
      if (n + 1 < item_.last) TouchMaps(n + 1);
      std::int64_t packed = 0;
      for (std::int64_t h = 0; h < args_.height; ++h) {
        const GradientLines lines = GradientLines::Of<kKernel, kStride>(h, args_.out_height);
        const std::int64_t below = (h + kKernel / 2) / kStride + 1;
        for (const std::int64_t end = below < args_.out_height ? below : args_.out_height; packed < end; ++packed) {
          PackGradients(n, packed);
        }
        if (dweights_ != nullptr) AddWeightGradients(n, h, lines);
        for (int v = 0; v < block_.vectors && args_.g != nullptr; ++v) {
          WriteRow<0>(n, h, lines, v, mirrored_, RowsAhead(n, h + 1, packed, v));
          if constexpr (kStride == 2) WriteRow<1>(n, h, lines, v, second_phase_, PixelsAhead(n, h + 1, v));
        }
      }
    }
    if (dweights_ == nullptr) return;
    for (int v = 0; v < block_.vectors; ++v) {
      for (int t = 0; t < kTaps; ++t) {
        float* to = dweights_ + t * Padded(args_.channels) + item_.channel + v * kLanes;
        Store(to, Load(to) + Load(gradients_ + (v * kTaps + t) * kLanes));
      }
    }
  }

 private:
  static constexpr int kTaps = kKernel * kKernel;

  // Pixels of a packed row: of gradients, of which each phase reads in groups, or of inputs, read pixel by pixel.
  static std::int64_t RingWidth(const DepthwiseGradArgs& args) {
    const std::int64_t phase = (args.width + kStride - 1) / kStride;
    const std::int64_t gradients = RingPixels(args.out_width, phase, kKernel, 1, kGroup);
    const std::int64_t inputs = RingPixels(args.width, args.out_width, kKernel, kStride, 1);
    return gradients > inputs ? gradients : inputs;
  }

  void TouchMaps(std::int64_t n) const {
    const std::int64_t pixels = args_.height * args_.width, out_pixels = args_.out_height * args_.out_width;
    TouchImage(args_.g2 + n * out_pixels * args_.channels + item_.channel, args_.channels, out_pixels);
    TouchImage(args_.z2 + n * out_pixels * args_.channels + item_.channel, args_.channels, out_pixels);
    TouchImage(args_.input + n * pixels * args_.channels + item_.channel, args_.channels, pixels);
  }

  void PackGradients(std::int64_t n, std::int64_t row) {
    const std::int64_t at = ((n * args_.out_height + row) * args_.out_width) * args_.channels + item_.channel;
    for (int v = 0; v < block_.vectors; ++v) {
      const std::int64_t c = item_.channel + v * kLanes;
      const NormGradient norm{args_.norm2.grad + c, args_.norm2.value + c, args_.norm2.constant + c};
      PackGradientRow(args_.g2 + at + v * kLanes, args_.z2 + at + v * kLanes, args_.channels, args_.out_width, norm,
                      block_.Count(v), ring_.Row(row % kKernel, v) + kLeftPad * kLanes);
    }
  }

  std::int64_t InputAt(std::int64_t n, std::int64_t h, int v) const {
    return ((n * args_.height + h) * args_.width) * args_.channels + item_.channel + v * kLanes;
  }

  void AddWeightGradients(std::int64_t n, std::int64_t h, const GradientLines& lines) {
    for (int v = 0; v < block_.vectors; ++v) {
      const std::int64_t c = item_.channel + v * kLanes;
      float* row = input_.Row(0, v);
      PackRow<kAct>(args_.input + InputAt(n, h, v), args_.channels, args_.width,
                    {args_.norm1.factor + c, args_.norm1.offset + c, kAct}, block_.Count(v), row + kLeftPad * kLanes);
      const float* d[7];
      float* gradient[7];
      for (int i = 0; i < lines.count; ++i) {
        d[i] = ring_.Row(lines.row[i] % kKernel, v) + kLeftPad * kLanes;
        gradient[i] = gradients_ + (v * kTaps + lines.tap_row[i] * kKernel) * kLanes;
      }
      AddTapGradients<kKernel, kStride>(row + (kLeftPad - kKernel / 2) * kLanes, d, gradient, lines.count,
                                        args_.out_width);
    }
  }

  // The next rows of gradients and, at stride 1 (or half of it), inputs.
  AheadRows RowsAhead(std::int64_t n, std::int64_t h, std::int64_t packed, int v) const {
    AheadRows ahead = PixelsAhead(n, h, v, 0);
    if (packed < args_.out_height) {
      const std::int64_t at = ((n * args_.out_height + packed) * args_.out_width) * args_.channels + item_.channel;
      ahead.Add(args_.g2 + at + v * kLanes);
      ahead.Add(args_.z2 + at + v * kLanes);
    }
    return ahead;
  }

  // Half `half` of the next row of inputs; all of it at stride 1.
  AheadRows PixelsAhead(std::int64_t n, std::int64_t h, int v, int half = 1) const {
    AheadRows ahead;
    ahead.step = args_.channels;
    ahead.output_step = kStride * args_.channels;
    if (h < args_.height) {
      ahead.Add(args_.input + InputAt(n, h, v) + half * (args_.width / kStride) * args_.channels);
      if (!args_.stream) ahead.output = args_.g + InputAt(n, h, v) + half * args_.channels;
    }
    return ahead;
  }

  template <int kPhase>
  void WriteRow(std::int64_t n, std::int64_t h, const GradientLines& lines, int v, const float* mirrored,
                const AheadRows& ahead) {
    using P = Phase<kKernel, kStride, kPhase>;
    const std::int64_t channels = args_.channels, c = item_.channel + v * kLanes;
    TapRows rows;
    rows.count = lines.count;
    for (int i = 0; i < lines.count; ++i) {
      rows.pixels[i] = ring_.Row(lines.row[i] % kKernel, v) + (kLeftPad + P::kOffset) * kLanes;
      rows.taps[i] = mirrored + (v * kKernel + lines.tap_row[i]) * P::kTaps * kLanes;
    }
    const std::int64_t at = InputAt(n, h, v) + P::kFirst * channels;
    const int count = block_.Count(v);
    const bool full = count == kLanes, stream = args_.stream;
    const std::int64_t pixels = (args_.width - P::kFirst + kStride - 1) / kStride;
    const std::int64_t step = kStride * channels;
    if constexpr (kAct == StageActivation::kNone) {
      const float* shortcut = args_.shortcut;
      ConvolveRow<P::kTaps, 1, kGroup>(
          rows, pixels, Vec{}, ahead, [&](std::int64_t w, Vec value) __attribute__((always_inline)) {
            const std::int64_t i = at + w * step;
            if (shortcut != nullptr) value += LoadUpTo(shortcut + i, count, full);
            StoreUpTo(args_.g + i, value, count, full);
          });
    } else {
      const Vec factor = Load(args_.norm1.factor + c), offset = Load(args_.norm1.offset + c);
      const Vec mean = Load(args_.mean1 + c);
      Vec s{}, q{};
      const float* input = args_.input + at;
      float* g = args_.g + at;
      ConvolveRow<P::kTaps, 1, kGroup>(
          rows, pixels, Vec{}, ahead, [&](std::int64_t w, Vec value) __attribute__((always_inline)) {
            const Vec z = LoadUpTo(input + w * step, count, full);
            value = ActGradient<kAct>(value, factor * z + offset);
            s += value;
            q += value * (z - mean);
            if (stream) {
              StoreStream(g + w * step, value);
            } else {
              StoreUpTo(g + w * step, value, count, full);
            }
          });
      float* products = sums_ + Padded(channels);
      Store(sums_ + c, Load(sums_ + c) + s);
      Store(products + c, Load(products + c) + q);
    }
  }

  const DepthwiseGradArgs& args_;
  const DepthwiseItem& item_;
  ChannelBlock block_;
  float* sums_;
  float* dweights_;
  RowRing ring_;   // gradients of the output
  RowRing input_;  // the one row of inputs
  float* taps_;
  float* mirrored_;
  float* gradients_;  // [vector][tap][lane]
  float* second_phase_ = nullptr;
};

static void DepthwiseGrad(const DepthwiseGradArgs& args, const DepthwiseItem& item, float* sums, float* dweights,
                          float* scratch) {
  const int group = GroupFor((args.width + args.stride - 1) / args.stride);
  WithKernel(args.kernel, args.stride, [&](auto kernel, auto stride) {
    WithActivation(args.norm1.act, [&](auto act) {
      constexpr int kKernel = decltype(kernel)::value, kStride = decltype(stride)::value;
      constexpr StageActivation kAct = decltype(act)::value;
      switch (group) {
        case 4:
          return DepthwiseGradItem<kKernel, kStride, 4, kAct>(args, item, sums, dweights, scratch).Run();
        case 7:
          return DepthwiseGradItem<kKernel, kStride, 7, kAct>(args, item, sums, dweights, scratch).Run();
        default:
          return DepthwiseGradItem<kKernel, kStride, 8, kAct>(args, item, sums, dweights, scratch).Run();
      }
    });
  });
}
