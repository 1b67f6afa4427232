// SPDX-License-Identifier: Apache-2.0
#include "nas/train/sgd.h"

#include <string>
#include <vector>

#include "support/torch_test.h"

namespace nas {
namespace {

Sgd::NamedTensors MakeParameters(std::uint64_t seed) {
  torch::manual_seed(seed);
  Sgd::NamedTensors parameters{{"a.conv.weight", torch::randn({8, 4, 3, 3}).contiguous(at::MemoryFormat::ChannelsLast)},
                               {"a.bn.weight", torch::randn({8})},
                               {"classifier.linear.weight", torch::randn({10, 37})},
                               {"classifier.linear.bias", torch::randn({10})}};
  for (auto& [name, tensor] : parameters) tensor.requires_grad_(true);
  return parameters;
}

Sgd::NamedTensors Copy(const Sgd::NamedTensors& parameters) {
  Sgd::NamedTensors copy;
  for (const auto& [name, tensor] : parameters) copy.emplace_back(name, tensor.detach().clone().requires_grad_(true));
  return copy;
}

void SetGradients(const Sgd::NamedTensors& parameters, std::uint64_t step) {
  torch::manual_seed(1000 + step);
  for (const auto& [name, tensor] : parameters) tensor.mutable_grad() = torch::randn_like(tensor.detach());
}

TEST_CASE("Sgd gives the bits of torch::optim::SGD") {
  const bool decay_bn = GENERATE(true, false);
  const double momentum = GENERATE(0.9, 0.0);
  const Sgd::NamedTensors ours = MakeParameters(3);
  const Sgd::NamedTensors theirs = Copy(ours);
  const double weight_decay = 4e-3;

  const auto options = [&](double decay) {
    return torch::optim::SGDOptions(/*lr=*/0.1).momentum(momentum).nesterov(momentum > 0).weight_decay(decay);
  };
  std::vector<at::Tensor> decayed;
  std::vector<at::Tensor> plain;
  for (const auto& [name, tensor] : theirs) {
    (name == "a.bn.weight" && !decay_bn ? plain : decayed).push_back(tensor);
  }
  const auto group = [&](const std::vector<at::Tensor>& tensors, double decay) {
    return torch::optim::OptimizerParamGroup(tensors, std::make_unique<torch::optim::SGDOptions>(options(decay)));
  };
  // LibTorch takes an option of a group that has its type's default, here a decay of 0, from the optimizer's.
  torch::optim::SGD oracle({group(decayed, weight_decay)}, options(/*decay=*/0));
  if (!plain.empty()) oracle.add_param_group(group(plain, 0));

  Sgd sgd({.momentum = momentum, .weight_decay = weight_decay, .decay_bn = decay_bn});
  for (std::uint64_t step = 0; step < 6; ++step) {
    const double lr = 0.1 / static_cast<double>(step + 1);
    SetGradients(ours, step);
    SetGradients(theirs, step);
    sgd.Step(ours, lr);
    for (auto& each : oracle.param_groups()) static_cast<torch::optim::SGDOptions&>(each.options()).lr(lr);
    oracle.step();
    for (std::size_t i = 0; i < ours.size(); ++i) {
      INFO(ours[i].first << " in step " << step);
      REQUIRE(torch::equal(ours[i].second, theirs[i].second));
    }
  }
}

TEST_CASE("parameters without a gradient keep weights and momentum bit for bit") {
  const Sgd::NamedTensors parameters = MakeParameters(5);
  Sgd sgd({});
  SetGradients(parameters, 0);
  sgd.Step(parameters, 0.1);
  for (const auto& [name, tensor] : parameters) CHECK_FALSE(tensor.grad().defined());

  SetGradients(parameters, 1);
  parameters[0].second.mutable_grad().reset();
  const at::Tensor weight = parameters[0].second.detach().clone();
  const at::Tensor other = parameters[2].second.detach().clone();
  at::Tensor momentum;
  for (const auto& [name, buffer] : sgd.State()) {
    if (name == parameters[0].first) momentum = buffer.clone();
  }
  sgd.Step(parameters, 0.1);
  CHECK(torch::equal(parameters[0].second, weight));
  CHECK_FALSE(torch::equal(parameters[2].second, other));
  for (const auto& [name, buffer] : sgd.State()) {
    if (name == parameters[0].first) CHECK(torch::equal(buffer, momentum));
  }
  // A path that was never sampled has no state at all.
  Sgd fresh({});
  SetGradients(parameters, 2);
  parameters[0].second.mutable_grad().reset();
  fresh.Step(parameters, 0.1);
  CHECK(fresh.State().size() == parameters.size() - 1);
}

TEST_CASE("the state goes through a checkpoint: same bits after, and memory as the parameters lie") {
  const Sgd::NamedTensors straight = MakeParameters(7);
  const Sgd::NamedTensors resumed = Copy(straight);
  Sgd first({});
  Sgd other({});
  for (std::uint64_t step = 0; step < 3; ++step) {
    SetGradients(straight, step);
    first.Step(straight, 0.05);
    SetGradients(resumed, step);
    other.Step(resumed, 0.05);
  }
  Sgd::NamedTensors dense;
  for (const auto& [name, buffer] : other.State()) dense.emplace_back(name, buffer.contiguous());
  Sgd second({});
  second.LoadState(dense);
  for (std::uint64_t step = 3; step < 6; ++step) {
    SetGradients(straight, step);
    first.Step(straight, 0.05);
    SetGradients(resumed, step);
    second.Step(resumed, 0.05);
  }
  for (std::size_t i = 0; i < straight.size(); ++i) CHECK(torch::equal(straight[i].second, resumed[i].second));
  const Sgd::NamedTensors state = second.State();
  REQUIRE(state.size() == straight.size());
  for (std::size_t i = 1; i < state.size(); ++i) CHECK(state[i - 1].first < state[i].first);
  for (const auto& [name, buffer] : state) {
    if (name == "a.conv.weight") CHECK(buffer.is_contiguous(at::MemoryFormat::ChannelsLast));
  }
}

TEST_CASE("forgotten momentum starts anew") {
  const Sgd::NamedTensors parameters = MakeParameters(9);
  Sgd sgd({});
  SetGradients(parameters, 0);
  sgd.Step(parameters, 0.1);
  sgd.Forget("a.bn.weight");
  CHECK(sgd.State().size() == parameters.size() - 1);
  sgd.Forget("never there");
}

}  // namespace
}  // namespace nas
