// SPDX-License-Identifier: Apache-2.0
#include "gradient_strategy.h"

#include <torch/torch.h>

namespace nas {

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
  const ArchForward forward = state.net.ForwardGated(batch.images.to(device), sample, mode_);
  // Plain cross-entropy: label smoothing belongs to the weights (§5.2).
  const at::Tensor loss = at::cross_entropy_loss(forward.logits, batch.labels.to(device));
  loss.backward();
  const Matrix gates = forward.gates->ToHost();
  const double cross_entropy = loss.item<double>();

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
