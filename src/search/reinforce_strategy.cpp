// SPDX-License-Identifier: Apache-2.0
#include "reinforce_strategy.h"

#include <torch/torch.h>

namespace nas {

double ReinforceStrategy::ArchStep(SearchState& state, const SearchTarget& target, TargetState& target_state,
                                   const Batch& batch, std::int64_t update) const {
  const torch::NoGradGuard no_grad;
  const at::Device device = state.net.device();
  const at::Tensor images = batch.images.to(device);
  const at::Tensor labels = batch.labels.to(device);
  const Matrix p = target_state.alphas.Probabilities();
  std::vector<Choice> samples;
  std::vector<double> rewards;
  double loss = 0;
  for (int j = 0; j < kReinforceSamples; ++j) {
    const Choice choice =
        state.sampler.Draw(p, kReinforceStream + static_cast<std::uint32_t>(j), static_cast<std::uint64_t>(update));
    const at::Tensor logits = state.net.Forward(images, choice, BnMode::kProbe);
    const double accuracy = logits.argmax(1).eq(labels).to(at::kDouble).mean().item<double>();
    loss += at::cross_entropy_loss(logits, labels).item<double>() / kReinforceSamples;
    rewards.push_back(ReinforceReward(accuracy, target.table.Cost(choice), target.budget));
    samples.push_back(choice);
  }
  const Matrix gradient = ReinforceGradient(target_state.alphas, samples, target_state.baseline.Advantages(rewards));
  target_state.alphas.AdamStep(gradient, state.alpha_lr);
  return loss;
}

}  // namespace nas
