// SPDX-License-Identifier: Apache-2.0
#include "support/torch_test.h"

#include "nas/core/error.h"
#include "nas/nn/supernet.h"
#include "nn/nn_support.h"

namespace nas::test {

namespace {

bool OnPath(const std::string& name, const SearchSpace& space, const Choice& choice) {
  for (std::size_t e = 0; e < choice.size(); ++e) {
    const std::string place = space.edges()[e].name + ".op";
    if (name.starts_with(place)) return name.starts_with(place + std::to_string(choice[e]) + ".");
  }
  return true;
}

}  // namespace

TEST_CASE("a weight step leaves ops that were not sampled bit-identical", "[nn]") {
  const SearchSpace space = LoadSpace("tiny");
  Supernet supernet(space, 1);
  const Choice choice{1, 2, 0, 3, 5};
  const auto before = Snapshot(supernet.NamedTensors());
  Loss(supernet.Forward(Images(8, 32, 1), choice, BnMode::kTrain)).backward();
  const auto step = [](const Pairs& parameters) {
    const at::NoGradGuard no_grad;
    for (const auto& [name, tensor] : parameters) {
      INFO(name);
      REQUIRE(tensor.grad().defined());
      tensor.sub_(0.1 * (tensor.grad() + 0.01 * tensor));
    }
  };
  for (std::size_t e = 0; e < choice.size(); ++e) {
    for (int k = 0; k < space.edges()[e].size(); ++k) {
      if (k == choice[e]) continue;
      for (const auto& [name, tensor] : supernet.CandidateParameters(static_cast<int>(e), k)) {
        CHECK_FALSE(tensor.grad().defined());
      }
    }
    step(supernet.CandidateParameters(static_cast<int>(e), choice[e]));
  }
  step(supernet.FixedParameters());
  std::size_t moved = 0;
  for (const std::string& name : Changed(before, supernet.NamedTensors())) {
    INFO(name);
    CHECK(OnPath(name, space, choice));
    ++moved;
  }
  CHECK(moved > 50);  // weights, BN affine and running statistics of the whole path
}

TEST_CASE("probes and evaluation leave all tensors alone", "[nn]") {
  const SearchSpace space = LoadSpace("tiny");
  Supernet supernet(space, 1);
  const auto before = Snapshot(supernet.NamedTensors());
  const at::Tensor images = Images(8, 32, 1);
  const Choice choice(5, 1);
  const at::NoGradGuard no_grad;
  const at::Tensor probed = supernet.Forward(images, choice, BnMode::kProbe);
  supernet.Forward(images, choice, BnMode::kEval);
  CHECK(Changed(before, supernet.NamedTensors()).empty());
  CHECK(at::equal(supernet.Forward(images, choice, BnMode::kProbe), probed));
  CHECK(at::allclose(supernet.Forward(images, choice, BnMode::kTrain), probed, 1e-5, 1e-6));
  CHECK_FALSE(Changed(before, supernet.NamedTensors()).empty());
}

TEST_CASE("the network of a choice computes what the path computes", "[nn]") {
  for (const char* name : {"tiny", "macro-cifar"}) {
    const SearchSpace space = LoadSpace(name, {.width_mult = 1, .resolution = 16, .classes = 0});
    Supernet supernet(space, 1);
    Disturb(supernet.NamedTensors());
    CounterRng rng(9);
    for (int i = 0; i < 3; ++i) {
      const Choice choice = space.Sample(rng);
      INFO(name << " " << space.Code(choice));
      Network network = supernet.Extract(choice);
      CHECK(network.architecture() == space.Build(choice));
      const at::Tensor images = Images(6, 16, 2);
      CHECK(at::equal(network.Forward(images, BnMode::kEval), supernet.Forward(images, choice, BnMode::kEval)));
      CHECK(at::equal(network.Forward(images, BnMode::kTrain), supernet.Forward(images, choice, BnMode::kTrain)));
      CHECK(at::equal(network.Forward(images, BnMode::kEval), supernet.Forward(images, choice, BnMode::kEval)));
      // Copies: training one does not move the other.
      const auto before = Snapshot(network.NamedTensors());
      supernet.Forward(images + 1, choice, BnMode::kTrain);
      CHECK(Changed(before, network.NamedTensors()).empty());
      for (const auto& [tensor_name, tensor] : network.NamedParameters()) CHECK(tensor.requires_grad());
    }
  }
}

TEST_CASE("a chosen Zero passes its input on", "[nn]") {
  const SearchSpace space = LoadSpace("tiny");
  REQUIRE(space.edges()[0].skip_op == 6);
  Supernet supernet(space, 1);
  const at::Tensor images = Images(4, 32, 1);
  const Choice with_zero{6, 0, 0, 0, 0};
  Architecture shorter = space.Build(with_zero);
  shorter.layers.erase(shorter.layers.begin() + space.edges()[0].layer);
  Network network(shorter, 0);
  Pairs tensors;
  for (const auto& [name, tensor] : supernet.Extract(with_zero).NamedTensors()) tensors.emplace_back(name, tensor);
  network.Load(tensors);
  CHECK(at::equal(network.Forward(images, BnMode::kEval), supernet.Forward(images, with_zero, BnMode::kEval)));
}

TEST_CASE("start values depend on seed and name alone", "[nn]") {
  const Supernet ten(LoadSpace("tiny"), 4);
  const Supernet twenty(LoadSpace("tiny", {.width_mult = 1, .resolution = 0, .classes = 20}), 4);
  const auto values = Snapshot(ten.NamedTensors());
  for (const auto& [name, tensor] : twenty.NamedTensors()) {
    INFO(name);
    if (!name.starts_with("classifier")) CHECK(at::equal(values.at(name), tensor));
  }
  CHECK(values.count("blocks.1.op2.inverted_bottleneck.conv.weight") == 1);
  // Kernels of the same shape in different ops start differently.
  CHECK_FALSE(at::equal(values.at("blocks.1.op0.point_linear.conv.weight"),
                        values.at("blocks.1.op2.point_linear.conv.weight")));
}

TEST_CASE("parameters of the supernet are those that the space counts", "[nn]") {
  for (const char* name : {"tiny", "cifar-mbconv", "macro-cifar", "proxyless-mobile"}) {
    INFO(name);
    const SearchSpace space = LoadSpace(name);
    const Supernet supernet(space, 0);
    std::int64_t total = 0;
    for (const auto& [unused, tensor] : supernet.FixedParameters()) total += tensor.numel();
    CHECK(total == space.fixed_params());
    for (int e = 0; e < static_cast<int>(space.edges().size()); ++e) {
      for (int k = 0; k < space.edges()[static_cast<std::size_t>(e)].size(); ++k) {
        std::int64_t count = 0;
        for (const auto& [unused, tensor] : supernet.CandidateParameters(e, k)) count += tensor.numel();
        CHECK(count == space.params(e, k));
        total += count;
      }
    }
    CHECK(total == space.supernet_params());
  }
}

TEST_CASE("a removed candidate is gone for good", "[nn]") {
  const SearchSpace space = LoadSpace("tiny");
  Supernet supernet(space, 1);
  const Choice keeps(5, 0);
  const at::Tensor images = Images(4, 32, 1);
  const at::Tensor before = supernet.Forward(images, keeps, BnMode::kEval);
  std::int64_t bytes = 0;
  for (const auto& [name, tensor] : supernet.NamedTensors()) {
    if (name.starts_with(space.edges()[2].name + ".op3.")) bytes += static_cast<std::int64_t>(tensor.nbytes());
  }
  REQUIRE(bytes > 0);
  CHECK_FALSE(supernet.IsRemoved(2, 3));
  CHECK(supernet.Remove(2, 3) == bytes);
  CHECK(supernet.Remove(2, 3) == 0);
  CHECK(supernet.IsRemoved(2, 3));
  CHECK(supernet.CandidateParameters(2, 3).empty());
  for (const auto& [name, tensor] : supernet.NamedTensors()) {
    CHECK_FALSE(name.starts_with(space.edges()[2].name + ".op3."));
  }
  CHECK(at::equal(supernet.Forward(images, keeps, BnMode::kEval), before));
  CHECK_THROWS_AS(supernet.Forward(images, {0, 0, 3, 0, 0}, BnMode::kEval), Error);
  CHECK_THROWS_AS(supernet.Extract({0, 0, 3, 0, 0}), Error);

  Supernet resumed(space, 2);
  CHECK_THROWS_AS(resumed.Load(supernet.NamedTensors()), Error);
  resumed.Remove(2, 3);
  resumed.Load(supernet.NamedTensors());
  CHECK(at::equal(resumed.Forward(images, keeps, BnMode::kEval), before));
}

TEST_CASE("paths that do not fit are refused", "[nn]") {
  Supernet supernet(LoadSpace("tiny"), 1);
  const at::Tensor images = Images(2, 32, 1);
  CHECK_THROWS_AS(supernet.Forward(images, {0, 0}, BnMode::kEval), Error);
  CHECK_THROWS_AS(supernet.Forward(images, {0, 0, 0, 0, 7}, BnMode::kEval), Error);
  CHECK_THROWS_AS(supernet.Forward(images, {0, 0, 0, 0, -1}, BnMode::kEval), Error);
}

}  // namespace nas::test
