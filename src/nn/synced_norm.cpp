// SPDX-License-Identifier: Apache-2.0
#include "synced_norm.h"

#include <vector>

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>

namespace nas {
namespace {

thread_local StatisticsExchange* current = nullptr;

}  // namespace

SyncBatchNormScope::SyncBatchNormScope(StatisticsExchange* exchange) : before_(current) { current = exchange; }
SyncBatchNormScope::~SyncBatchNormScope() { current = before_; }
StatisticsExchange* SyncBatchNormScope::Current() { return current; }

namespace detail {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::tensor_list;

/// What goes through autograd beside tensors: the way to the other processes, and back what they have told.
struct Statistics : public torch::CustomClassHolder {
  StatisticsExchange* exchange = nullptr;
  double eps = 0;
  double count = 0;
  at::Tensor mean;
  at::Tensor variance;
};

std::vector<std::int64_t> AllButChannels(const at::Tensor& x) {
  std::vector<std::int64_t> dims;
  for (std::int64_t d = 0; d < x.dim(); ++d) {
    if (d != 1) dims.push_back(d);
  }
  return dims;
}

/// A row per channel as a map of its own, to calculate with those of `x`.
at::Tensor Spread(const at::Tensor& channels, const at::Tensor& x) {
  std::vector<std::int64_t> shape(static_cast<std::size_t>(x.dim()), 1);
  shape[1] = channels.size(0);
  return channels.view(shape);
}

/// Count, mean and sum of squared deviations of each process, merged in rank order (Chan et al. 1979): one pass, and no
/// difference of large squares.
void Merge(const at::Tensor& rows, Statistics* all) {
  const std::int64_t channels = (rows.size(1) - 1) / 2;
  all->count = 0;
  all->mean = at::zeros({channels}, at::kDouble);
  at::Tensor squares = at::zeros({channels}, at::kDouble);
  for (std::int64_t rank = 0; rank < rows.size(0); ++rank) {
    const at::Tensor row = rows[rank];
    const double count = row[0].item<double>();
    const double total = all->count + count;
    if (count == 0) continue;
    const at::Tensor delta = row.narrow(0, 1, channels) - all->mean;
    all->mean = all->mean + delta * (count / total);
    squares = squares + row.narrow(0, 1 + channels, channels) + delta * delta * (all->count * count / total);
    all->count = total;
  }
  all->variance = squares / all->count;
}

class SyncedFunction : public torch::autograd::Function<SyncedFunction> {
 public:
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                            const c10::intrusive_ptr<Statistics>& statistics) {
    Statistics& all = *statistics;
    const std::vector<std::int64_t> dims = AllButChannels(x);
    const at::Tensor values = x.to(at::kDouble);
    const at::Tensor mean = values.mean(dims);
    const at::Tensor squares = (values - Spread(mean, x)).pow(2).sum(dims);
    const at::Tensor count = at::full({1}, static_cast<double>(x.numel() / x.size(1)), mean.options());
    Merge(all.exchange->Gather(at::cat({count, mean, squares}).cpu()), &all);
    all.mean = all.mean.to(x.device());
    all.variance = all.variance.to(x.device());
    const at::Tensor scale = (all.variance + all.eps).rsqrt();
    ctx->save_for_backward({x, weight, all.mean, scale});
    ctx->saved_data["statistics"] = c10::IValue::make_capsule(statistics);
    const at::Tensor factor = Spread(scale * weight.to(at::kDouble), x);
    return ((values - Spread(all.mean, x)) * factor + Spread(bias.to(at::kDouble), x)).to(x.scalar_type());
  }

  static tensor_list backward(AutogradContext* ctx, tensor_list outer) {
    const auto all = c10::static_intrusive_pointer_cast<Statistics>(ctx->saved_data["statistics"].toCapsule());
    const tensor_list saved = ctx->get_saved_variables();
    const at::Tensor& x = saved[0];
    const at::Tensor& weight = saved[1];
    const std::vector<std::int64_t> dims = AllButChannels(x);
    const at::Tensor dy = outer[0].to(at::kDouble);
    const at::Tensor normal = (x.to(at::kDouble) - Spread(saved[2], x)) * Spread(saved[3], x);
    const at::Tensor shift = dy.sum(dims);
    const at::Tensor scale = (dy * normal).sum(dims);
    const at::Tensor rows = all->exchange->Gather(at::cat({shift, scale}).cpu());
    at::Tensor sums = rows[0];
    for (std::int64_t rank = 1; rank < rows.size(0); ++rank) sums = sums + rows[rank];
    const at::Tensor means = (sums / all->count).to(x.device());
    const std::int64_t channels = x.size(1);
    const at::Tensor through =
        dy - Spread(means.narrow(0, 0, channels), x) - normal * Spread(means.narrow(0, channels, channels), x);
    const at::Tensor dx = through * Spread(saved[3] * weight.to(at::kDouble), x);
    return {dx.to(x.scalar_type()), scale.to(weight.scalar_type()), shift.to(weight.scalar_type()), at::Tensor()};
  }
};

}  // namespace

SyncedNorm NormalizeSynced(StatisticsExchange& exchange, const at::Tensor& x, const at::Tensor& weight,
                           const at::Tensor& bias, double eps) {
  auto statistics = c10::make_intrusive<Statistics>();
  statistics->exchange = &exchange;
  statistics->eps = eps;
  SyncedNorm norm;
  norm.y = SyncedFunction::apply(x, weight, bias, statistics);
  norm.mean = statistics->mean;
  norm.variance = statistics->variance;
  norm.count = statistics->count;
  return norm;
}

}  // namespace detail
}  // namespace nas
