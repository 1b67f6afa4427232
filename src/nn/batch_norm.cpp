// SPDX-License-Identifier: Apache-2.0
#include "batch_norm.h"

#include <algorithm>
#include <vector>

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include "nas/core/error.h"
#include "synced_norm.h"

namespace nas::detail {
namespace {

std::vector<std::int64_t> AllButChannels(const at::Tensor& x) {
  std::vector<std::int64_t> dims;
  for (std::int64_t d = 0; d < x.dim(); ++d) {
    if (d != 1) dims.push_back(d);
  }
  return dims;
}

}  // namespace

BatchNorm::BatchNorm(int channels, const BatchNormSpec& spec)
    : momentum_(spec.momentum),
      eps_(spec.eps),
      weight_(at::empty({channels}, at::kFloat)),
      bias_(at::empty({channels}, at::kFloat)),
      running_mean_(at::empty({channels}, at::kFloat)),
      running_var_(at::empty({channels}, at::kFloat)),
      num_batches_tracked_(at::zeros({}, at::kLong)) {}

at::Tensor BatchNorm::Forward(const at::Tensor& x, BnMode mode) {
  if (mode == BnMode::kEval) {
    return at::batch_norm(x, weight_, bias_, running_mean_, running_var_, /*training=*/false, momentum_, eps_,
                          /*cudnn_enabled=*/true);
  }
  if (mode == BnMode::kAccumulate) Accumulate(x);
  StatisticsExchange* const others = SyncBatchNormScope::Current();
  if (others != nullptr && mode != BnMode::kAccumulate) {
    const SyncedNorm norm = NormalizeSynced(*others, x, weight_, bias_, eps_);
    if (mode == BnMode::kTrain && norm.count > 1) {
      const at::NoGradGuard no_grad;
      ++*num_batches_tracked_.data_ptr<std::int64_t>();
      const at::Tensor unbiased = norm.variance * (norm.count / (norm.count - 1));
      running_mean_.mul_(1 - momentum_).add_(norm.mean.to(running_mean_.scalar_type()), momentum_);
      running_var_.mul_(1 - momentum_).add_(unbiased.to(running_var_.scalar_type()), momentum_);
    }
    return norm.y;
  }
  // One value per channel has no unbiased variance: it would write NaN into the running average.
  const bool track = mode == BnMode::kTrain && x.numel() > x.size(1);
  if (track) ++*num_batches_tracked_.data_ptr<std::int64_t>();
  return at::batch_norm(x, weight_, bias_, track ? running_mean_ : at::Tensor(), track ? running_var_ : at::Tensor(),
                        /*training=*/true, momentum_, eps_, /*cudnn_enabled=*/true);
}

MbconvNorm BatchNorm::FusedNorm(bool counts) {
  if (counts) ++*num_batches_tracked_.data_ptr<std::int64_t>();
  return {nullptr, nullptr, running_mean_.data_ptr<float>(), running_var_.data_ptr<float>(), momentum_, eps_};
}

void BatchNorm::Visit(const std::string& name, ModuleVisitor& visitor) {
  visitor.VisitBatchNorm(name, *this);
  visitor.VisitTensor(JoinName(name, "weight"), weight_, TensorRole::kScale);
  visitor.VisitTensor(JoinName(name, "bias"), bias_, TensorRole::kShift);
  visitor.VisitTensor(JoinName(name, "running_mean"), running_mean_, TensorRole::kRunningMean);
  visitor.VisitTensor(JoinName(name, "running_var"), running_var_, TensorRole::kRunningVar);
  visitor.VisitTensor(JoinName(name, "num_batches_tracked"), num_batches_tracked_, TensorRole::kCounter);
}

void BatchNorm::BeginPooling() {
  const at::TensorOptions options = running_mean_.options().dtype(at::kDouble);
  pool_ = std::make_unique<Pool>();
  pool_->mean_sum = at::zeros_like(running_mean_, options);
  pool_->square_sum = at::zeros_like(running_var_, options);
}

void BatchNorm::Accumulate(const at::Tensor& x) {
  if (!pool_) ThrowInternal("a BN forward in kAccumulate mode outside a recalibration");
  const at::NoGradGuard no_grad;
  // A float64 copy of a large map would cost several GB: a few images at a time.
  constexpr std::int64_t kPieceElements = 4 << 20;
  const std::int64_t images = x.size(0);
  const std::int64_t step =
      std::clamp<std::int64_t>(kPieceElements / std::max<std::int64_t>(1, x[0].numel()), 1, images);
  const std::vector<std::int64_t> dims = AllButChannels(x);
  for (std::int64_t first = 0; first < images; first += step) {
    const at::Tensor piece = x.narrow(0, first, std::min(step, images - first)).to(at::kDouble);
    const auto [var, mean] = at::var_mean(piece, dims, /*unbiased=*/false);
    const std::int64_t n = piece.numel() / piece.size(1);
    pool_->mean_sum.add_(mean, static_cast<double>(n));
    pool_->square_sum.add_(var + mean * mean, static_cast<double>(n));
    pool_->count += n;
  }
}

void BatchNorm::FinishPooling() {
  const std::unique_ptr<Pool> pool = std::move(pool_);
  if (!pool || pool->count == 0) return;
  if (pool->count == 1) ThrowInput("BN statistics of a single value per channel have no variance; use more images");
  const at::NoGradGuard no_grad;
  const double n = static_cast<double>(pool->count);
  const at::Tensor mean = pool->mean_sum / n;
  const at::Tensor var = (pool->square_sum / n - mean * mean).clamp_min(0) * (n / (n - 1));
  running_mean_.copy_(mean);
  running_var_.copy_(var);
}

at::Tensor BatchNorm::EvalFactor() const {
  return weight_.detach().to(at::kDouble) / at::sqrt(running_var_.to(at::kDouble) + eps_);
}

at::Tensor BatchNorm::EvalShift() const {
  return bias_.detach().to(at::kDouble) - running_mean_.to(at::kDouble) * EvalFactor();
}

}  // namespace nas::detail
