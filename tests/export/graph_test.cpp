// SPDX-License-Identifier: Apache-2.0
#include "support/torch_test.h"

#include <set>

#include "export/fixtures.h"
#include "export/graph.h"
#include "nas/space/op_catalogue.h"

namespace nas::test {
namespace {

void CollectOps(const std::vector<Layer>& layers, std::set<std::string>* ops) {
  for (const Layer& layer : layers) {
    ops->insert(layer.op);
    CollectOps(layer.children, ops);
  }
}

}  // namespace

TEST_CASE("every op of the catalogue has a translation, and the tests use all of them", "[export]") {
  std::vector<std::string> names;
  for (const Op* op : BuiltinOps()) names.emplace_back(op->name());
  REQUIRE(detail::GraphOpNames() == names);
  std::set<std::string> used;
  for (const Architecture& a : OpNetworks()) CollectOps(a.layers, &used);
  REQUIRE(used == std::set<std::string>(names.begin(), names.end()));
}

TEST_CASE("a graph has the shapes that the catalogue infers", "[export]") {
  for (const Architecture& a : OpNetworks()) {
    INFO(a.name);
    const Network network(a, 1);
    const detail::Graph graph = detail::BuildGraph(network);
    const MapShape out = InferShapes(a).back();
    const detail::GraphValue& last = graph.values[static_cast<std::size_t>(graph.output)];
    REQUIRE(last.shape == out);
    REQUIRE(last.flat);
    std::set<std::string> names;
    for (const detail::GraphNode& node : graph.nodes) REQUIRE(names.insert(node.name).second);
  }
}

TEST_CASE("folded BN leaves no node, kept BN one each", "[export]") {
  const Architecture a = SampledNetworks("tiny", 1, 0)[0];
  const Network network(a, 1);
  const auto count = [](const detail::Graph& graph) {
    return std::count_if(graph.nodes.begin(), graph.nodes.end(),
                         [](const detail::GraphNode& node) { return node.op == detail::GraphOp::kBatchNorm; });
  };
  std::ptrdiff_t norms = 0;
  for (const auto& named : network.NamedTensors()) norms += named.first.ends_with("running_mean");
  REQUIRE(norms > 0);
  REQUIRE(count(detail::BuildGraph(network)) == norms);
  REQUIRE(count(detail::BuildGraph(network.Folded())) == 0);
}

}  // namespace nas::test
