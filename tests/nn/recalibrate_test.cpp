// SPDX-License-Identifier: Apache-2.0
#include "support/torch_test.h"

#include "nas/core/error.h"
#include "nas/nn/recalibrate.h"
#include "nn/nn_support.h"

namespace nas::test {

namespace {

std::int64_t Recalibrate(Network& network, const std::vector<at::Tensor>& batches) {
  std::size_t next = 0;
  return RecalibrateBatchNorm(network, [&](at::Tensor* images) {
    if (next == batches.size()) return false;
    *images = batches[next++];
    return true;
  });
}

at::Tensor Find(const Network& network, const std::string& name) {
  for (const auto& [known, tensor] : network.NamedTensors()) {
    if (known == name) return tensor;
  }
  FAIL("no tensor " << name);
  return {};
}

}  // namespace

TEST_CASE("recalibration pools the statistics of all batches", "[nn]") {
  const SearchSpace space = LoadSpace("tiny");
  Network network(space.Build(Choice(space.edges().size(), 1)), 3);
  // Unequal batches, far from mean 0, so that pooling by the wrong weights or in float32 shows.
  const std::vector<at::Tensor> batches{Images(16, 32, 1) + 3, Images(24, 32, 2) * 2 - 1, Images(5, 32, 3)};
  CHECK(Recalibrate(network, batches) == 45);

  const at::Tensor weight = Find(network, "first_conv.conv.weight").detach();
  const at::Tensor all = at::cat(batches);
  const at::Tensor z = at::conv2d(all, weight, {}, at::IntArrayRef{2, 2}, at::IntArrayRef{1, 1}).to(at::kDouble);
  const at::Tensor mean = z.mean(at::IntArrayRef{0, 2, 3});
  const at::Tensor var = at::var(z, at::IntArrayRef{0, 2, 3}, /*unbiased=*/true);
  CHECK(RelativeError(Find(network, "first_conv.bn.running_mean").to(at::kDouble), mean) < 1e-6);
  CHECK(RelativeError(Find(network, "first_conv.bn.running_var").to(at::kDouble), var) < 1e-6);
}

TEST_CASE("after recalibration the result of an image does not depend on its batch", "[nn]") {
  const SearchSpace space = LoadSpace("tiny");
  Network network(space.Build(Choice(space.edges().size(), 0)), 3);
  const at::Tensor images = Images(32, 32, 5);
  Recalibrate(network, {images});
  const at::NoGradGuard no_grad;
  const at::Tensor whole = network.Forward(images, BnMode::kEval);
  std::vector<at::Tensor> pieces;
  for (const at::Tensor& piece : images.split(5)) pieces.push_back(network.Forward(piece, BnMode::kEval));
  CHECK(at::equal(whole.argmax(1), at::cat(pieces).argmax(1)));
  CHECK(RelativeError(at::cat(pieces), whole) < 1e-5);
  // One batch: its own statistics, so that kEval equals kProbe but for N/(N − 1).
  CHECK(RelativeError(whole, network.Forward(images, BnMode::kProbe)) < 1e-2);
}

TEST_CASE("recalibration without images changes nothing", "[nn]") {
  const SearchSpace space = LoadSpace("tiny");
  Network network(space.Build(Choice(space.edges().size(), 0)), 3);
  const auto before = Snapshot(network.NamedTensors());
  CHECK(Recalibrate(network, {}) == 0);
  CHECK(Changed(before, network.NamedTensors()).empty());
}

}  // namespace nas::test
