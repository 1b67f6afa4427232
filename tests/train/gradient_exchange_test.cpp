// SPDX-License-Identifier: Apache-2.0
#include "support/torch_test.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <set>

#include "core/expect_error.h"
#include "nas/data/shard.h"
#include "nas/nn/supernet.h"
#include "nas/space/search_space.h"
#include "nas/train/gradient_exchange.h"

using namespace nas;
using nas::testing::MessageOf;

namespace {

SearchSpace Tiny() {
  return SearchSpace::Load("tiny", {1.0, 16, 10}, {std::string(NAS_SOURCE_DIR) + "/search_spaces"});
}

Batch RandomBatch(std::int64_t images) {
  auto generator = at::make_generator<at::CPUGeneratorImpl>(std::uint64_t{7});
  Batch batch;
  batch.images = at::randn({images, 3, 16, 16}, generator, at::TensorOptions(at::kDouble))
                     .contiguous(at::MemoryFormat::ChannelsLast);
  batch.labels = at::arange(images, at::kLong).remainder(10);
  batch.whole = images;
  return batch;
}

/// One divided step of the supernet on `choices`; returns the control sums.
std::vector<double> Step(Supernet& net, const ShardGroup& group, GradientExchange& exchange, const Batch& batch,
                         const std::vector<Choice>& choices) {
  std::vector<PathTensor> path = net.PathTensors(choices[0]);
  for (std::size_t i = 1; i < choices.size(); ++i) {
    for (const PathTensor& tensor : net.PathTensors(choices[i])) {
      const bool known =
          std::any_of(path.begin(), path.end(), [&](const PathTensor& other) { return other.name == tensor.name; });
      if (!known) path.push_back(tensor);
    }
  }
  exchange.Begin(path, batch.whole, choices.size() > 1 ? choices : std::vector<Choice>());
  const auto pieces = group.Pieces(batch);
  for (int shard = group.first(); shard < group.last(); ++shard) {
    const MicroBatch& piece = pieces[static_cast<std::size_t>(shard - group.first())];
    std::array<double, 2> control{0, 1};
    exchange.StartShard(shard);
    if (piece.share > 0) {
      const Choice& choice = choices.size() > 1 ? choices[static_cast<std::size_t>(shard)] : choices[0];
      const at::Tensor loss =
          at::cross_entropy_loss(net.Forward(piece.batch.images, choice, BnMode::kTrain), piece.batch.labels) *
          piece.share;
      loss.backward();
      control[0] = loss.item<double>();
    }
    exchange.EndShard(shard, control);
  }
  return exchange.Finish();
}

std::map<std::string, at::Tensor> Gradients(const Supernet& net, const Choice& choice) {
  std::map<std::string, at::Tensor> gradients;
  for (const PathTensor& tensor : net.PathTensors(choice)) {
    if (tensor.kind == PathTensor::Kind::kTrained) gradients[tensor.name] = tensor.tensor.grad().clone();
  }
  return gradients;
}

double RelativeDistance(const std::map<std::string, at::Tensor>& a, const std::map<std::string, at::Tensor>& b) {
  double difference = 0;
  double size = 0;
  for (const auto& [name, tensor] : a) {
    difference += (tensor - b.at(name)).pow(2).sum().item<double>();
    size += tensor.pow(2).sum().item<double>();
  }
  return std::sqrt(difference / size);
}

struct Net : Supernet {
  explicit Net(const SearchSpace& space) : Supernet(space, /*seed=*/3, KernelMode::kTorch) { To(at::kDouble); }
};

}  // namespace

TEST_CASE("shards cover a batch without gap, each with two images or more", "[train]") {
  for (int shards : {1, 2, 3, 4, 8}) {
    for (std::int64_t n = 1; n <= 40; ++n) {
      std::int64_t at = 0;
      int filled = 0;
      for (int v = 0; v < shards; ++v) {
        const ShardRange range = ShardOf(n, shards, v);
        REQUIRE(range.begin == (range.size() > 0 ? at : range.begin));
        if (range.size() == 0) continue;
        REQUIRE((range.size() >= 2 || n == 1));
        at = range.end;
        ++filled;
      }
      REQUIRE(at == n);
      REQUIRE(filled == FilledShards(n, shards));
      REQUIRE(ShardsOf(n, shards, 0, shards).size() == n);
    }
  }
}

TEST_CASE("gradients of shards add up to the mean of their own losses' gradients, in any order", "[train]") {
  const SearchSpace space = Tiny();
  const Choice choice = space.Decode(std::string(space.edges().size(), '0'));
  const auto ranks = MakeSingleCommunicator();
  const std::int64_t images = GENERATE(16, 9, 3, 1);
  const Batch batch = RandomBatch(images);

  // Oracle: each shard alone, with plain autograd.
  std::map<std::string, at::Tensor> expected;
  double loss_sum = 0;
  for (int v = 0; v < 4; ++v) {
    Net net(space);
    const ShardRange range = ShardOf(images, 4, v);
    if (range.size() == 0) continue;
    const at::Tensor loss =
        at::cross_entropy_loss(net.Forward(batch.images.narrow(0, range.begin, range.size()), choice, BnMode::kTrain),
                               batch.labels.narrow(0, range.begin, range.size())) *
        (static_cast<double>(range.size()) / static_cast<double>(images));
    loss.backward();
    loss_sum += loss.item<double>();
    for (const auto& [name, gradient] : Gradients(net, choice)) {
      auto& sum = expected[name];
      sum = sum.defined() ? sum + gradient : gradient;
    }
  }
  for (const bool tree : {false, true}) {
    Net net(space);
    const ShardGroup group(*ranks, {4, tree});
    GradientExchange exchange(group);
    const auto sums = Step(net, group, exchange, batch, {choice});
    REQUIRE(sums.at(0) == Approx(loss_sum));
    REQUIRE(sums.at(1) == 4);
    REQUIRE(RelativeDistance(expected, Gradients(net, choice)) < 1e-12);
  }
}

TEST_CASE("BN statistics after a step are the mean over the shards that had images; counters go on by one", "[train]") {
  const SearchSpace space = Tiny();
  const Choice choice = space.Decode(std::string(space.edges().size(), '0'));
  const auto ranks = MakeSingleCommunicator();
  const std::int64_t images = GENERATE(16, 5);
  const Batch batch = RandomBatch(images);
  const int filled = FilledShards(images, 4);
  std::map<std::string, at::Tensor> mean;
  for (int v = 0; v < filled; ++v) {
    Net net(space);
    const ShardRange range = ShardOf(images, 4, v);
    net.Forward(batch.images.narrow(0, range.begin, range.size()), choice, BnMode::kTrain);
    for (const PathTensor& tensor : net.PathTensors(choice)) {
      if (tensor.kind != PathTensor::Kind::kRunning) continue;
      auto& sum = mean[tensor.name];
      sum = sum.defined() ? sum + tensor.tensor / filled : tensor.tensor / filled;
    }
  }
  Net net(space);
  const ShardGroup group(*ranks, {4, GENERATE(false, true)});
  GradientExchange exchange(group);
  Step(net, group, exchange, batch, {choice});
  for (const PathTensor& tensor : net.PathTensors(choice)) {
    if (tensor.kind == PathTensor::Kind::kRunning) REQUIRE(at::allclose(tensor.tensor, mean.at(tensor.name), 1e-12));
    if (tensor.kind == PathTensor::Kind::kCounter) REQUIRE(tensor.tensor.item<std::int64_t>() == 1);
  }
}

TEST_CASE("bytes are those of the active path; other candidates stay as they are", "[train]") {
  const SearchSpace space = Tiny();
  const auto ranks = MakeSingleCommunicator();
  Net net(space);
  std::map<std::string, at::Tensor> before;
  for (const auto& [name, tensor] : net.NamedTensors()) before[name] = tensor.detach().clone();
  const Choice choice = space.Decode(std::string(space.edges().size(), '1'));
  const ShardGroup group(*ranks, {2, false});
  GradientExchange exchange(group);
  Step(net, group, exchange, RandomBatch(8), {choice});
  std::int64_t parameters = 0;
  std::int64_t channels = 0;
  std::set<std::string> active;
  for (const PathTensor& tensor : net.PathTensors(choice)) {
    active.insert(tensor.name);
    if (tensor.kind == PathTensor::Kind::kTrained) parameters += tensor.tensor.numel();
    if (tensor.kind == PathTensor::Kind::kRunning) channels += tensor.tensor.numel();
  }
  REQUIRE(exchange.stats().steps == 1);
  REQUIRE(exchange.stats().gradient_bytes == 8 * parameters);  // float64 here
  REQUIRE(exchange.stats().bn_bytes == 8 * channels);
  for (const auto& [name, tensor] : net.NamedTensors()) {
    if (active.contains(name)) continue;
    REQUIRE(tensor.equal(before.at(name)));
    REQUIRE_FALSE(tensor.grad().defined());
  }
}

TEST_CASE("with a path of each shard's own a tensor gets the mean over those that used it", "[train]") {
  const SearchSpace space = Tiny();
  const auto ranks = MakeSingleCommunicator();
  const Batch batch = RandomBatch(16);
  const std::size_t edges = space.edges().size();
  // Shards 0 and 1 agree on edge 0, shard 2 and 3 are elsewhere; all take op 0 behind it.
  std::vector<Choice> choices(4, space.Decode(std::string(edges, '0')));
  choices[2][0] = 1;
  choices[3][0] = 2;
  Net net(space);
  const ShardGroup group(*ranks, {4, GENERATE(false, true)});
  GradientExchange exchange(group);
  Step(net, group, exchange, batch, choices);

  std::map<std::string, at::Tensor> expected;
  std::map<std::string, int> users;
  for (int v = 0; v < 4; ++v) {
    Net alone(space);
    const ShardRange range = ShardOf(16, 4, v);
    at::cross_entropy_loss(alone.Forward(batch.images.narrow(0, range.begin, range.size()),
                                         choices[static_cast<std::size_t>(v)], BnMode::kTrain),
                           batch.labels.narrow(0, range.begin, range.size()))
        .backward();
    for (const auto& [name, gradient] : Gradients(alone, choices[static_cast<std::size_t>(v)])) {
      auto& sum = expected[name];
      sum = sum.defined() ? sum + gradient : gradient;
      ++users[name];
    }
  }
  int partial = 0;
  for (int v = 0; v < 4; ++v) {
    for (const PathTensor& tensor : net.PathTensors(choices[static_cast<std::size_t>(v)])) {
      if (tensor.kind != PathTensor::Kind::kTrained) continue;
      // Losses are means over the batch: a shard's own is weighed by 4 of 16.
      REQUIRE(at::allclose(tensor.tensor.grad(), expected.at(tensor.name) / users.at(tensor.name), 1e-9, 1e-12));
      partial += users.at(tensor.name) < 4 ? 1 : 0;
    }
  }
  REQUIRE(partial > 0);
}

TEST_CASE("a step that is given up leaves BN statistics as before and no gradients", "[train]") {
  const SearchSpace space = Tiny();
  const auto ranks = MakeSingleCommunicator();
  Net net(space);
  const Choice choice = space.Decode(std::string(space.edges().size(), '0'));
  std::map<std::string, at::Tensor> before;
  for (const auto& [name, tensor] : net.NamedTensors()) before[name] = tensor.detach().clone();
  const ShardGroup group(*ranks, {2, false});
  GradientExchange exchange(group);
  const Batch batch = RandomBatch(8);
  exchange.Begin(net.PathTensors(choice), 8);
  exchange.StartShard(0);
  at::cross_entropy_loss(net.Forward(batch.images, choice, BnMode::kTrain), batch.labels).backward();
  exchange.Undo();
  for (const auto& [name, tensor] : net.NamedTensors()) {
    REQUIRE(tensor.equal(before.at(name)));
    REQUIRE_FALSE(tensor.grad().defined());
  }
}

TEST_CASE("ranks that do not divide the shards, and trees without powers of two, are refused", "[train]") {
  const std::string divide = MessageOf(ErrorKind::kInput, [] { ShardOptions{4, false}.Validate(3); });
  REQUIRE(divide.find("out of 1, 2, 4, or another") != std::string::npos);
  const std::string tree = MessageOf(ErrorKind::kUsage, [] { ShardOptions{3, true}.Validate(1); });
  REQUIRE(tree.find("--reduce") != std::string::npos);
  ShardOptions{6, false}.Validate(3);
  ShardOptions{8, true}.Validate(2);
}
