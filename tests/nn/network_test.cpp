// SPDX-License-Identifier: Apache-2.0
#include "support/torch_test.h"

#include <set>

#include "nas/core/error.h"
#include "nas/nn/network.h"
#include "nn/nn_support.h"

namespace nas::test {

namespace {

Network TinyNetwork(std::uint64_t seed) {
  const SearchSpace space = LoadSpace("tiny");
  return Network(space.Build(Choice(space.edges().size(), 1)), seed);
}

std::string ErrorOf(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::kInput);
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("weights start as a pure function of the seed", "[nn]") {
  const Network first = TinyNetwork(11);
  torch::manual_seed(5);
  at::randn({100});
  const Network second = TinyNetwork(11);
  CHECK(Changed(Snapshot(first.NamedTensors()), second.NamedTensors()).empty());
  const Network other = TinyNetwork(12);
  CHECK_FALSE(Changed(Snapshot(first.NamedTensors()), other.NamedTensors()).empty());
}

TEST_CASE("weights start within one over the root of their fan-in", "[nn]") {
  const SearchSpace space = LoadSpace("cifar-mbconv");
  const Network network(space.Build(Choice(space.edges().size(), 0)), 1);
  int depthwise = 0;
  for (const auto& [name, tensor] : network.NamedParameters()) {
    INFO(name);
    if (tensor.dim() >= 2 && tensor.numel() > 1000) {
      const double bound = 1 / std::sqrt(static_cast<double>(tensor[0].numel()));
      CHECK(tensor.abs().max().item<double>() <= bound);
      CHECK(tensor.std().item<double>() == Approx(bound / std::sqrt(3.0)).epsilon(0.05));
      CHECK(std::abs(tensor.mean().item<double>()) < 0.05 * bound);
      depthwise += tensor.dim() == 4 && tensor.size(1) == 1;
    }
    if (name.ends_with("bn.weight")) CHECK(at::equal(tensor, at::ones_like(tensor)));
    if (name.ends_with("bias")) CHECK(at::equal(tensor, at::zeros_like(tensor)));
  }
  CHECK(depthwise > 0);
}

TEST_CASE("names of the state dict", "[nn]") {
  const Network network = TinyNetwork(1);
  std::set<std::string> names;
  for (const auto& [name, tensor] : network.NamedTensors()) CHECK(names.insert(name).second);
  for (const char* name : {"first_conv.conv.weight", "first_conv.bn.running_var", "first_conv.bn.num_batches_tracked",
                           "blocks.0.mobile_inverted_conv.inverted_bottleneck.conv.weight",
                           "blocks.0.mobile_inverted_conv.depth_conv.bn.running_mean",
                           "blocks.4.mobile_inverted_conv.point_linear.bn.bias", "feature_mix_layer.conv.weight",
                           "classifier.linear.weight", "classifier.linear.bias"}) {
    INFO(name);
    CHECK(names.count(name) == 1);
  }
  for (const auto& [name, tensor] : network.NamedParameters()) {
    CHECK(tensor.requires_grad());
    CHECK(names.count(name) == 1);
  }
}

TEST_CASE("networks have the parameters that the space counts", "[nn]") {
  for (const char* name : {"tiny", "cifar-mbconv", "macro-cifar", "proxyless-mobile"}) {
    const SearchSpace space = LoadSpace(name);
    CounterRng rng(3);
    for (const Choice& choice : {Choice(space.edges().size(), 0), space.Sample(rng), space.Sample(rng)}) {
      INFO(name << " " << space.Code(choice));
      const Architecture architecture = space.Build(choice);
      const Network network(architecture, 0);
      std::int64_t params = 0;
      for (const auto& [unused, tensor] : network.NamedParameters()) params += tensor.numel();
      CHECK(params == CountParams(architecture));
    }
  }
}

TEST_CASE("conv weights are channels_last", "[nn]") {
  for (const auto& [name, tensor] : TinyNetwork(1).NamedParameters()) {
    if (tensor.dim() == 4) CHECK(tensor.is_contiguous(at::MemoryFormat::ChannelsLast));
  }
}

TEST_CASE("weights load into a network of the same shape only", "[nn]") {
  const Network source = TinyNetwork(1);
  Network target = TinyNetwork(2);
  target.Load(source.NamedTensors());
  CHECK(Changed(Snapshot(source.NamedTensors()), target.NamedTensors()).empty());

  Pairs missing = source.NamedTensors();
  missing.erase(missing.begin() + 3);
  CHECK(ErrorOf([&] { target.Load(missing); }).find(source.NamedTensors()[3].first) != std::string::npos);
  Pairs more = source.NamedTensors();
  more.emplace_back("blocks.9.conv.weight", at::zeros({1}));
  CHECK(ErrorOf([&] { target.Load(more); }).find("blocks.9.conv.weight") != std::string::npos);
  Pairs twice = source.NamedTensors();
  twice.push_back(twice[0]);
  CHECK(ErrorOf([&] { target.Load(twice); }).find("twice") != std::string::npos);
  Pairs shape = source.NamedTensors();
  shape[0].second = at::zeros({8, 3, 1, 1});
  CHECK(ErrorOf([&] { target.Load(shape); }).find("[8, 3, 3, 3]") != std::string::npos);
  Pairs dtype = source.NamedTensors();
  dtype[0].second = dtype[0].second.detach().to(at::kDouble);
  CHECK(ErrorOf([&] { target.Load(dtype); }).find("Double") != std::string::npos);
  CHECK(Changed(Snapshot(source.NamedTensors()), target.NamedTensors()).empty());
}

TEST_CASE("conversion keeps the handles of an optimizer", "[nn]") {
  Network network = TinyNetwork(1);
  const Pairs before = network.NamedParameters();
  network.To(at::kDouble);
  for (const auto& [name, tensor] : before) CHECK(tensor.scalar_type() == at::kDouble);
  Loss(network.Forward(Images(4, 32, 1, at::kDouble), BnMode::kTrain)).backward();
  for (const auto& [name, tensor] : before) {
    INFO(name);
    CHECK(tensor.grad().defined());
  }
}

TEST_CASE("a folded network gives the same logits in eval mode", "[nn]") {
  for (const char* name : {"tiny", "macro-cifar"}) {
    const SearchSpace space = LoadSpace(name);
    CounterRng rng(5);
    Network network(space.Build(space.Sample(rng)), 4);
    Disturb(network.NamedTensors());
    const at::NoGradGuard no_grad;
    const at::Tensor images = Images(4, 32, 9);
    const at::Tensor logits = network.Forward(images, BnMode::kEval);
    const Network folded = network.Folded();
    CHECK(RelativeError(const_cast<Network&>(folded).Forward(images, BnMode::kEval), logits) < 1e-5);
    for (const auto& [tensor_name, tensor] : folded.NamedTensors()) {
      INFO(tensor_name);
      CHECK(tensor_name.find(".bn.") == std::string::npos);
    }
    CHECK(RelativeError(folded.Folded().Forward(images, BnMode::kEval), logits) < 1e-5);
    CHECK(at::equal(network.Forward(images, BnMode::kEval), logits));
  }
}

TEST_CASE("dropout follows its seed, and only in training", "[nn]") {
  const SearchSpace space = LoadSpace("tiny");
  Architecture architecture = space.Build(Choice(space.edges().size(), 0));
  architecture.layers.back().dropout = 0.5;
  Network network(architecture, 1);
  const at::NoGradGuard no_grad;
  const at::Tensor images = Images(8, 32, 2);
  const at::Tensor probe = network.Forward(images, BnMode::kProbe);
  CHECK(at::equal(network.Forward(images, BnMode::kProbe), probe));
  network.SeedDropout(7);
  const at::Tensor first = network.Forward(images, BnMode::kTrain);
  const at::Tensor second = network.Forward(images, BnMode::kTrain);
  network.SeedDropout(7);
  CHECK(at::equal(network.Forward(images, BnMode::kTrain), first));
  CHECK(at::equal(network.Forward(images, BnMode::kTrain), second));
  CHECK_FALSE(at::equal(first, second));
  CHECK_FALSE(at::equal(first, probe));
}

}  // namespace nas::test
