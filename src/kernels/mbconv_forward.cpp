// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <vector>

#include "mbconv_plan.h"

namespace nas {
namespace {

using detail::AlignedBuffer;
using detail::NormAct;
using detail::Padded;
using detail::StageActivation;

/// a[c] = act(factor·pixel + offset) for all channels of one pixel.
void ActivatePixel(const NormAct& norm, const float* pixel, std::vector<float>* a) {
  const std::size_t channels = a->size();
  for (std::size_t c = 0; c < channels; ++c) (*a)[c] = norm.factor[c] * pixel[c] + norm.offset[c];
  switch (norm.act) {
    case StageActivation::kNone:
      break;
    case StageActivation::kRelu:
      for (float& t : *a) t = std::max(t, 0.0f);
      break;
    case StageActivation::kRelu6:
      for (float& t : *a) t = std::clamp(t, 0.0f, 6.0f);
      break;
    case StageActivation::kHSwish:
      for (float& t : *a) t *= std::clamp(t + 3, 0.0f, 6.0f) / 6;
      break;
  }
}

/// Runs the passes of one forward call.
class Forward {
 public:
  Forward(const MbconvShape& shape, const MbconvWeights& weights, MbconvStatistics statistics, const float* x, float* y,
          const MbconvSaved& saved, const WorkerPool& pool, const detail::Stages& stages)
      : shape_(shape),
        weights_(weights),
        statistics_(statistics),
        x_(x),
        y_(y),
        saved_(saved),
        stats_(detail::SplitStats(shape, saved.stats)),
        pool_(pool),
        stages_(stages) {}

  void Run() {
    if (shape_.expand) Expand();
    Depthwise();
    Project();
    Output();
  }

 private:
  bool BatchStatistics() const { return statistics_ != MbconvStatistics::kRunning; }

  /// Mean of a few pixels of x: z1 is computed of x less that.
  void ShiftInput() {
    constexpr std::int64_t kMostSamples = 64;
    std::vector<double> sum(static_cast<std::size_t>(shape_.in), 0.0);
    const std::int64_t samples = BatchStatistics() ? std::min(kMostSamples, shape_.pixels()) : 0;
    for (std::int64_t i = 0; i < samples; ++i) {
      const float* row = x_ + (i * shape_.pixels() / samples) * shape_.in;
      for (std::int64_t c = 0; c < shape_.in; ++c) sum[static_cast<std::size_t>(c)] += static_cast<double>(row[c]);
    }
    std::fill(stats_.x_shift, stats_.x_shift + Padded(shape_.in), 0.0f);
    for (std::int64_t c = 0; c < shape_.in && samples > 0; ++c) {
      stats_.x_shift[c] = static_cast<float>(sum[static_cast<std::size_t>(c)] / static_cast<double>(samples));
    }
  }

  /// What z1 lacks because of ShiftInput, W1·x_shift, for one chunk of channels.
  void ExpandShift(std::int64_t chunk, std::vector<float>* shift) const {
    const std::int64_t end = std::min(shape_.hidden, (chunk + 1) * kShiftChunk);
    for (std::int64_t c = chunk * kShiftChunk; c < end; ++c) {
      const float* w = weights_.expand + c * shape_.in;
      double sums[4] = {};
      std::int64_t i = 0;
      for (; i + 4 <= shape_.in; i += 4) {
        for (std::int64_t j = 0; j < 4; ++j) {
          sums[j] += static_cast<double>(w[i + j]) * static_cast<double>(stats_.x_shift[i + j]);
        }
      }
      for (; i < shape_.in; ++i) sums[0] += static_cast<double>(w[i]) * static_cast<double>(stats_.x_shift[i]);
      (*shift)[static_cast<std::size_t>(c)] = static_cast<float>((sums[0] + sums[1]) + (sums[2] + sums[3]));
    }
  }

  /// Mean of z2 over the pixels in the middle of a few images.
  std::vector<float> DepthwiseShift(const float* input, const NormAct& norm) const {
    std::vector<float> shift(static_cast<std::size_t>(Padded(shape_.hidden)), 0.0f);
    if (!BatchStatistics()) return shift;
    constexpr std::int64_t kMostSamples = 2;
    const std::int64_t samples = std::min(kMostSamples, shape_.batch);
    std::vector<float> a(static_cast<std::size_t>(shape_.hidden));
    const std::int64_t taps = shape_.kernel * shape_.kernel;
    for (std::int64_t i = 0; i < samples; ++i) {
      const std::int64_t n = i * shape_.batch / samples;
      for (std::int64_t t = 0; t < taps; ++t) {
        const std::int64_t h = shape_.out_height() / 2 * shape_.stride + t / shape_.kernel - shape_.kernel / 2;
        const std::int64_t w = shape_.out_width() / 2 * shape_.stride + t % shape_.kernel - shape_.kernel / 2;
        if (h < 0 || w < 0 || h >= shape_.height || w >= shape_.width) continue;
        const float* pixel = input + ((n * shape_.height + h) * shape_.width + w) * shape_.hidden;
        ActivatePixel(norm, pixel, &a);
        for (std::int64_t c = 0; c < shape_.hidden; ++c) {
          shift[static_cast<std::size_t>(c)] += a[static_cast<std::size_t>(c)] * weights_.depthwise[c * taps + t];
        }
      }
    }
    for (float& s : shift) s /= static_cast<float>(samples);
    return shift;
  }

  /// W3 times the mean of a few pixels of a2.
  std::vector<float> ProjectShift(const NormAct& norm) const {
    std::vector<float> shift(static_cast<std::size_t>(Padded(shape_.out)), 0.0f);
    if (!BatchStatistics()) return shift;
    constexpr std::int64_t kMostSamples = 32;
    const std::int64_t samples = std::min(kMostSamples, shape_.out_pixels());
    std::vector<float> a(static_cast<std::size_t>(shape_.hidden)), mean(a.size(), 0.0f);
    for (std::int64_t i = 0; i < samples; ++i) {
      ActivatePixel(norm, saved_.z2 + (i * shape_.out_pixels() / samples) * shape_.hidden, &a);
      for (std::size_t c = 0; c < a.size(); ++c) mean[c] += a[c];
    }
    // Eight sums: a single one would wait for each of its additions.
    for (std::int64_t o = 0; o < shape_.out; ++o) {
      const float* w = weights_.project + o * shape_.hidden;
      float sums[8] = {};
      std::int64_t c = 0;
      for (; c + 8 <= shape_.hidden; c += 8) {
        for (std::int64_t j = 0; j < 8; ++j) sums[j] += w[c + j] * mean[static_cast<std::size_t>(c + j)];
      }
      for (; c < shape_.hidden; ++c) sums[0] += w[c] * mean[static_cast<std::size_t>(c)];
      float sum = 0;
      for (const float s : sums) sum += s;
      shift[static_cast<std::size_t>(o)] = sum / static_cast<float>(samples);
    }
    return shift;
  }

  AlignedBuffer ZeroSums(std::int64_t items, std::int64_t channels) const {
    AlignedBuffer sums(items * 2 * Padded(channels));
    std::fill(sums.data(), sums.data() + items * 2 * Padded(channels), 0.0f);
    return sums;
  }

  void FinishNorm(int which, const AlignedBuffer& sums, std::int64_t items, std::int64_t channels, std::int64_t count,
                  const float* shift) {
    if (BatchStatistics()) {
      detail::FinishBatchStatistics({sums.data(), items, channels}, count, shift, weights_.norms[which],
                                    statistics_ == MbconvStatistics::kBatchAndTrack, stats_.norms[which]);
    } else {
      detail::UseRunningStatistics(channels, weights_.norms[which], stats_.norms[which]);
    }
  }

  void Expand() {
    ShiftInput();
    const std::vector<float> zeros(static_cast<std::size_t>(Padded(shape_.hidden)), 0.0f);
    std::vector<float> lacking = zeros;
    AlignedBuffer packed(shape_.in * Padded(shape_.hidden));
    const std::int64_t panels = stages_.panels(shape_.hidden);
    // Only the running mean asks for what z1 lacks.
    const bool track = statistics_ == MbconvStatistics::kBatchAndTrack;
    const std::int64_t chunks = track ? (shape_.hidden + kShiftChunk - 1) / kShiftChunk : 0;
    detail::RunItems(pool_, panels + chunks, 2 * shape_.in * shape_.hidden, [&](std::int64_t item, int) {
      if (item < panels) {
        stages_.pack_panel(weights_.expand, shape_.in, shape_.hidden, 1, shape_.in, item, packed.data());
      } else {
        ExpandShift(item - panels, &lacking);
      }
    });
    const detail::RowPlan plan = detail::PlanRows(shape_.pixels(), shape_.hidden, 0);
    const AlignedBuffer sums = ZeroSums(plan.items, shape_.hidden);
    const std::int64_t scratch_floats = detail::RowScratch(plan.tile_rows, shape_.in, shape_.hidden);
    const AlignedBuffer scratch(pool_.workers * scratch_floats);
    const detail::ExpandArgs args{
        x_,        stats_.x_shift, packed.data(), zeros.data(),
        saved_.z1, shape_.in,      shape_.hidden, detail::Streams(saved_.z1, shape_.pixels(), shape_.hidden)};
    pool_.run(plan.items, [&](std::int64_t item, int worker) {
      stages_.expand(args, plan.Item(item), sums.data() + item * 2 * Padded(shape_.hidden),
                     scratch.data() + worker * scratch_floats);
    });
    FinishNorm(0, sums, plan.items, shape_.hidden, shape_.pixels(), lacking.data());
  }

  void Depthwise() {
    AlignedBuffer identity(2 * Padded(shape_.hidden));
    detail::DepthwiseArgs args;
    args.norm = detail::FirstNormAct(shape_, stats_, identity.data());
    args.input = shape_.expand ? saved_.z1 : x_;
    args.weights = weights_.depthwise;
    const std::vector<float> shift = DepthwiseShift(args.input, args.norm);
    args.shift = shift.data();
    args.z = saved_.z2;
    args.height = shape_.height;
    args.width = shape_.width;
    args.out_height = shape_.out_height();
    args.out_width = shape_.out_width();
    args.channels = shape_.hidden;
    args.kernel = shape_.kernel;
    args.stride = shape_.stride;
    args.stream = detail::Streams(args.z, shape_.out_pixels(), shape_.hidden);
    const detail::DepthwisePlan plan = detail::PlanDepthwise(shape_);
    const AlignedBuffer sums = ZeroSums(plan.groups, shape_.hidden);
    const std::int64_t scratch_floats = detail::DepthwiseScratch(shape_.width, shape_.kernel);
    const AlignedBuffer scratch(pool_.workers * scratch_floats);
    pool_.run(plan.items(), [&](std::int64_t item, int worker) {
      stages_.depthwise(args, plan.Item(item), sums.data() + plan.Group(item) * 2 * Padded(shape_.hidden),
                        scratch.data() + worker * scratch_floats);
    });
    FinishNorm(1, sums, plan.groups, shape_.hidden, shape_.out_pixels(), shift.data());
  }

  void Project() {
    AlignedBuffer packed(shape_.hidden * Padded(shape_.out));
    detail::RunItems(pool_, stages_.panels(shape_.out), 2 * shape_.hidden * shape_.out, [&](std::int64_t item, int) {
      stages_.pack_panel(weights_.project, shape_.hidden, shape_.out, 1, shape_.hidden, item, packed.data());
    });
    const NormAct norm{stats_.norms[1].factor, stats_.norms[1].offset, detail::ToStage(shape_.act)};
    const std::vector<float> shift = ProjectShift(norm);
    const detail::ProjectArgs args{saved_.z2, norm, packed.data(), shift.data(), saved_.z3, shape_.hidden, shape_.out};
    const detail::RowPlan plan = detail::PlanRows(shape_.out_pixels(), shape_.hidden, 0);
    const AlignedBuffer sums = ZeroSums(plan.items, shape_.out);
    const std::int64_t scratch_floats = detail::RowScratch(plan.tile_rows, shape_.out, shape_.hidden);
    const AlignedBuffer scratch(pool_.workers * scratch_floats);
    pool_.run(plan.items, [&](std::int64_t item, int worker) {
      stages_.project(args, plan.Item(item), sums.data() + item * 2 * Padded(shape_.out),
                      scratch.data() + worker * scratch_floats);
    });
    FinishNorm(2, sums, plan.items, shape_.out, shape_.out_pixels(), shift.data());
  }

  void Output() {
    const detail::OutputArgs args{saved_.z3,
                                  {stats_.norms[2].factor, stats_.norms[2].offset, StageActivation::kNone},
                                  shape_.shortcut ? x_ : nullptr,
                                  y_,
                                  shape_.out};
    const detail::RowPlan plan = detail::PlanRows(shape_.out_pixels(), shape_.hidden, 0);
    detail::RunItems(pool_, plan.items, shape_.out_pixels() * shape_.out,
                     [&](std::int64_t item, int) { stages_.output(args, plan.Item(item)); });
  }

  static constexpr std::int64_t kShiftChunk = 64;

  const MbconvShape& shape_;
  const MbconvWeights& weights_;
  MbconvStatistics statistics_;
  const float* x_;
  float* y_;
  const MbconvSaved& saved_;
  detail::SavedStats stats_;
  const WorkerPool& pool_;
  const detail::Stages& stages_;
};

}  // namespace

void MbconvForward(const MbconvShape& shape, const MbconvWeights& weights, MbconvStatistics statistics, const float* x,
                   float* y, const MbconvSaved& saved, const WorkerPool& pool, const MbconvOptions& options) {
  detail::CheckShape(shape);
  Forward(shape, weights, statistics, x, y, saved, pool, detail::StagesOf(options.instructions)).Run();
}

}  // namespace nas
