// SPDX-License-Identifier: Apache-2.0
#include "gradient_strategy.h"

#include <utility>

#include <torch/torch.h>

#include "nas/train/micro_batch.h"

namespace nas {
namespace {

void AddTo(Matrix values, Matrix* sum) {
  if (sum->empty()) {
    *sum = std::move(values);
    return;
  }
  for (std::size_t e = 0; e < values.size(); ++e) {
    for (std::size_t op = 0; op < values[e].size(); ++op) (*sum)[e][op] += values[e][op];
  }
}

}  // namespace

double GradientStrategy::ArchStep(SearchState& state, const SearchTarget& /*target*/, TargetState& target_state,
                                  const Batch& batch, std::int64_t update) const {
  const bool two = mode_ == GateMode::kTwo;
  ArchParameters& alphas = target_state.alphas;
  const Matrix p = alphas.Probabilities();
  std::vector<EdgeSample> sample;
  if (two) {
    sample = state.sampler.DrawPairs(p, kArchStream, static_cast<std::uint64_t>(update));
  } else {
    for (const int op : state.sampler.Draw(p, kArchStream, static_cast<std::uint64_t>(update)))
      sample.push_back({op, -1});
  }

  const at::Device device = state.net.device();
  Matrix gates;
  double cross_entropy = 0;
  for (const MicroBatch& piece : CutBatch(batch, state.micro_batch)) {
    const ArchForward forward = state.net.ForwardGated(piece.batch.images.to(device), sample, mode_);
    // Plain cross-entropy: label smoothing belongs to the weights (§5.2).
    const at::Tensor loss = at::cross_entropy_loss(forward.logits.to(at::kFloat), piece.batch.labels.to(device));
    (piece.share == 1 ? loss : loss * piece.share).backward();
    AddTo(forward.gates->ToHost(), &gates);
    cross_entropy += piece.share * loss.item<double>();
  }

  Matrix gradient = two ? alphas.GateToAlphaOnPairs(gates, sample) : alphas.GateToAlpha(gates);
  target_state.constraint.AddGradient(alphas, two ? &sample : nullptr, cross_entropy, &gradient);
  if (two) {
    alphas.AdamStepOnPairs(gradient, sample, state.alpha_lr);
  } else {
    alphas.AdamStep(gradient, state.alpha_lr);
  }
  return cross_entropy;
}

}  // namespace nas
