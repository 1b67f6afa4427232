// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "aligned_buffer.h"
#include "batch_norm.h"
#include "nas/kernels/mbconv.h"
#include "stages.h"

namespace nas::detail {

/// Throws kInternal for what the kernels do not do.
void CheckShape(const MbconvShape& shape);

/// Runs items on the pool, or here where they are over before other threads would have begun; `work`: values touched.
inline void RunItems(const WorkerPool& pool, std::int64_t items, std::int64_t work, const WorkerPool::Body& body) {
  constexpr std::int64_t kWorthThreads = 1 << 16;
  if (work >= kWorthThreads) return pool.run(items, body);
  for (std::int64_t i = 0; i < items; ++i) body(i, 0);
}

/// A pass over the pixels of a map, cut into items. The cut depends on the shape alone, so that sums have the same bits
/// on any number of threads.
struct RowPlan {
  std::int64_t rows = 0;
  std::int64_t rows_per_item = 0;
  std::int64_t tile_rows = 0;
  std::int64_t items = 0;

  RowRange Item(std::int64_t item) const;
};

/// `partial_floats`: what each item adds up on its own (a weight gradient); few items where it is large.
RowPlan PlanRows(std::int64_t rows, std::int64_t hidden, std::int64_t partial_floats);

/// A weight gradient summed panel by panel: panels times chunks of rows.
struct PanelPlan {
  std::int64_t rows = 0, rows_per_chunk = 0, chunks = 0, panels = 0;
  std::int64_t items() const { return panels * chunks; }
  PanelItem Item(std::int64_t item) const;
};
PanelPlan PlanPanels(std::int64_t rows, std::int64_t panels);
constexpr std::int64_t kPanelTileRows = 256;

/// Whether that beats a matrix of sums per item: where rows are few and the matrix is large, clearing and joining those
/// costs more than reading the maps once more.
bool SumsByPanel(std::int64_t rows, std::int64_t narrow, std::int64_t hidden);

/// A depthwise pass: groups of images times blocks of channels.
struct DepthwisePlan {
  std::int64_t images = 0, images_per_group = 0, groups = 0, blocks = 0;
  std::int64_t items() const { return groups * blocks; }
  std::int64_t Group(std::int64_t item) const { return item / blocks; }
  DepthwiseItem Item(std::int64_t item) const;
};
DepthwisePlan PlanDepthwise(const MbconvShape& shape);

/// The parts of MbconvSaved::stats.
struct SavedStats {
  float* x_shift = nullptr;
  NormStats norms[3];
};
SavedStats SplitStats(const MbconvShape& shape, float* stats);

StageActivation ToStage(FusedActivation act);

/// BN and activation in front of the depthwise convolution; without `expand` it reads x as it is: factor 1, offset 0.
/// `ones_and_zeros` is 2·Padded(hidden) floats for that.
NormAct FirstNormAct(const MbconvShape& shape, const SavedStats& stats, float* ones_and_zeros);

/// Whether a map is so large that it had better not pass through the cache on its way to memory.
bool Streams(const float* map, std::int64_t pixels, std::int64_t channels);

}  // namespace nas::detail
