// SPDX-License-Identifier: Apache-2.0
#include "weight_init.h"

#include <cmath>
#include <string>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>

#include "nas/core/hash.h"
#include "nas/core/rng.h"

namespace nas::detail {
namespace {

CounterRng RngOf(const std::string& name, std::uint64_t seed) {
  return CounterRng(seed, /*stream=*/std::stoull(Hash128Hex(name).substr(0, 16), nullptr, 16));
}

/// Values in the logical order [C_out, C_in, k, k], whatever the memory format.
void Fill(const NamedTensor& named, std::uint64_t seed) {
  const at::Tensor& tensor = named.tensor;
  std::vector<float> values(static_cast<std::size_t>(tensor.numel()));
  CounterRng rng = RngOf(named.name, seed);
  const double fan_in = static_cast<double>(tensor.numel()) / static_cast<double>(tensor.size(0));
  const double bound = 1 / std::sqrt(fan_in);
  for (float& value : values) value = static_cast<float>(bound * (2 * rng.Uniform() - 1));
  tensor.copy_(at::from_blob(values.data(), tensor.sizes(), at::kFloat));
}

}  // namespace

void InitializeTensors(const std::vector<NamedTensor>& tensors, std::uint64_t seed) {
  at::parallel_for(0, static_cast<std::int64_t>(tensors.size()), 1, [&](std::int64_t begin, std::int64_t end) {
    const at::NoGradGuard no_grad;  // thread-local
    for (std::int64_t i = begin; i < end; ++i) {
      const NamedTensor& named = tensors[static_cast<std::size_t>(i)];
      switch (named.role) {
        case TensorRole::kConvWeight:
        case TensorRole::kLinearWeight:
          Fill(named, seed);
          break;
        case TensorRole::kScale:
        case TensorRole::kRunningVar:
          named.tensor.fill_(1);
          break;
        default:
          named.tensor.zero_();
      }
    }
  });
}

}  // namespace nas::detail
