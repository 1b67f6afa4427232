// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "nas/kernels/instruction_set.h"

namespace nas::detail {

// The passes over memory that make up an MBConv block. Each function works on one item of a pass; mbconv_forward.cpp
// and mbconv_backward.cpp hand out the items. Arrays "per channel" are padded with zeros to Padded(channels).

constexpr std::int64_t kChannelPad = 16;    // the widest vector
constexpr std::int64_t kChannelBlock = 32;  // channels of a depthwise item: two cache lines of a pixel
constexpr std::int64_t kBlockRows = 8;      // most rows of a GEMM kernel's block

constexpr std::int64_t RoundUp(std::int64_t n, std::int64_t step) { return (n + step - 1) / step * step; }
constexpr std::int64_t Padded(std::int64_t channels) { return RoundUp(channels, kChannelPad); }

enum class StageActivation { kNone, kRelu, kRelu6, kHSwish };

/// t = factor·z + offset, a = act(t), per channel.
struct NormAct {
  const float* factor = nullptr;
  const float* offset = nullptr;
  StageActivation act = StageActivation::kNone;
};

/// dL/dz = g·grad + z·value + constant: BN's backward pass, per channel.
struct NormGradient {
  const float* grad = nullptr;
  const float* value = nullptr;
  const float* constant = nullptr;
};

/// Pixels [first, last) of a map; tiles of tile_rows pixels stay in the cache between the parts of a pass.
struct RowRange {
  std::int64_t first = 0, last = 0;
  std::int64_t tile_rows = 64;
};

/// Columns [first, first + columns) of a packed matrix.
struct Panel {
  std::int64_t first = 0, columns = 0;
};
constexpr std::int64_t kPanelColumns = 48;  // most columns of a panel

/// A panel of the wide side of a weight gradient, and the rows to sum over.
struct PanelItem {
  std::int64_t panel = 0;
  RowRange rows;
};

/// Images [first, last) and the channels from `channel` on, up to kChannelBlock.
struct DepthwiseItem {
  std::int64_t first = 0, last = 0;
  std::int64_t channel = 0;
};

/// z = (x − x_shift)·Wᵀ − shift, and Σz, Σz² per channel.
struct ExpandArgs {
  const float* x = nullptr;
  const float* x_shift = nullptr;
  const float* packed = nullptr;  ///< in × hidden
  const float* shift = nullptr;
  float* z = nullptr;
  std::int64_t in = 0, hidden = 0;
  bool stream = false;  ///< past the cache: what is larger than it only evicts
};

/// z = depthwise(act(BN(input))) − shift, and its sums.
struct DepthwiseArgs {
  const float* input = nullptr;
  NormAct norm;
  const float* weights = nullptr;  ///< [channels][k][k]
  const float* shift = nullptr;
  float* z = nullptr;
  std::int64_t height = 0, width = 0, out_height = 0, out_width = 0, channels = 0;
  int kernel = 3, stride = 1;
  bool stream = false;
};

/// z = act(BN(input))·Wᵀ − shift, and its sums.
struct ProjectArgs {
  const float* input = nullptr;
  NormAct norm;
  const float* packed = nullptr;  ///< hidden × out
  const float* shift = nullptr;
  float* z = nullptr;
  std::int64_t hidden = 0, out = 0;
};

/// y = BN(z) [+ x].
struct OutputArgs {
  const float* z = nullptr;
  NormAct norm;
  const float* x = nullptr;
  float* y = nullptr;
  std::int64_t channels = 0;
};

/// Σdy and Σdy·(z − mean).
struct OutputSumsArgs {
  const float* dy = nullptr;
  const float* z = nullptr;
  const float* mean = nullptr;
  std::int64_t channels = 0;
};

/// From dy: dW3 and g = dL/dt2 of a2 = act(t2), with Σg and Σg·(z2 − mean2).
struct ProjectGradArgs {
  const float* dy = nullptr;
  const float* z3 = nullptr;
  NormGradient norm3;
  const float* z2 = nullptr;
  NormAct norm2;
  const float* mean2 = nullptr;
  const float* packed = nullptr;  ///< out × hidden
  float* g = nullptr;
  float* dz3 = nullptr;  ///< [rows][TileStride(out)]: where dL/dz3 stays for `project_weights`; null: it does not
  std::int64_t hidden = 0, out = 0;
  bool stream = false;
};

/// From g2: the weights' gradient and, for `input` = z1, g = dL/dt1 with Σg and Σg·(z1 − mean1); for `input` = x (no
/// activation) dL/dx [+ dy].
struct DepthwiseGradArgs {
  const float* g2 = nullptr;
  const float* z2 = nullptr;
  NormGradient norm2;
  const float* input = nullptr;
  NormAct norm1;
  const float* mean1 = nullptr;
  const float* weights = nullptr;
  const float* shortcut = nullptr;  ///< dy
  float* g = nullptr;               ///< null: not wanted
  std::int64_t height = 0, width = 0, out_height = 0, out_width = 0, channels = 0;
  int kernel = 3, stride = 1;
  bool stream = false;
};

/// From g1: dW1 and dx [+ dy].
struct ExpandGradArgs {
  const float* g1 = nullptr;
  const float* z1 = nullptr;
  NormGradient norm1;
  const float* x = nullptr;
  const float* x_shift = nullptr;
  const float* packed = nullptr;  ///< hidden × in
  const float* shortcut = nullptr;
  float* dx = nullptr;      ///< null: not wanted
  float* x_tile = nullptr;  ///< [rows][TileStride(in)]: where x − x_shift stays for `expand_weights`; null: it does not
  std::int64_t in = 0, hidden = 0;
};

/// One instruction set's build. `sums`: two arrays per channel, which the call adds to. `scratch`: RowScratch or
/// DepthwiseScratch floats. Weight gradients are added to partial matrices, which may be null.
struct Stages {
  std::int64_t (*panels)(std::int64_t columns);  ///< of a matrix with so many columns
  Panel (*panel_at)(std::int64_t columns, std::int64_t index);
  void (*pack_panel)(const float* weights, std::int64_t k, std::int64_t n, std::int64_t stride_k, std::int64_t stride_n,
                     std::int64_t index, float* packed);  ///< one panel; one of the strides is 1; k·Padded(n) floats
  void (*expand)(const ExpandArgs& args, const RowRange& rows, float* sums, float* scratch);
  void (*depthwise)(const DepthwiseArgs& args, const DepthwiseItem& item, float* sums, float* scratch);
  void (*project)(const ProjectArgs& args, const RowRange& rows, float* sums, float* scratch);
  void (*output)(const OutputArgs& args, const RowRange& rows);
  void (*output_sums)(const OutputSumsArgs& args, const RowRange& rows, float* sums);
  void (*project_grad)(const ProjectGradArgs& args, const RowRange& rows, float* sums, float* dweights, float* scratch);
  void (*depthwise_grad)(const DepthwiseGradArgs& args, const DepthwiseItem& item, float* sums, float* dweights,
                         float* scratch);
  void (*expand_grad)(const ExpandGradArgs& args, const RowRange& rows, float* dweights, float* scratch);
  /// The same weight gradients panel by panel, from `dz3` and `x_tile`: no sums as large as the matrix for every item.
  /// partial [RoundUp(narrow, kBlockRows)][columns of the panel] is set; scratch: PanelScratch floats.
  void (*project_weights)(const ProjectGradArgs& args, const PanelItem& item, float* partial, float* scratch);
  void (*expand_weights)(const ExpandGradArgs& args, const PanelItem& item, float* partial, float* scratch);
};

/// Partial dW3: [RoundUp(out, kBlockRows)][Padded(hidden)]; partial dW1ᵀ: [RoundUp(in, kBlockRows)][Padded(hidden)];
/// depthwise: [k·k][Padded(channels)].
constexpr std::int64_t PartialSize(std::int64_t narrow, std::int64_t hidden) {
  return RoundUp(narrow, kBlockRows) * Padded(hidden);
}

/// Row stride of a tile: never a multiple of the cache's way size.
constexpr std::int64_t TileStride(std::int64_t channels) { return Padded(channels) + 16; }
constexpr std::int64_t RowScratch(std::int64_t tile_rows, std::int64_t narrow, std::int64_t hidden) {
  return RoundUp(tile_rows, kBlockRows) * (TileStride(narrow) + TileStride(hidden));
}

constexpr std::int64_t PanelScratch(std::int64_t tile_rows) { return tile_rows * kPanelColumns; }

constexpr std::int64_t kEdgePixels = 24;  // beside a packed row: padding, and what a group of pixels reads too much
constexpr std::int64_t DepthwiseScratch(std::int64_t width, int kernel) {
  return kChannelBlock * ((kernel + 1) * (width + kEdgePixels) + 3 * kernel * kernel);
}

/// The build for a set; throws kInternal where it is not available.
const Stages& StagesOf(InstructionSet set);

const Stages& GenericStages();
const Stages& Avx2Stages();    // x86 only
const Stages& Avx512Stages();  // x86 only

}  // namespace nas::detail
