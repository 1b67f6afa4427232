// SPDX-License-Identifier: Apache-2.0
#include "gradient_strategy.h"

#include <utility>

#include <torch/torch.h>

#include "nas/train/micro_batch.h"

namespace nas {
namespace {

/// Gate gradients and cross-entropy of the own shards, [edge][op] one row behind the other, summed over all.
double SumOverShards(const ShardGroup& group, const std::vector<Matrix>& gates, const std::vector<double>& losses,
                     const Matrix& p, Matrix* sum) {
  std::vector<std::vector<double>> own;
  for (std::size_t i = 0; i < gates.size(); ++i) {
    std::vector<double>& flat = own.emplace_back();
    for (std::size_t e = 0; e < p.size(); ++e) {
      for (std::size_t op = 0; op < p[e].size(); ++op) flat.push_back(gates[i].empty() ? 0 : gates[i][e][op]);
    }
    flat.push_back(losses[i]);
  }
  const std::vector<double> all = group.Sum(own);
  std::size_t at = 0;
  *sum = p;
  for (auto& row : *sum) {
    for (double& value : row) value = all[at++];
  }
  return all[at];
}

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
  const Matrix p = target_state.Probabilities();
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
  std::vector<Matrix> shard_gates;
  std::vector<double> shard_losses;
  for (const MicroBatch& piece : state.group ? state.group->Pieces(batch) : CutBatch(batch, state.micro_batch)) {
    if (state.group && piece.share == 0) {
      shard_gates.emplace_back();
      shard_losses.push_back(0);
      continue;
    }
    const ArchForward forward = state.net.ForwardGated(piece.batch.images.to(device), sample, mode_);
    // Plain cross-entropy: label smoothing belongs to the weights (§5.2).
    const at::Tensor loss = at::cross_entropy_loss(forward.logits.to(at::kFloat), piece.batch.labels.to(device));
    (piece.share == 1 ? loss : loss * piece.share).backward();
    if (state.group) {
      shard_gates.push_back(forward.gates->ToHost());
      shard_losses.push_back(piece.share * loss.item<double>());
      continue;
    }
    AddTo(forward.gates->ToHost(), &gates);
    cross_entropy += piece.share * loss.item<double>();
  }
  if (state.group) {
    cross_entropy = SumOverShards(*state.group, shard_gates, shard_losses, p, &gates);
    if (!state.group->root()) return cross_entropy;
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
