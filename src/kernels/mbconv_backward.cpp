// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <vector>

#include "mbconv_plan.h"

namespace nas {
namespace {

using detail::AlignedBuffer;
using detail::kBlockRows;
using detail::NormAct;
using detail::NormGradient;
using detail::Padded;
using detail::PartialSums;
using detail::RoundUp;

AlignedBuffer Zeros(std::int64_t floats) {
  AlignedBuffer buffer(floats);
  std::fill(buffer.data(), buffer.data() + floats, 0.0f);
  return buffer;
}

/// Coefficients of BN's backward pass.
class NormGradientBuffer {
 public:
  explicit NormGradientBuffer(std::int64_t channels) : step_(Padded(channels)), data_(3 * step_) {}
  float* grad() const { return data_.data(); }
  float* value() const { return data_.data() + step_; }
  float* constant() const { return data_.data() + 2 * step_; }
  NormGradient View() const { return {grad(), value(), constant()}; }

 private:
  std::int64_t step_;
  AlignedBuffer data_;
};

/// Runs the passes of one backward call, last layer first.
class Backward {
 public:
  Backward(const MbconvShape& shape, const MbconvWeights& weights, MbconvStatistics statistics, const float* x,
           const float* dy, const MbconvSaved& saved, const MbconvGradients& gradients, const WorkerPool& pool,
           const detail::Stages& stages)
      : shape_(shape),
        weights_(weights),
        batch_statistics_(statistics != MbconvStatistics::kRunning),
        x_(x),
        dy_(dy),
        saved_(saved),
        z1_(saved.z1),
        stats_(detail::SplitStats(shape, saved.stats)),
        gradients_(gradients),
        pool_(pool),
        stages_(stages) {}

  void Run() {
    const NormGradientBuffer norm3 = OutputNorm();
    AlignedBuffer g2(shape_.out_pixels() * shape_.hidden);
    const NormGradientBuffer norm2 = Project(norm3.View(), g2.data());
    if (!shape_.expand) {
      Depthwise(norm2.View(), g2.data(), gradients_.x);
      return;
    }
    const AlignedBuffer again(z1_ == nullptr ? shape_.pixels() * shape_.hidden : 0);
    if (z1_ == nullptr) ExpandAgain(again.data());
    AlignedBuffer g1(shape_.pixels() * shape_.hidden);
    const NormGradientBuffer norm1 = Depthwise(norm2.View(), g2.data(), g1.data());
    g2 = AlignedBuffer();
    Expand(norm1.View(), g1.data());
  }

 private:
  NormGradientBuffer FinishNorm(int which, const AlignedBuffer& sums, std::int64_t items, std::int64_t channels,
                                std::int64_t count) const {
    NormGradientBuffer norm(channels);
    detail::FinishNormGradient({sums.data(), items, channels}, count, batch_statistics_, stats_.norms[which],
                               norm.grad(), norm.value(), norm.constant(), gradients_.scale[which],
                               gradients_.shift[which]);
    return norm;
  }

  NormGradientBuffer OutputNorm() const {
    const detail::OutputSumsArgs args{dy_, saved_.z3, stats_.norms[2].mean, shape_.out};
    const detail::RowPlan plan = detail::PlanRows(shape_.out_pixels(), shape_.hidden, 0);
    const AlignedBuffer sums = Zeros(plan.items * 2 * Padded(shape_.out));
    detail::RunItems(pool_, plan.items, shape_.out_pixels() * shape_.out, [&](std::int64_t item, int) {
      stages_.output_sums(args, plan.Item(item), sums.data() + item * 2 * Padded(shape_.out));
    });
    return FinishNorm(2, sums, plan.items, shape_.out, shape_.out_pixels());
  }

  NormGradientBuffer Project(const NormGradient& norm3, float* g2) const {
    AlignedBuffer packed(shape_.out * Padded(shape_.hidden));
    detail::RunItems(pool_, stages_.panels(shape_.hidden), shape_.hidden * shape_.out, [&](std::int64_t item, int) {
      stages_.pack_panel(weights_.project, shape_.out, shape_.hidden, shape_.hidden, 1, item, packed.data());
    });
    detail::ProjectGradArgs args;
    args.dy = dy_;
    args.z3 = saved_.z3;
    args.norm3 = norm3;
    args.z2 = saved_.z2;
    args.norm2 = {stats_.norms[1].factor, stats_.norms[1].offset, detail::ToStage(shape_.act)};
    args.mean2 = stats_.norms[1].mean;
    args.packed = packed.data();
    args.g = g2;
    args.hidden = shape_.hidden;
    args.out = shape_.out;
    args.stream = detail::Streams(g2, shape_.out_pixels(), shape_.hidden);
    const std::int64_t rows = shape_.out_pixels();
    const bool weights = gradients_.project != nullptr;
    const bool by_panel = weights && detail::SumsByPanel(rows, shape_.out, shape_.hidden);
    const AlignedBuffer dz3(by_panel ? RoundUp(rows, kBlockRows) * detail::TileStride(shape_.out) : 0);
    if (by_panel) args.dz3 = dz3.data();
    const std::int64_t partial = weights && !by_panel ? detail::PartialSize(shape_.out, shape_.hidden) : 0;
    const detail::RowPlan plan = detail::PlanRows(rows, shape_.hidden, partial);
    const AlignedBuffer sums = Zeros(plan.items * 2 * Padded(shape_.hidden));
    const AlignedBuffer partials(plan.items * partial);
    const std::int64_t scratch_floats = detail::RowScratch(plan.tile_rows, shape_.out, shape_.hidden);
    const AlignedBuffer scratch(pool_.workers * scratch_floats);
    pool_.run(plan.items, [&](std::int64_t item, int worker) {
      float* dweights = partial == 0 ? nullptr : partials.data() + item * partial;
      std::fill(dweights, dweights + partial, 0.0f);
      stages_.project_grad(args, plan.Item(item), sums.data() + item * 2 * Padded(shape_.hidden), dweights,
                           scratch.data() + worker * scratch_floats);
    });
    if (partial != 0) {
      detail::RunItems(pool_, shape_.out, plan.items * partial, [&](std::int64_t row, int) {
        float* to = gradients_.project + row * shape_.hidden;
        const float* from = partials.data() + row * Padded(shape_.hidden);
        for (std::int64_t c = 0; c < shape_.hidden; ++c) to[c] = from[c];
        for (std::int64_t i = 1; i < plan.items; ++i) {
          const float* more = from + i * partial;
          for (std::int64_t c = 0; c < shape_.hidden; ++c) to[c] += more[c];
        }
      });
    }
    if (by_panel) {
      SumByPanel(
          rows, shape_.out,
          [&](const detail::PanelItem& item, float* sum, float* tile) {
            stages_.project_weights(args, item, sum, tile);
          },
          [&](const detail::Panel& panel, std::int64_t columns, const float* sum) {
            for (std::int64_t row = 0; row < shape_.out; ++row) {
              const float* from = sum + row * panel.columns;
              std::copy(from, from + columns, gradients_.project + row * shape_.hidden + panel.first);
            }
          });
    }
    return FinishNorm(1, sums, plan.items, shape_.hidden, shape_.out_pixels());
  }

  /// z1 as the forward pass had it.
  void ExpandAgain(float* z1) {
    const AlignedBuffer packed(shape_.in * Padded(shape_.hidden));
    detail::RunItems(pool_, stages_.panels(shape_.hidden), 2 * shape_.in * shape_.hidden, [&](std::int64_t item, int) {
      stages_.pack_panel(weights_.expand, shape_.in, shape_.hidden, 1, shape_.in, item, packed.data());
    });
    const AlignedBuffer zeros = Zeros(Padded(shape_.hidden));
    const detail::RowPlan plan = detail::PlanRows(shape_.pixels(), shape_.hidden, 0);
    const std::int64_t sum_floats = 2 * Padded(shape_.hidden);
    const AlignedBuffer unused_sums = Zeros(pool_.workers * sum_floats);
    const std::int64_t scratch_floats = detail::RowScratch(plan.tile_rows, shape_.in, shape_.hidden);
    const AlignedBuffer scratch(pool_.workers * scratch_floats);
    const detail::ExpandArgs args{
        x_, stats_.x_shift, packed.data(), zeros.data(),
        z1, shape_.in,      shape_.hidden, detail::Streams(z1, shape_.pixels(), shape_.hidden)};
    pool_.run(plan.items, [&](std::int64_t item, int worker) {
      stages_.expand(args, plan.Item(item), unused_sums.data() + worker * sum_floats,
                     scratch.data() + worker * scratch_floats);
    });
    z1_ = z1;
  }

  NormGradientBuffer Depthwise(const NormGradient& norm2, const float* g2, float* g1) const {
    AlignedBuffer identity(2 * Padded(shape_.hidden));
    detail::DepthwiseGradArgs args;
    args.g2 = g2;
    args.z2 = saved_.z2;
    args.norm2 = norm2;
    args.input = shape_.expand ? z1_ : x_;
    args.norm1 = detail::FirstNormAct(shape_, stats_, identity.data());
    args.mean1 = stats_.norms[0].mean;
    args.weights = weights_.depthwise;
    args.shortcut = !shape_.expand && shape_.shortcut ? dy_ : nullptr;
    args.g = g1;
    args.height = shape_.height;
    args.width = shape_.width;
    args.out_height = shape_.out_height();
    args.out_width = shape_.out_width();
    args.channels = shape_.hidden;
    args.kernel = shape_.kernel;
    args.stride = shape_.stride;
    args.stream = detail::Streams(g1, shape_.pixels(), shape_.hidden);
    const detail::DepthwisePlan plan = detail::PlanDepthwise(shape_);
    const AlignedBuffer sums = Zeros(plan.groups * 2 * Padded(shape_.hidden));
    const std::int64_t taps = shape_.kernel * shape_.kernel;
    const std::int64_t partial = gradients_.depthwise == nullptr ? 0 : taps * Padded(shape_.hidden);
    const AlignedBuffer partials = Zeros(plan.groups * partial);
    const std::int64_t scratch_floats = detail::DepthwiseScratch(shape_.width, shape_.kernel);
    const AlignedBuffer scratch(pool_.workers * scratch_floats);
    pool_.run(plan.items(), [&](std::int64_t item, int worker) {
      const std::int64_t group = plan.Group(item);
      stages_.depthwise_grad(args, plan.Item(item), sums.data() + group * 2 * Padded(shape_.hidden),
                             partial == 0 ? nullptr : partials.data() + group * partial,
                             scratch.data() + worker * scratch_floats);
    });
    if (partial != 0) {
      detail::RunItems(pool_, plan.blocks, plan.groups * partial, [&](std::int64_t block, int) {
        const std::int64_t first = block * detail::kChannelBlock;
        const std::int64_t end = std::min(shape_.hidden, first + detail::kChannelBlock);
        for (std::int64_t tap = 0; tap < taps; ++tap) {
          float* sum = partials.data() + tap * Padded(shape_.hidden);
          for (std::int64_t g = 1; g < plan.groups; ++g) {
            const float* more = sum + g * partial;
            for (std::int64_t c = first; c < end; ++c) sum[c] += more[c];
          }
          for (std::int64_t c = first; c < end; ++c) gradients_.depthwise[c * taps + tap] = sum[c];
        }
      });
    }
    if (!shape_.expand) return NormGradientBuffer(0);
    return FinishNorm(0, sums, plan.groups, shape_.hidden, shape_.pixels());
  }

  void Expand(const NormGradient& norm1, const float* g1) const {
    AlignedBuffer packed(shape_.hidden * Padded(shape_.in));
    detail::RunItems(pool_, stages_.panels(shape_.in), shape_.hidden * shape_.in, [&](std::int64_t item, int) {
      stages_.pack_panel(weights_.expand, shape_.hidden, shape_.in, shape_.in, 1, item, packed.data());
    });
    detail::ExpandGradArgs args;
    args.g1 = g1;
    args.z1 = z1_;
    args.norm1 = norm1;
    args.x = x_;
    args.x_shift = stats_.x_shift;
    args.packed = packed.data();
    args.shortcut = shape_.shortcut ? dy_ : nullptr;
    args.dx = gradients_.x;
    args.in = shape_.in;
    args.hidden = shape_.hidden;
    if (gradients_.expand == nullptr && gradients_.x == nullptr) return;
    const std::int64_t rows = shape_.pixels();
    const bool weights = gradients_.expand != nullptr;
    const bool by_panel = weights && detail::SumsByPanel(rows, shape_.in, shape_.hidden);
    const AlignedBuffer x_tile(by_panel ? RoundUp(rows, kBlockRows) * detail::TileStride(shape_.in) : 0);
    if (by_panel) args.x_tile = x_tile.data();
    const std::int64_t partial = weights && !by_panel ? detail::PartialSize(shape_.in, shape_.hidden) : 0;
    const detail::RowPlan plan = detail::PlanRows(rows, shape_.hidden, partial);
    const AlignedBuffer partials(plan.items * partial);
    const std::int64_t scratch_floats = detail::RowScratch(plan.tile_rows, shape_.in, shape_.hidden);
    const AlignedBuffer scratch(pool_.workers * scratch_floats);
    pool_.run(plan.items, [&](std::int64_t item, int worker) {
      float* dweights = partial == 0 ? nullptr : partials.data() + item * partial;
      std::fill(dweights, dweights + partial, 0.0f);
      stages_.expand_grad(args, plan.Item(item), dweights, scratch.data() + worker * scratch_floats);
    });
    if (partial != 0) {
      detail::RunItems(pool_, shape_.in, plan.items * partial, [&](std::int64_t row, int) {
        float* sum = partials.data() + row * Padded(shape_.hidden);
        for (std::int64_t i = 1; i < plan.items; ++i) {
          const float* more = sum + i * partial;
          for (std::int64_t c = 0; c < shape_.hidden; ++c) sum[c] += more[c];
        }
        for (std::int64_t c = 0; c < shape_.hidden; ++c) gradients_.expand[c * shape_.in + row] = sum[c];
      });
    }
    if (by_panel) {
      SumByPanel(
          rows, shape_.in,
          [&](const detail::PanelItem& item, float* sum, float* tile) {
            stages_.expand_weights(args, item, sum, tile);
          },
          [&](const detail::Panel& panel, std::int64_t columns, const float* sum) {
            for (std::int64_t c = 0; c < columns; ++c) {
              float* to = gradients_.expand + (panel.first + c) * shape_.in;
              for (std::int64_t row = 0; row < shape_.in; ++row) to[row] = sum[row * panel.columns + c];
            }
          });
    }
  }

  /// Runs `add` (item, sums, scratch) for the items of a weight gradient [narrow][hidden], and `store` (panel, columns
  /// in use, sums) for its panels.
  template <typename Add, typename Store>
  void SumByPanel(std::int64_t rows, std::int64_t narrow, const Add& add, const Store& store) const {
    const detail::PanelPlan plan = detail::PlanPanels(rows, stages_.panels(shape_.hidden));
    const std::int64_t partial = RoundUp(narrow, kBlockRows) * detail::kPanelColumns;
    const AlignedBuffer partials(plan.items() * partial);
    const std::int64_t scratch_floats = detail::PanelScratch(detail::kPanelTileRows);
    const AlignedBuffer scratch(pool_.workers * scratch_floats);
    const auto finish = [&](std::int64_t index) {
      const detail::Panel panel = stages_.panel_at(shape_.hidden, index);
      float* sum = partials.data() + index * plan.chunks * partial;
      for (std::int64_t i = 1; i < plan.chunks; ++i) {
        const float* more = sum + i * partial;
        for (std::int64_t k = 0; k < narrow * panel.columns; ++k) sum[k] += more[k];
      }
      store(panel, std::min(panel.columns, shape_.hidden - panel.first), sum);
    };
    pool_.run(plan.items(), [&](std::int64_t item, int worker) {
      add(plan.Item(item), partials.data() + item * partial, scratch.data() + worker * scratch_floats);
      if (plan.chunks == 1) finish(item);
    });
    if (plan.chunks == 1) return;
    detail::RunItems(pool_, plan.panels, plan.items() * partial, [&](std::int64_t index, int) { finish(index); });
  }

  const MbconvShape& shape_;
  const MbconvWeights& weights_;
  bool batch_statistics_;
  const float* x_;
  const float* dy_;
  const MbconvSaved& saved_;
  const float* z1_;
  detail::SavedStats stats_;
  const MbconvGradients& gradients_;
  const WorkerPool& pool_;
  const detail::Stages& stages_;
};

}  // namespace

void MbconvBackward(const MbconvShape& shape, const MbconvWeights& weights, MbconvStatistics statistics, const float* x,
                    const float* dy, const MbconvSaved& saved, const MbconvGradients& gradients, const WorkerPool& pool,
                    const MbconvOptions& options) {
  detail::CheckShape(shape);
  Backward(shape, weights, statistics, x, dy, saved, gradients, pool, detail::StagesOf(options.instructions)).Run();
}

}  // namespace nas
