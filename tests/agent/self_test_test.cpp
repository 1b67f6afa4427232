// SPDX-License-Identifier: Apache-2.0
#include "agent/self_test.h"

#include "support/catch_compat.h"

using namespace nas::agent;

TEST_CASE("every operation of every engine agrees with plain loops, with one thread and with two") {
  const std::vector<Backend> backends = AllBackends();
  if (backends.size() == 1) WARN("nas-agent was built without XNNPACK (libxnnpack-dev): only plain loops are tested");
  for (const int threads : {1, 2}) {
    for (const SelfTestCase& result : RunSelfTest(backends, threads)) {
      INFO(result.backend << " " << result.key << " threads " << threads << " error " << result.error);
      CHECK(result.passed);
    }
  }
}

TEST_CASE("the self-test notices an engine that computes something else") {
  Backend wrong = PlainBackend();
  wrong.make = [](const Graph& graph, const std::shared_ptr<MapBuffer>& input, const std::shared_ptr<MapBuffer>& output,
                  int threads) {
    Graph changed = graph;
    for (GraphOp& op : changed.ops) {
      if (!op.bias.empty()) op.bias[0] += 0.01F;
    }
    return PlainBackend().make(changed, input, output, threads);
  };
  int failed = 0;
  for (const SelfTestCase& result : RunSelfTest({wrong}, 1)) failed += !result.passed;
  CHECK(failed > 5);
}
