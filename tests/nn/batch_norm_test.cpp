// SPDX-License-Identifier: Apache-2.0
#include "support/torch_test.h"

#include "nn/batch_norm.h"
#include "nn/nn_support.h"
#include "nn/tensor_list.h"
#include "nn/weight_init.h"

namespace nas::test {

namespace {

class NormOp final : public detail::OpModule {
 public:
  NormOp() : norm_(4, {.momentum = 0.1, .eps = 1e-3}) {}
  at::Tensor Forward(const at::Tensor& x, BnMode mode) override { return norm_.Forward(x, mode); }
  void Visit(const std::string& prefix, detail::ModuleVisitor& visitor) override { norm_.Visit(prefix, visitor); }

 private:
  detail::BatchNorm norm_;
};

}  // namespace

TEST_CASE("BN modes", "[nn]") {
  NormOp norm;
  const std::vector<detail::NamedTensor> tensors = detail::CollectTensors(norm, "bn");
  detail::InitializeTensors(tensors, 0);
  const Pairs pairs = detail::ToPairs(tensors, false);
  Disturb(pairs);
  const at::Tensor x = at::randn({5, 4, 3, 3}) * 2 + 1;
  const auto before = Snapshot(pairs);

  const at::Tensor mean = x.mean(at::IntArrayRef{0, 2, 3});
  const at::Tensor var = at::var(x, at::IntArrayRef{0, 2, 3}, /*unbiased=*/false);
  const auto column = [](const at::Tensor& t) { return t.view({1, -1, 1, 1}); };
  const at::Tensor by_batch =
      (x - column(mean)) / at::sqrt(column(var) + 1e-3) * column(before.at("bn.weight")) + column(before.at("bn.bias"));
  const at::Tensor by_running = (x - column(before.at("bn.running_mean"))) /
                                    at::sqrt(column(before.at("bn.running_var")) + 1e-3) *
                                    column(before.at("bn.weight")) +
                                column(before.at("bn.bias"));

  CHECK(at::allclose(norm.Forward(x, BnMode::kEval), by_running, 1e-4, 1e-5));
  CHECK(at::allclose(norm.Forward(x, BnMode::kProbe), by_batch, 1e-4, 1e-5));
  CHECK(Changed(before, pairs).empty());

  CHECK(at::allclose(norm.Forward(x, BnMode::kTrain), by_batch, 1e-4, 1e-5));
  const auto after = Snapshot(pairs);
  CHECK(at::allclose(after.at("bn.running_mean"), 0.9 * before.at("bn.running_mean") + 0.1 * mean, 1e-4, 1e-6));
  CHECK(at::allclose(after.at("bn.running_var"), 0.9 * before.at("bn.running_var") + 0.1 * var * 45 / 44, 1e-4, 1e-6));
  CHECK(after.at("bn.num_batches_tracked").item<std::int64_t>() == 1);
}

TEST_CASE("one value per channel leaves the running averages finite", "[nn]") {
  NormOp norm;
  const std::vector<detail::NamedTensor> tensors = detail::CollectTensors(norm, "bn");
  detail::InitializeTensors(tensors, 0);
  const Pairs pairs = detail::ToPairs(tensors, false);
  const auto before = Snapshot(pairs);
  norm.Forward(at::randn({1, 4, 1, 1}), BnMode::kTrain);
  CHECK(Changed(before, pairs).empty());
}

}  // namespace nas::test
