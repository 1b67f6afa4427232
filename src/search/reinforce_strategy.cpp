// SPDX-License-Identifier: Apache-2.0
#include "reinforce_strategy.h"

#include <span>

#include <torch/torch.h>

namespace nas {

double ReinforceStrategy::ArchStep(SearchState& state, const SearchTarget& target, TargetState& target_state,
                                   const Batch& batch, std::int64_t update) const {
  const torch::NoGradGuard no_grad;
  const at::Device device = state.net.device();
  const at::Tensor images = batch.images.to(device);
  const at::Tensor labels = batch.labels.to(device);
  const Matrix p = target_state.Probabilities();
  std::vector<Choice> samples;
  // Sample j is judged by rank j mod R, on the whole batch.
  std::vector<double> accuracies(kReinforceSamples, 0);
  std::vector<double> losses(kReinforceSamples, 0);
  for (int j = 0; j < kReinforceSamples; ++j) {
    const Choice choice =
        state.sampler.Draw(p, kReinforceStream + static_cast<std::uint32_t>(j), static_cast<std::uint64_t>(update));
    samples.push_back(choice);
    if (state.group && j % state.group->ranks().Size() != state.group->ranks().Rank()) continue;
    const at::Tensor logits = state.net.Forward(images, choice, BnMode::kProbe);
    const auto at = static_cast<std::size_t>(j);
    accuracies[at] = logits.argmax(1).eq(labels).to(at::kDouble).mean().item<double>();
    losses[at] = at::cross_entropy_loss(logits, labels).item<double>();
  }
  if (state.group) {
    state.group->ranks().AllReduceSum(std::span<double>(accuracies));
    state.group->ranks().AllReduceSum(std::span<double>(losses));
  }
  double loss = 0;
  for (const double each : losses) loss += each / kReinforceSamples;
  if (state.group && !state.group->root()) return loss;
  std::vector<double> rewards;
  for (std::size_t j = 0; j < samples.size(); ++j) {
    rewards.push_back(ReinforceReward(accuracies[j], target.table.Cost(samples[j]), target.budget));
  }
  const Matrix gradient = ReinforceGradient(target_state.alphas, samples, target_state.baseline.Advantages(rewards));
  target_state.alphas.AdamStep(gradient, state.alpha_lr);
  return loss;
}

}  // namespace nas
