// SPDX-License-Identifier: Apache-2.0
#include "support/torch_test.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>

#include "nas/nn/supernet.h"
#include "nn/nn_support.h"
#include "nn/op_module.h"
#include "nn/tensor_list.h"

namespace nas::test {

namespace {

using Gates = std::vector<at::Tensor>;  ///< [ops] per edge

/// The over-parameterised network as the paper writes it: y = [x +] Σ_k g_k·o_k(x) with every op in the graph.
class ExplicitSupernet {
 public:
  ExplicitSupernet(const SearchSpace& space, const Supernet& supernet) : space_(space) {
    std::map<std::string, at::Tensor> values;
    for (const auto& [name, tensor] : supernet.NamedTensors()) values[name] = tensor;
    const auto make = [&](const Layer& layer, const std::string& prefix) {
      std::unique_ptr<detail::OpModule> op = detail::MakeOpModule(layer, space.base().bn);
      const std::vector<detail::NamedTensor> tensors = detail::CollectTensors(*op, prefix);
      detail::ConvertTensors(tensors, at::kDouble);
      for (const detail::NamedTensor& named : tensors) named.tensor.copy_(values.at(named.name).detach());
      return op;
    };
    for (std::size_t i = 0; i < space.base().layers.size(); ++i) {
      const Layer& layer = space.base().layers[i];
      layers_.emplace_back();
      if (!space.IsSearched(static_cast<int>(i))) {
        layers_.back().push_back(
            make(layer, layer.name.starts_with("blocks.") ? layer.name + ".mobile_inverted_conv" : layer.name));
        continue;
      }
      for (const Edge& edge : space.edges()) {
        if (edge.layer != static_cast<int>(i)) continue;
        for (int k = 0; k < edge.size(); ++k) {
          layers_.back().push_back(
              make(edge.candidates[static_cast<std::size_t>(k)], layer.name + ".op" + std::to_string(k)));
        }
      }
    }
  }

  at::Tensor Forward(const at::Tensor& images, const Gates& gates) {
    at::Tensor x = images.contiguous(at::MemoryFormat::ChannelsLast);
    std::size_t edge = 0;
    for (std::size_t i = 0; i < layers_.size(); ++i) {
      const bool searched = space_.IsSearched(static_cast<int>(i));
      if (!searched) {
        const Layer& layer = space_.base().layers[i];
        const at::Tensor y = layers_[i][0]->Forward(x, BnMode::kProbe);
        x = layer.skip ? y + x : y;
        continue;
      }
      at::Tensor sum;
      for (std::size_t k = 0; k < layers_[i].size(); ++k) {
        const at::Tensor part = gates[edge][static_cast<std::int64_t>(k)] * layers_[i][k]->Forward(x, BnMode::kProbe);
        sum = sum.defined() ? sum + part : part;
      }
      x = space_.edges()[edge].candidates[0].skip ? sum + x : sum;
      ++edge;
    }
    return x;
  }

 private:
  SearchSpace space_;
  std::vector<std::vector<std::unique_ptr<detail::OpModule>>> layers_;
};

Gates OneHot(const SearchSpace& space, const std::vector<EdgeSample>& sample, bool requires_grad) {
  Gates gates;
  for (std::size_t e = 0; e < sample.size(); ++e) {
    at::Tensor row = at::zeros({space.edges()[e].size()}, at::kDouble);
    row[sample[e].active] = 1;
    gates.push_back(row.requires_grad_(requires_grad));
  }
  return gates;
}

using Rows = std::vector<std::vector<double>>;

Rows GatesOf(Supernet& supernet, const at::Tensor& images, const std::vector<EdgeSample>& sample, GateMode mode) {
  const ArchForward forward = supernet.ForwardGated(images, sample, mode);
  Loss(forward.logits).backward();
  return forward.gates->ToHost();
}

/// Largest difference over the largest entry of the row.
double Difference(const Rows& rows, const Gates& gates) {
  double worst = 0;
  for (std::size_t e = 0; e < rows.size(); ++e) {
    const at::Tensor wanted = gates[e].grad();
    const at::Tensor got = at::tensor(rows[e], at::kDouble);
    worst = std::max(worst, RelativeError(got, wanted));
  }
  return worst;
}

struct Case {
  const char* space;
  SpaceOptions options;
  std::vector<EdgeSample> sample;
};

std::vector<Case> Cases() {
  const SpaceOptions small{.width_mult = 1, .resolution = 12, .classes = 0};
  const SpaceOptions narrow{.width_mult = 0.25, .resolution = 16, .classes = 0};
  return {{"tiny", small, {{0, 1}, {1, 0}, {2, 6}, {4, 5}, {5, 2}}},
          {"tiny", small, {{6, 3}, {5, 1}, {6, 0}, {0, 1}, {6, 4}}},  // Zero active
          {"tiny", small, {{3, 6}, {3, 2}, {1, 6}, {5, 4}, {2, 6}}},  // Zero inactive
          {"macro-cifar", narrow, {{0, 1}, {0, 2}, {2, 0}, {1, 0}, {0, 1}, {1, 2}, {2, 1}, {1, 0}}}};
}

}  // namespace

TEST_CASE("gate gradients equal those of the explicit mixture", "[nn]") {
  for (const Case& c : Cases()) {
    const SearchSpace space = LoadSpace(c.space, c.options);
    Supernet supernet(space, 2);
    supernet.To(at::kDouble);
    Disturb(supernet.NamedTensors());
    ExplicitSupernet mixture(space, supernet);
    const at::Tensor images = Images(3, space.resolution(), 4, at::kDouble);
    const Gates gates = OneHot(space, c.sample, /*requires_grad=*/true);
    const at::Tensor logits = mixture.Forward(images, gates);
    Loss(logits).backward();
    for (const GateMode mode : {GateMode::kTwo, GateMode::kFull, GateMode::kFullV2}) {
      INFO(c.space << " mode " << static_cast<int>(mode));
      CHECK(RelativeError(supernet.ForwardGated(images, c.sample, mode).logits.detach(), logits.detach()) < 1e-12);
      const Rows rows = GatesOf(supernet, images, c.sample, mode);
      if (mode != GateMode::kTwo) {
        CHECK(Difference(rows, gates) < 1e-9);
        continue;
      }
      for (std::size_t e = 0; e < rows.size(); ++e) {
        const double scale = gates[e].grad().abs().max().item<double>();
        for (int k = 0; k < space.edges()[e].size(); ++k) {
          const bool drawn = k == c.sample[e].active || k == c.sample[e].inactive;
          const double wanted = drawn ? gates[e].grad()[k].item<double>() : 0;
          CHECK(rows[e][static_cast<std::size_t>(k)] == Approx(wanted).margin(1e-9 * scale));
        }
      }
    }
  }
}

TEST_CASE("gate gradients equal finite differences of the loss", "[nn]") {
  const SearchSpace space = LoadSpace("tiny", {.width_mult = 1, .resolution = 12, .classes = 0});
  Supernet supernet(space, 2);
  supernet.To(at::kDouble);
  ExplicitSupernet mixture(space, supernet);
  const at::Tensor images = Images(3, 12, 4, at::kDouble);
  const std::vector<EdgeSample> sample{{0, 1}, {1, 0}, {6, 3}, {4, 5}, {5, 2}};
  const Rows rows = GatesOf(supernet, images, sample, GateMode::kFullV2);
  const at::NoGradGuard no_grad;
  const auto slope = [&](std::size_t e, int k, double step) {
    double loss[2];
    for (const int side : {0, 1}) {
      Gates gates = OneHot(space, sample, false);
      gates[e][k] += side == 1 ? step : -step;
      loss[side] = Loss(mixture.Forward(images, gates)).item<double>();
    }
    return (loss[1] - loss[0]) / (2 * step);
  };
  int compared = 0;
  for (std::size_t e = 0; e < rows.size(); ++e) {
    for (const int k : {0, 3, 5}) {
      const double numeric = slope(e, k, 1e-5);
      // A ReLU6 that bends within the step shows as a slope that depends on the step: no oracle there.
      if (std::abs(numeric - slope(e, k, 4e-6)) > 1e-7 * std::max(1.0, std::abs(numeric))) continue;
      ++compared;
      CHECK(rows[e][static_cast<std::size_t>(k)] == Approx(numeric).epsilon(1e-6).margin(1e-7));
    }
  }
  CHECK(compared > 7);
}

TEST_CASE("full_v2 equals full in float32", "[nn]") {
  const SearchSpace space = LoadSpace("tiny");
  Supernet supernet(space, 2);
  const at::Tensor images = Images(8, 32, 4);
  const std::vector<EdgeSample> sample{{0, -1}, {1, -1}, {6, -1}, {4, -1}, {5, -1}};
  const Rows full = GatesOf(supernet, images, sample, GateMode::kFull);
  const Rows late = GatesOf(supernet, images, sample, GateMode::kFullV2);
  for (std::size_t e = 0; e < full.size(); ++e) {
    CHECK(RelativeError(at::tensor(late[e], at::kDouble), at::tensor(full[e], at::kDouble)) < 1e-4);
  }
}

TEST_CASE("an architecture step leaves every tensor and gradient alone", "[nn]") {
  const SearchSpace space = LoadSpace("tiny");
  Supernet supernet(space, 2);
  const auto before = Snapshot(supernet.NamedTensors());
  const std::vector<EdgeSample> sample{{0, 1}, {1, 0}, {6, 3}, {4, 5}, {5, 2}};
  for (const GateMode mode : {GateMode::kTwo, GateMode::kFull, GateMode::kFullV2}) {
    GatesOf(supernet, Images(8, 32, 1), sample, mode);
    CHECK(Changed(before, supernet.NamedTensors()).empty());
  }
  const auto check = [](const Pairs& parameters) {
    for (const auto& [name, tensor] : parameters) {
      INFO(name);
      CHECK_FALSE(tensor.grad().defined());
      CHECK(tensor.requires_grad());
    }
  };
  check(supernet.FixedParameters());
  for (int e = 0; e < 5; ++e) {
    for (int k = 0; k < space.edges()[static_cast<std::size_t>(e)].size(); ++k)
      check(supernet.CandidateParameters(e, k));
  }
  // Gradients of a weight step that waits for its optimizer survive an architecture step.
  Loss(supernet.Forward(Images(8, 32, 1), Choice(5, 0), BnMode::kTrain)).backward();
  const at::Tensor gradient = supernet.FixedParameters()[0].second.grad().clone();
  GatesOf(supernet, Images(8, 32, 2), sample, GateMode::kTwo);
  CHECK(at::equal(supernet.FixedParameters()[0].second.grad(), gradient));
}

TEST_CASE("edges with one candidate left are just run", "[nn]") {
  const SearchSpace space = LoadSpace("tiny");
  Supernet supernet(space, 2);
  supernet.To(at::kDouble);
  const at::Tensor images = Images(3, 32, 4, at::kDouble);
  const std::vector<EdgeSample> sample{{0, -1}, {1, 0}, {2, -1}, {4, 5}, {5, -1}};
  const at::Tensor path = supernet.Forward(images, {0, 1, 2, 4, 5}, BnMode::kProbe).detach();
  const ArchForward forward = supernet.ForwardGated(images, sample, GateMode::kTwo);
  CHECK(RelativeError(forward.logits.detach(), path) < 1e-12);
  Loss(forward.logits).backward();
  const Rows rows = forward.gates->ToHost();
  for (const std::size_t e : {0, 2, 4}) {
    CHECK(rows[e] == std::vector<double>(rows[e].size(), 0.0));
  }
  CHECK(rows[1][0] != 0);
  CHECK(rows[3][5] != 0);

  for (int k = 1; k < 7; ++k) supernet.Remove(0, k);
  const Rows pruned = GatesOf(supernet, images, sample, GateMode::kFullV2);
  CHECK(pruned[0] == std::vector<double>(7, 0.0));
  CHECK(pruned[1][0] == Approx(rows[1][0]).epsilon(1e-9));
  CHECK(pruned[4][0] != 0);

  // Nothing left to decide at all: backward still works.
  const ArchForward nothing =
      supernet.ForwardGated(images, {{0, -1}, {1, -1}, {2, -1}, {4, -1}, {5, -1}}, GateMode::kTwo);
  Loss(nothing.logits).backward();
  for (const auto& row : nothing.gates->ToHost()) CHECK(row == std::vector<double>(row.size(), 0.0));
}

TEST_CASE("an architecture step works where the caller has switched gradients off", "[nn]") {
  const SearchSpace space = LoadSpace("tiny");
  Supernet supernet(space, 2);
  const std::vector<EdgeSample> sample{{0, 1}, {1, 0}, {2, 3}, {4, 5}, {5, 2}};
  const at::Tensor images = Images(4, 32, 4);
  const Rows rows = GatesOf(supernet, images, sample, GateMode::kTwo);
  ArchForward forward;
  {
    const at::NoGradGuard no_grad;
    forward = supernet.ForwardGated(images, sample, GateMode::kTwo);
  }
  Loss(forward.logits).backward();
  CHECK(forward.gates->ToHost() == rows);
}

}  // namespace nas::test
