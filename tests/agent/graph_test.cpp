// SPDX-License-Identifier: Apache-2.0
#include "agent/graph.h"

#include "agent/backend.h"
#include "nas/core/error.h"
#include "support/catch_compat.h"

using namespace nas;
using namespace nas::agent;

namespace {

Graph GraphOf(const std::vector<std::string>& keys, int batch = 1) {
  std::vector<BlockKey> parsed;
  for (const std::string& key : keys) parsed.push_back(ParseBlockKey(key));
  return BuildGraph(parsed, batch, 3);
}

std::int64_t Weights(const Graph& graph) {
  std::int64_t count = 0;
  for (const GraphOp& op : graph.ops) count += static_cast<std::int64_t>(op.weights.size());
  return count;
}

}  // namespace

TEST_CASE("a graph has the output shape and the weights of its block's key") {
  for (const char* text :
       {"mbconv:15,16,8,24,64,5,2,0,0,relu6", "mbconv:14,16,14,16,48,7,1,1,1,hswish",
        "mbconv:9,16,9,24,16,3,1,0,0,relu", "conv:33,3,17,16,0,0,0,0,0,-", "conv:16,3,16,24,0,0,0,0,0,-",
        "conv_1:7,32,7,64,0,0,0,0,0,-", "conv1x1:13,16,7,32,0,0,2,0,0,-", "avgpool2d:7,64,1,64,0,0,0,0,0,-",
        "conv_2:1,64,1,96,0,0,0,0,0,-", "logits:7,32,1,10,0,0,0,0,0,-"}) {
    INFO(text);
    const BlockKey key = ParseBlockKey(text);
    const Graph graph = GraphOf({text});
    CHECK(graph.output().side == key.hout);
    CHECK(graph.output().channels == key.cout);
    CHECK(static_cast<double>(Weights(graph)) == BlockWeights(key));
  }
}

TEST_CASE("blocks that do not fit each other are refused, naming the block") {
  try {
    GraphOf({"conv:16,3,8,8,0,0,0,0,0,-", "mbconv:8,16,8,16,32,3,1,1,0,relu6"});
    FAIL("a chain that does not fit was built");
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::kInput);
    CHECK(std::string(error.what()).find("mbconv:8,16") != std::string::npos);
  }
  CHECK_THROWS_AS(GraphOf({}), Error);
}

TEST_CASE("plain loops: a 1x1 conv, a mean and a shortcut, by hand") {
  const auto run = [](const Graph& graph, const std::vector<float>& values) {
    const auto input = std::make_shared<MapBuffer>(graph.input().elements());
    const auto output = std::make_shared<MapBuffer>(graph.output().elements());
    std::copy(values.begin(), values.end(), input->data());
    PlainBackend().make(graph, input, output, 1)->Run();
    return std::vector<float>(output->data(), output->data() + output->size());
  };
  Graph conv = GraphOf({"conv1x1:1,2,1,2,0,0,1,0,0,-"});
  conv.ops[0].weights = {1, 2, 3, 4};
  conv.ops[0].bias = {10, 20};
  CHECK(run(conv, {5, 6}) == std::vector<float>{27, 59});
  CHECK(run(GraphOf({"avgpool2d:2,1,1,1,0,0,0,0,0,-"}), {1, 2, 3, 6}) == std::vector<float>{3});
  // Without weights only the shortcut is left.
  Graph block = GraphOf({"mbconv:2,1,2,1,1,3,1,1,0,relu6"});
  for (GraphOp& op : block.ops) {
    std::fill(op.weights.begin(), op.weights.end(), 0.0F);
    std::fill(op.bias.begin(), op.bias.end(), 0.0F);
  }
  CHECK(run(block, {1, -2, 3, 4}) == std::vector<float>{1, -2, 3, 4});
}
