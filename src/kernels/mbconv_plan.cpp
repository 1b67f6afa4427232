// SPDX-License-Identifier: Apache-2.0
#include "mbconv_plan.h"

#include <algorithm>

#include "nas/core/error.h"
#include "nas/core/text.h"

namespace nas {
namespace detail {

void CheckShape(const MbconvShape& s) {
  const bool kernel = s.kernel == 3 || s.kernel == 5 || s.kernel == 7;
  const bool stride = s.stride == 1 || s.stride == 2;
  const bool sizes = s.batch > 0 && s.height > 0 && s.width > 0 && s.in > 0 && s.hidden > 0 && s.out > 0;
  if (kernel && stride && sizes && (s.expand || s.hidden == s.in) &&
      (!s.shortcut || (s.stride == 1 && s.in == s.out))) {
    return;
  }
  ThrowInternal(StrCat("no fused MBConv for batch ", s.batch, ", map ", s.height, "x", s.width, ", channels ", s.in,
                       "/", s.hidden, "/", s.out, ", kernel ", s.kernel, ", stride ", s.stride));
}

RowRange RowPlan::Item(std::int64_t item) const {
  return {item * rows_per_item, std::min(rows, (item + 1) * rows_per_item), tile_rows};
}

RowPlan PlanRows(std::int64_t rows, std::int64_t hidden, std::int64_t partial_floats) {
  constexpr std::int64_t kTileFloats = 1 << 16;  // a quarter of a second-level cache of 1 MiB
  constexpr std::int64_t kMostItems = 64, kEnoughItems = 16, kFewestItems = 8;
  constexpr std::int64_t kRowsWorthWhile = 32;  // an item also reads the weights and has sums of its own
  constexpr std::int64_t kPartialFloats = 1 << 20;
  RowPlan plan;
  plan.rows = rows;
  plan.tile_rows = std::clamp<std::int64_t>(kTileFloats / hidden / kBlockRows * kBlockRows, 16, 64);
  const std::int64_t items =
      partial_floats > 0 ? std::clamp(kPartialFloats / partial_floats, kFewestItems, kMostItems) : kMostItems;
  const std::int64_t worth_while = std::min(kRowsWorthWhile, (rows + kEnoughItems - 1) / kEnoughItems);
  plan.rows_per_item = RoundUp(std::max((rows + items - 1) / items, worth_while), kBlockRows);
  plan.tile_rows = std::min(plan.tile_rows, plan.rows_per_item);
  plan.items = (rows + plan.rows_per_item - 1) / plan.rows_per_item;
  return plan;
}

PanelItem PanelPlan::Item(std::int64_t item) const {
  const std::int64_t first = item % chunks * rows_per_chunk;
  return {item / chunks, {first, std::min(rows, first + rows_per_chunk), std::min(kPanelTileRows, rows_per_chunk)}};
}

bool SumsByPanel(std::int64_t rows, std::int64_t narrow, std::int64_t hidden) {
  return PlanRows(rows, hidden, PartialSize(narrow, hidden)).items * narrow > rows;
}

PanelPlan PlanPanels(std::int64_t rows, std::int64_t panels) {
  constexpr std::int64_t kEnoughItems = 16;
  PanelPlan plan;
  plan.rows = rows;
  plan.panels = panels;
  const std::int64_t chunks = (kEnoughItems + panels - 1) / panels;
  plan.rows_per_chunk = RoundUp((rows + chunks - 1) / chunks, kBlockRows);
  plan.chunks = (rows + plan.rows_per_chunk - 1) / plan.rows_per_chunk;
  return plan;
}

DepthwiseItem DepthwisePlan::Item(std::int64_t item) const {
  const std::int64_t first = Group(item) * images_per_group;
  return {first, std::min(images, first + images_per_group), item % blocks * kChannelBlock};
}

DepthwisePlan PlanDepthwise(const MbconvShape& shape) {
  constexpr std::int64_t kMostGroups = 32, kEnoughItems = 128;
  DepthwisePlan plan;
  plan.blocks = (shape.hidden + kChannelBlock - 1) / kChannelBlock;
  const std::int64_t groups = std::min(kMostGroups, (kEnoughItems + plan.blocks - 1) / plan.blocks);
  plan.images = shape.batch;
  plan.images_per_group = (shape.batch + groups - 1) / groups;
  plan.groups = (shape.batch + plan.images_per_group - 1) / plan.images_per_group;
  return plan;
}

SavedStats SplitStats(const MbconvShape& shape, float* stats) {
  SavedStats saved;
  saved.x_shift = stats;
  stats += Padded(shape.in);
  const std::int64_t channels[3] = {shape.expand ? shape.hidden : 0, shape.hidden, shape.out};
  for (int i = 0; i < 3; ++i) {
    for (float** values :
         {&saved.norms[i].factor, &saved.norms[i].offset, &saved.norms[i].mean, &saved.norms[i].inverse_deviation}) {
      *values = stats;
      stats += Padded(channels[i]);
    }
  }
  return saved;
}

StageActivation ToStage(FusedActivation act) {
  switch (act) {
    case FusedActivation::kRelu:
      return StageActivation::kRelu;
    case FusedActivation::kRelu6:
      return StageActivation::kRelu6;
    case FusedActivation::kHSwish:
      return StageActivation::kHSwish;
  }
  ThrowInternal("an activation without code");
}

NormAct FirstNormAct(const MbconvShape& shape, const SavedStats& stats, float* ones_and_zeros) {
  if (shape.expand) return {stats.norms[0].factor, stats.norms[0].offset, ToStage(shape.act)};
  float* zeros = ones_and_zeros + Padded(shape.hidden);
  std::fill(ones_and_zeros, zeros, 1.0f);
  std::fill(zeros, zeros + Padded(shape.hidden), 0.0f);
  return {ones_and_zeros, zeros, StageActivation::kNone};
}

bool Streams(const float* map, std::int64_t pixels, std::int64_t channels) {
  constexpr std::int64_t kFloats = 6 << 20;  // 24 MiB: most of a last-level cache
  return pixels * channels > kFloats && channels % kChannelPad == 0 && reinterpret_cast<std::uintptr_t>(map) % 64 == 0;
}

}  // namespace detail

bool MbconvRecomputesExpansion(const MbconvShape& shape) {
  constexpr std::int64_t kMostChannels = 32, kFloats = 1 << 19;
  return shape.expand && shape.in <= kMostChannels && shape.pixels() * shape.hidden >= kFloats;
}

std::int64_t MbconvStatsSize(const MbconvShape& s) {
  return detail::Padded(s.in) +
         4 * ((s.expand ? detail::Padded(s.hidden) : 0) + detail::Padded(s.hidden) + detail::Padded(s.out));
}

}  // namespace nas
