// SPDX-License-Identifier: Apache-2.0
#include "nas/train/loss.h"

#include <cmath>

#include "support/aten_test.h"

namespace nas {
namespace {

TEST_CASE("cross-entropy with smoothing is that of the smoothed target") {
  at::manual_seed(2);
  const double smoothing = GENERATE(0.0, 0.1, 0.5);
  const at::Tensor logits = at::randn({6, 4}, at::kDouble);
  const at::Tensor labels = at::randint(0, 4, {6}, at::kLong);
  const at::Tensor target = (1 - smoothing) * at::one_hot(labels, 4).to(at::kDouble) + smoothing / 4;
  const double expected = -(target * at::log_softmax(logits, 1)).sum(1).mean().item<double>();
  CHECK(CrossEntropy(logits, labels, smoothing).item<double>() == Approx(expected).epsilon(1e-12));
}

TEST_CASE("half-precision logits give a float32 loss") {
  const at::Tensor logits = at::zeros({2, 10}, at::kBFloat16);
  const at::Tensor loss = CrossEntropy(logits, at::zeros({2}, at::kLong));
  CHECK(loss.scalar_type() == at::kFloat);
  CHECK(loss.item<double>() == Approx(std::log(10.0)).epsilon(1e-6));
}

}  // namespace
}  // namespace nas
