// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstring>

#include "backend.h"
#include "nas/core/rng.h"
#include "nas/core/version.h"

namespace nas::agent {
namespace {

float HardGate(float x) { return std::clamp(x + 3, 0.0F, 6.0F) / 6; }

// Runs the operations one after another, as their definition reads.
class PlainRunner final : public GraphRunner {
 public:
  PlainRunner(const Graph& graph, std::shared_ptr<MapBuffer> input, std::shared_ptr<MapBuffer> output) : graph_(graph) {
    for (std::size_t i = 0; i < graph.maps.size(); ++i) {
      const bool first = i == 0, last = i + 1 == graph.maps.size();
      maps_.push_back(first  ? input
                      : last ? output
                             : std::make_shared<MapBuffer>(graph.batch * graph.maps[i].elements()));
    }
  }

  void Run() override {
    for (const GraphOp& op : graph_.ops) {
      for (int image = 0; image < graph_.batch; ++image) RunOp(op, image);
    }
  }

 private:
  float* Map(int index, int image) { return maps_[index]->data() + image * graph_.maps[index].elements(); }

  void RunOp(const GraphOp& op, int image) {
    const float* in = Map(op.input, image);
    float* out = Map(op.output, image);
    const MapShape& shape = graph_.maps[op.output];
    const std::int64_t n = shape.elements();
    switch (op.kind) {
      case GraphOp::Kind::kConv:
        return Conv(op, in, out);
      case GraphOp::Kind::kDepthwise:
        return Depthwise(op, in, out);
      case GraphOp::Kind::kAdd: {
        const float* other = Map(op.other, image);
        for (std::int64_t i = 0; i < n; ++i) out[i] = in[i] + other[i];
        return;
      }
      case GraphOp::Kind::kGlobalPool:
        return Pool(graph_.maps[op.input], in, out);
      case GraphOp::Kind::kHSwish:
        for (std::int64_t i = 0; i < n; ++i) out[i] = in[i] * HardGate(in[i]);
        return;
      case GraphOp::Kind::kHSigmoid:
        for (std::int64_t i = 0; i < n; ++i) out[i] = HardGate(in[i]);
        return;
      case GraphOp::Kind::kScale: {
        const float* gate = Map(op.other, image);
        for (std::int64_t i = 0; i < n; ++i) out[i] = in[i] * gate[i % shape.channels];
        return;
      }
    }
  }

  void Conv(const GraphOp& op, const float* in, float* out) const {
    const MapShape& from = graph_.maps[op.input];
    const MapShape& to = graph_.maps[op.output];
    const int k = op.kernel, pad = k / 2;
    for (int y = 0; y < to.side; ++y) {
      for (int x = 0; x < to.side; ++x) {
        for (int o = 0; o < to.channels; ++o) {
          float sum = op.bias[o];
          for (int ky = 0; ky < k; ++ky) {
            const int iy = y * op.stride - pad + ky;
            if (iy < 0 || iy >= from.side) continue;
            for (int kx = 0; kx < k; ++kx) {
              const int ix = x * op.stride - pad + kx;
              if (ix < 0 || ix >= from.side) continue;
              const float* pixel = in + (std::int64_t{iy} * from.side + ix) * from.channels;
              const float* w = op.weights.data() + ((std::int64_t{o} * k + ky) * k + kx) * from.channels;
              for (int i = 0; i < from.channels; ++i) sum += pixel[i] * w[i];
            }
          }
          out[(std::int64_t{y} * to.side + x) * to.channels + o] = std::clamp(sum, op.low, op.high);
        }
      }
    }
  }

  void Depthwise(const GraphOp& op, const float* in, float* out) const {
    const MapShape& from = graph_.maps[op.input];
    const MapShape& to = graph_.maps[op.output];
    const int k = op.kernel, pad = k / 2, c = from.channels;
    for (int y = 0; y < to.side; ++y) {
      for (int x = 0; x < to.side; ++x) {
        float* pixel = out + (std::int64_t{y} * to.side + x) * c;
        std::memcpy(pixel, op.bias.data(), sizeof(float) * static_cast<std::size_t>(c));
        for (int ky = 0; ky < k; ++ky) {
          const int iy = y * op.stride - pad + ky;
          if (iy < 0 || iy >= from.side) continue;
          for (int kx = 0; kx < k; ++kx) {
            const int ix = x * op.stride - pad + kx;
            if (ix < 0 || ix >= from.side) continue;
            const float* source = in + (std::int64_t{iy} * from.side + ix) * c;
            const float* w = op.weights.data() + (std::int64_t{ky} * k + kx) * c;
            for (int i = 0; i < c; ++i) pixel[i] += source[i] * w[i];
          }
        }
        for (int i = 0; i < c; ++i) pixel[i] = std::clamp(pixel[i], op.low, op.high);
      }
    }
  }

  static void Pool(const MapShape& from, const float* in, float* out) {
    const int pixels = from.side * from.side;
    for (int c = 0; c < from.channels; ++c) {
      float sum = 0;
      for (int i = 0; i < pixels; ++i) sum += in[std::int64_t{i} * from.channels + c];
      out[c] = sum / static_cast<float>(pixels);
    }
  }

  Graph graph_;
  std::vector<std::shared_ptr<MapBuffer>> maps_;
};

}  // namespace

void FillRandom(MapBuffer& buffer, std::uint64_t seed) {
  CounterRng rng(seed);
  for (std::int64_t i = 0; i < buffer.size(); ++i) buffer.data()[i] = static_cast<float>(2 * rng.Uniform() - 1);
}

Backend PlainBackend() {
  Backend backend;
  backend.name = "plain";
  backend.version = kVersion;
  backend.make = [](const Graph& graph, const std::shared_ptr<MapBuffer>& input,
                    const std::shared_ptr<MapBuffer>& output, int) -> std::unique_ptr<GraphRunner> {
    return std::make_unique<PlainRunner>(graph, input, output);
  };
  return backend;
}

std::vector<Backend> AllBackends() {
  std::vector<Backend> all = XnnpackBackends();
  all.push_back(PlainBackend());
  return all;
}

}  // namespace nas::agent
