// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "nas/kernels/instruction_set.h"
#include "nas/kernels/worker_pool.h"

namespace nas {

enum class FusedActivation { kRelu, kRelu6, kHSwish };

/// Inverted residual block (MobileNetV2, Sandler et al. 2018) in one op, NHWC, float32:
///   z1 = x·W1ᵀ, a1 = act(BN1(z1)) (both absent without `expand`: a1 = x) → z2 = depthwise k×k of a1, padding ⌊k/2⌋,
///   a2 = act(BN2(z2)) → z3 = a2·W3ᵀ, y = BN3(z3) [+ x].
struct MbconvShape {
  std::int64_t batch = 0, height = 0, width = 0;  ///< of the input
  std::int64_t in = 0, hidden = 0, out = 0;       ///< channels; without `expand` hidden = in
  int kernel = 3;                                 ///< 3, 5 or 7
  int stride = 1;                                 ///< 1 or 2
  bool expand = true;
  bool shortcut = false;  ///< + x; needs stride 1 and in = out
  FusedActivation act = FusedActivation::kRelu6;

  std::int64_t out_height() const { return (height - 1) / stride + 1; }
  std::int64_t out_width() const { return (width - 1) / stride + 1; }
  std::int64_t pixels() const { return batch * height * width; }
  std::int64_t out_pixels() const { return batch * out_height() * out_width(); }
};

/// One batch normalisation; arrays of one value per channel.
struct MbconvNorm {
  const float* scale = nullptr;
  const float* shift = nullptr;
  float* running_mean = nullptr;
  float* running_var = nullptr;
  double momentum = 0.1;
  double eps = 1e-3;
};

enum class MbconvStatistics {
  kBatch,          ///< of the batch
  kBatchAndTrack,  ///< of the batch, which also move the running ones: r ← (1 − momentum)·r + momentum·b, b unbiased
  kRunning,        ///< the running ones, which stay
};

struct MbconvWeights {
  const float* expand = nullptr;     ///< [hidden][in]
  const float* depthwise = nullptr;  ///< [hidden][k][k]
  const float* project = nullptr;    ///< [out][hidden]
  MbconvNorm norms[3];               ///< [0] unused without `expand`
};

/// What the forward pass leaves for the backward pass. Maps are stored less a per-channel constant near their mean: BN
/// does not see it, and float32 keeps its digits where |mean| ≫ σ.
struct MbconvSaved {
  float* z1 = nullptr;     ///< [pixels][hidden]; none without `expand`; backward computes it again where it is null
  float* z2 = nullptr;     ///< [out_pixels][hidden]
  float* z3 = nullptr;     ///< [out_pixels][out]
  float* stats = nullptr;  ///< MbconvStatsSize floats
};

/// Floats in MbconvSaved::stats.
std::int64_t MbconvStatsSize(const MbconvShape& shape);

/// Whether z1 had better be computed again than kept: it is large, and of so few channels of x that this costs little.
/// The bits are the same.
bool MbconvRecomputesExpansion(const MbconvShape& shape);

struct MbconvOptions {
  InstructionSet instructions = BestInstructionSet();
};

/// x [pixels][in] → y [out_pixels][out]. Throws kInternal for shapes outside what `MbconvShape` allows.
void MbconvForward(const MbconvShape& shape, const MbconvWeights& weights, MbconvStatistics statistics, const float* x,
                   float* y, const MbconvSaved& saved, const WorkerPool& pool, const MbconvOptions& options = {});

/// Where to write gradients, in the layout of the values; null = not wanted, and then not computed where that saves
/// work.
struct MbconvGradients {
  float* x = nullptr;
  float* expand = nullptr;
  float* depthwise = nullptr;
  float* project = nullptr;
  float* scale[3] = {};
  float* shift[3] = {};
};

/// dy [out_pixels][out] → gradients; `saved` as the forward pass with the same x, weights and statistics left it.
void MbconvBackward(const MbconvShape& shape, const MbconvWeights& weights, MbconvStatistics statistics, const float* x,
                    const float* dy, const MbconvSaved& saved, const MbconvGradients& gradients, const WorkerPool& pool,
                    const MbconvOptions& options = {});

}  // namespace nas
