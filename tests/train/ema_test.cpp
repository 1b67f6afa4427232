// SPDX-License-Identifier: Apache-2.0
#include "nas/train/ema.h"

#include <algorithm>
#include <string>

#include "support/aten_test.h"

#include "core/expect_error.h"

namespace nas {
namespace {

TEST_CASE("the average follows its formula step by step, and counters are copied") {
  const Ema::NamedTensors tensors{{"w", at::zeros({3})}, {"num_batches_tracked", at::zeros({}, at::kLong)}};
  Ema ema(0.5, tensors);
  double expected = 0;
  for (int t = 1; t <= 20; ++t) {
    tensors[0].second.fill_(t);
    tensors[1].second.fill_(t);
    ema.Update(tensors);
    const double decay = std::min(0.5, (1.0 + t) / (10.0 + t));
    expected = decay * expected + (1 - decay) * t;
    CHECK(ema.tensors()[0].second[1].item<double>() == Approx(expected).epsilon(1e-5));
    CHECK(ema.tensors()[1].second.item<std::int64_t>() == t);
  }
  CHECK(ema.steps() == 20);
}

TEST_CASE("the average is a copy: it neither changes nor follows the tensors by itself") {
  const Ema::NamedTensors tensors{{"w", at::ones({2}).requires_grad_(true)}};
  Ema ema(0.9, tensors);
  {
    const at::NoGradGuard no_grad;
    tensors[0].second.fill_(7);
  }
  CHECK(ema.tensors()[0].second[0].item<double>() == 1);
  ema.Update(tensors);
  CHECK(tensors[0].second[0].item<double>() == 7);
  CHECK_FALSE(ema.tensors()[0].second.requires_grad());
}

TEST_CASE("a checkpoint of the average gives the same bits; a foreign one is refused by name") {
  at::manual_seed(1);
  const Ema::NamedTensors tensors{{"a", at::randn({5})}, {"b", at::randn({2, 2})}};
  Ema straight(0.99, tensors);
  const auto step = [&](Ema& ema, std::uint64_t t) {
    at::manual_seed(t);
    ema.Update({{"a", at::randn({5})}, {"b", at::randn({2, 2})}});
  };
  Ema resumed(0.99, tensors);
  for (std::uint64_t t = 0; t < 4; ++t) step(straight, t);
  for (std::uint64_t t = 0; t < 2; ++t) step(resumed, t);
  Ema other(0.99, {{"a", at::zeros({5})}, {"b", at::zeros({2, 2})}});
  other.Load(resumed.tensors(), resumed.steps());
  for (std::uint64_t t = 2; t < 4; ++t) step(other, t);
  for (std::size_t i = 0; i < 2; ++i) CHECK(at::equal(straight.tensors()[i].second, other.tensors()[i].second));

  using testing::MessageOf;
  const auto message = [&](const Ema::NamedTensors& tensors) {
    return MessageOf(ErrorKind::kInput, [&] { other.Load(tensors, 1); });
  };
  CHECK(message({{"a", at::zeros({5})}}).find("no average of b") != std::string::npos);
  CHECK(message({{"a", at::zeros({5})}, {"b", at::zeros({4})}}).find("average of b") != std::string::npos);
}

}  // namespace
}  // namespace nas
