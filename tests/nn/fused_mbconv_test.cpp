// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "support/torch_test.h"

#include "nas/core/error.h"
#include "nas/core/text.h"
#include "nas/nn/network.h"
#include "nas/nn/supernet.h"
#include "nn/nn_support.h"

namespace nas::test {
namespace {

constexpr double kTolerance = 5e-6;

struct BlockSpec {
  int batch = 2, side = 8, in = 8, hidden = 24, out = 8, kernel = 3, stride = 1;
  bool expand = true, skip = false;
  Activation act = Activation::kRelu6;
  BnMode mode = BnMode::kTrain;
  double offset = 0;  ///< |mean|/σ of the input
};

/// A network of an adapter, which never runs, and the block.
Architecture BlockNetwork(const BlockSpec& spec) {
  Architecture architecture;
  architecture.resolution = spec.side;
  Layer adapter;
  adapter.name = "adapter";
  adapter.op = "conv";
  adapter.in_channels = 3;
  adapter.out_channels = spec.in;
  Layer block;
  block.name = "blocks.0";
  block.op = "mbconv";
  block.in_channels = spec.in;
  block.out_channels = spec.out;
  block.kernel = spec.kernel;
  block.stride = spec.stride;
  block.groups = 0;
  block.mid_channels = spec.hidden;
  block.expand_ratio = spec.expand ? 0 : 1;
  block.act = spec.act;
  block.skip = spec.skip;
  architecture.layers = {adapter, block};
  return architecture;
}

struct Outcome {
  at::Tensor y, dx;
  std::vector<std::pair<std::string, at::Tensor>> gradients, buffers;
};

Outcome RunBlock(const BlockSpec& spec, KernelMode kernels, at::ScalarType dtype, const at::Tensor& x,
                 const at::Tensor& dy) {
  Network network(BlockNetwork(spec), /*seed=*/1, kernels);
  Disturb(network.NamedTensors());
  network.To(dtype);
  const at::Tensor input = x.to(dtype).contiguous(at::MemoryFormat::ChannelsLast).requires_grad_(true);
  Outcome outcome;
  outcome.y = network.ForwardLayers(input, 1, 2, spec.mode);
  outcome.y.backward(dy.to(dtype));
  outcome.dx = input.grad();
  for (const auto& [name, tensor] : network.NamedParameters()) {
    if (name.starts_with("blocks")) outcome.gradients.emplace_back(name, tensor.grad());
  }
  for (const auto& [name, tensor] : network.NamedTensors()) {
    if (name.find("running") != std::string::npos || name.find("num_batches") != std::string::npos) {
      outcome.buffers.emplace_back(name, tensor);
    }
  }
  outcome.y = outcome.y.detach();
  return outcome;
}

at::Tensor Normal(at::IntArrayRef sizes, std::uint64_t seed) {
  at::Generator generator = at::globalContext().defaultGenerator(at::kCPU).clone();
  generator.set_current_seed(seed);
  return at::empty(sizes, at::kDouble).normal_(0, 1, generator).to(at::kFloat);
}

/// False where no input was found that lies clear of the corners.
bool CheckBlock(const BlockSpec& spec, std::uint64_t seed, double tolerance = kTolerance) {
  INFO("n" << spec.batch << " side " << spec.side << " c" << spec.in << "/" << spec.hidden << "/" << spec.out << " k"
           << spec.kernel << " s" << spec.stride << " expand " << spec.expand << " skip " << spec.skip << " act "
           << ToString(spec.act) << " mode " << static_cast<int>(spec.mode) << " offset " << spec.offset << " seed "
           << seed);
  const std::int64_t out_side = (spec.side - 1) / spec.stride + 1;
  const at::Tensor dy = Normal({spec.batch, spec.out, out_side, out_side}, seed + 1);
  // Two roundings of a value at a corner of the activation may lie on its two sides, and then gradients differ. Such
  // inputs show by a float64 result that changes with the input's last bits; they are drawn anew.
  for (std::uint64_t attempt = 0; attempt < 30; ++attempt) {
    const at::Tensor x = Normal({spec.batch, spec.in, spec.side, spec.side}, seed + 1000 * attempt) + spec.offset;
    const Outcome expected = RunBlock(spec, KernelMode::kTorch, at::kDouble, x, dy);
    const at::Tensor nudge = at::where(x > spec.offset, 1.0, -1.0).to(at::kDouble) * 1e-5;
    const Outcome up = RunBlock(spec, KernelMode::kTorch, at::kDouble, x.to(at::kDouble) + nudge, dy);
    const Outcome down = RunBlock(spec, KernelMode::kTorch, at::kDouble, x.to(at::kDouble) - nudge, dy);
    if (RelativeError(up.dx, expected.dx) > 1e-3 || RelativeError(down.dx, expected.dx) > 1e-3) continue;
    const Outcome fused = RunBlock(spec, KernelMode::kFused, at::kFloat, x, dy);
    CHECK(RelativeError(fused.y, expected.y) < tolerance);
    CHECK(RelativeError(fused.dx, expected.dx) < tolerance);
    REQUIRE(fused.gradients.size() == (spec.expand ? 9 : 6));
    for (std::size_t i = 0; i < fused.gradients.size(); ++i) {
      INFO(fused.gradients[i].first);
      CHECK(RelativeError(fused.gradients[i].second, expected.gradients[i].second) < tolerance);
    }
    for (std::size_t i = 0; i < fused.buffers.size(); ++i) {
      INFO(fused.buffers[i].first);
      CHECK(RelativeError(fused.buffers[i].second, expected.buffers[i].second) < tolerance);
    }
    return true;
  }
  return false;
}

BlockSpec RandomBlock(CounterRng& rng) {
  const auto between = [&](int low, int high) {
    return low + static_cast<int>(rng.Below(static_cast<std::uint64_t>(high - low + 1)));
  };
  BlockSpec spec;
  spec.batch = between(1, 5);
  spec.side = between(2, 12);
  spec.in = between(3, 40);
  spec.kernel = 3 + 2 * between(0, 2);
  spec.stride = between(1, 2);
  spec.expand = rng.Below(4) != 0;
  spec.hidden = spec.expand ? between(3, 110) : spec.in;
  spec.skip = spec.stride == 1 && rng.Below(2) == 0;
  spec.out = spec.skip ? spec.in : between(3, 40);
  const Activation acts[] = {Activation::kRelu, Activation::kRelu6, Activation::kHSwish};
  spec.act = acts[rng.Below(3)];
  const BnMode modes[] = {BnMode::kTrain, BnMode::kProbe, BnMode::kEval};
  spec.mode = modes[rng.Below(3)];
  // With running statistics an input far from them saturates everything: the offset belongs to batch statistics.
  if (rng.Below(4) == 0 && spec.mode != BnMode::kEval) spec.offset = std::pow(10.0, 2 * rng.Uniform());
  const int out_side = (spec.side - 1) / spec.stride + 1;
  if (spec.batch * out_side * out_side < 20) spec.batch += 20;  // statistics of a few values amplify the last bit
  return spec;
}

}  // namespace

TEST_CASE("the fused block equals LibTorch in float64 on random shapes", "[nn]") {
  CounterRng rng(11);
  int compared = 0;
  for (int i = 0; i < 40; ++i) compared += CheckBlock(RandomBlock(rng), 100 + i) ? 1 : 0;
  CHECK(compared >= 38);
}

TEST_CASE("the fused block equals LibTorch in float64 on many random shapes", "[.long]") {
  CounterRng rng(12);
  int compared = 0;
  for (int i = 0; i < 600; ++i) compared += CheckBlock(RandomBlock(rng), 10000 + i) ? 1 : 0;
  CHECK(compared >= 570);
}

TEST_CASE("the fused block leaves out gradients that nobody wants", "[nn]") {
  const BlockSpec spec{.skip = true};
  Network network(BlockNetwork(spec), 1, KernelMode::kFused);
  const at::Tensor dy = Normal({2, 8, 8, 8}, 2);
  const auto data_gradient = [&](bool weights) {
    for (const auto& [name, tensor] : network.NamedParameters()) {
      tensor.mutable_grad().reset();
      tensor.requires_grad_(weights);
    }
    const at::Tensor x = Normal({2, 8, 8, 8}, 1).contiguous(at::MemoryFormat::ChannelsLast).requires_grad_(true);
    network.ForwardLayers(x, 1, 2, BnMode::kTrain).backward(dy);
    for (const auto& [name, tensor] : network.NamedParameters()) {
      INFO(name);
      CHECK(tensor.grad().defined() == (weights && name.starts_with("blocks")));
    }
    return x.grad();
  };
  const at::Tensor frozen = data_gradient(false);
  CHECK(at::equal(frozen, data_gradient(true)));
}

TEST_CASE("the fused block gives the same bits on any number of threads", "[nn]") {
  const BlockSpec spec{.batch = 7, .side = 15, .in = 24, .hidden = 72, .out = 24, .kernel = 5, .skip = true};
  const at::Tensor x = Normal({7, 24, 15, 15}, 1), dy = Normal({7, 24, 15, 15}, 2);
  const int before = at::get_num_threads();
  at::set_num_threads(1);
  const Outcome one = RunBlock(spec, KernelMode::kFused, at::kFloat, x, dy);
  for (const int threads : {1, 2, 3}) {
    at::set_num_threads(threads);
    const Outcome other = RunBlock(spec, KernelMode::kFused, at::kFloat, x, dy);
    CHECK(at::equal(other.y, one.y));
    CHECK(at::equal(other.dx, one.dx));
    for (std::size_t i = 0; i < one.gradients.size(); ++i) {
      CHECK(at::equal(other.gradients[i].second, one.gradients[i].second));
    }
  }
  at::set_num_threads(before);
}

TEST_CASE("a supernet step with fused kernels is the step with LibTorch's ops", "[nn]") {
  const SearchSpace space = LoadSpace("tiny");
  const at::Tensor images = Images(8, 32, 1);
  const Choice choice{1, 2, 0, 3, 5};
  Supernet fused(space, 1, KernelMode::kFused), plain(space, 1, KernelMode::kTorch);
  const at::Tensor a = Loss(fused.Forward(images, choice, BnMode::kTrain));
  const at::Tensor b = Loss(plain.Forward(images, choice, BnMode::kTrain));
  CHECK(a.item<double>() == Approx(b.item<double>()).epsilon(1e-5));
  a.backward();
  b.backward();
  const auto near = [](const Pairs& x, const Pairs& y) {
    for (std::size_t i = 0; i < x.size(); ++i) {
      INFO(x[i].first);
      REQUIRE(x[i].second.grad().defined());
      // In norm: single values differ where an activation sits at a corner.
      const at::Tensor difference = x[i].second.grad() - y[i].second.grad();
      CHECK(difference.norm().item<double>() <= 2e-3 * y[i].second.grad().norm().item<double>() + 1e-6);
    }
  };
  near(fused.FixedParameters(), plain.FixedParameters());
  for (std::size_t e = 0; e < choice.size(); ++e) {
    near(fused.CandidateParameters(static_cast<int>(e), choice[e]),
         plain.CandidateParameters(static_cast<int>(e), choice[e]));
  }
  const auto buffers = Snapshot(plain.NamedTensors());
  for (const auto& [name, tensor] : fused.NamedTensors()) {
    INFO(name);
    CHECK(at::allclose(tensor.to(at::kDouble), buffers.at(name).to(at::kDouble), 1e-4, 1e-5));
  }
}

TEST_CASE("gate gradients with fused kernels are those with LibTorch's ops", "[nn]") {
  const SearchSpace space = LoadSpace("tiny");
  const at::Tensor images = Images(32, 32, 1);
  Supernet fused(space, 1, KernelMode::kFused), plain(space, 1, KernelMode::kTorch);
  std::vector<EdgeSample> sample;
  for (const Edge& edge : space.edges()) sample.push_back({1 % edge.size(), 2 % edge.size()});
  for (const GateMode mode : {GateMode::kTwo, GateMode::kFullV2}) {
    std::vector<std::vector<std::vector<double>>> gates;
    for (Supernet* supernet : {&fused, &plain}) {
      const ArchForward forward = supernet->ForwardGated(images, sample, mode);
      Loss(forward.logits).backward();
      gates.push_back(forward.gates->ToHost());
    }
    double largest = 0;
    for (const auto& row : gates[1]) {
      for (const double g : row) largest = std::max(largest, std::abs(g));
    }
    for (std::size_t e = 0; e < gates[1].size(); ++e) {
      for (std::size_t k = 0; k < gates[1][e].size(); ++k) {
        CHECK(gates[0][e][k] == Approx(gates[1][e][k]).margin(1e-2 * largest));
      }
    }
  }
}

TEST_CASE("kernel modes have names", "[nn]") {
  for (const KernelMode mode : {KernelMode::kAuto, KernelMode::kFused, KernelMode::kTorch}) {
    CHECK(ParseKernelMode(std::string(ToString(mode))) == mode);
  }
  CHECK_THROWS_AS(ParseKernelMode("cuda"), Error);
}

}  // namespace nas::test
