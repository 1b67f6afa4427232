// SPDX-License-Identifier: Apache-2.0
#include "self_test.h"

#include <algorithm>
#include <cmath>

namespace nas::agent {
namespace {

constexpr double kMostError = 1e-4;
constexpr int kBatch = 2;

// Each op, kernel, stride, activation and side parity once.
const char* const kKeys[] = {"conv:33,3,17,16,0,0,0,0,0,-",         "conv:16,3,16,24,0,0,0,0,0,-",
                             "mbconv:14,16,14,16,48,3,1,1,0,relu6", "mbconv:15,16,8,24,64,5,2,0,0,relu6",
                             "mbconv:14,8,7,16,32,7,2,0,1,hswish",  "mbconv:9,12,9,12,36,5,1,1,1,relu",
                             "mbconv:12,24,12,16,24,3,1,0,0,relu6", "mbconv:10,16,10,16,40,7,1,1,0,hswish",
                             "conv1x1:12,16,6,32,0,0,2,0,0,-",      "conv_1:7,32,7,64,0,0,0,0,0,-",
                             "avgpool2d:7,64,1,64,0,0,0,0,0,-",     "conv_2:1,64,1,96,0,0,0,0,0,-",
                             "logits:1,96,1,10,0,0,0,0,0,-",        "logits:7,32,1,10,0,0,0,0,0,-"};

std::vector<float> Compute(const Backend& backend, const Graph& graph, int threads) {
  const auto input = std::make_shared<MapBuffer>(graph.batch * graph.input().elements());
  const auto output = std::make_shared<MapBuffer>(graph.batch * graph.output().elements());
  FillRandom(*input, 1);
  backend.make(graph, input, output, threads)->Run();
  return {output->data(), output->data() + output->size()};
}

}  // namespace

std::vector<SelfTestCase> RunSelfTest(const std::vector<Backend>& backends, int threads) {
  const Backend plain = PlainBackend();
  std::vector<SelfTestCase> cases;
  for (const Backend& backend : backends) {
    for (const char* key : kKeys) {
      const Graph graph = BuildGraph({ParseBlockKey(key)}, kBatch, /*seed=*/7);
      const std::vector<float> expected = Compute(plain, graph, 1);
      const std::vector<float> got = Compute(backend, graph, std::min(threads, backend.most_threads));
      SelfTestCase result;
      result.backend = backend.name;
      result.key = key;
      double greatest = 0;
      bool finite = true;
      for (std::size_t i = 0; i < expected.size(); ++i) {
        finite = finite && std::isfinite(got[i]);
        result.error = std::max(result.error, std::abs(double{got[i]} - expected[i]));
        greatest = std::max(greatest, std::abs(double{expected[i]}));
      }
      result.error = greatest > 0 ? result.error / greatest : 1;
      result.passed = finite && result.error <= kMostError;
      cases.push_back(result);
    }
  }
  return cases;
}

}  // namespace nas::agent
