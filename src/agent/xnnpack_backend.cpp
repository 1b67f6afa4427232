// SPDX-License-Identifier: Apache-2.0
#include <xnnpack.h>

#include <array>
#include <limits>
#include <utility>

#include "backend.h"
#include "nas/core/error.h"
#include "nas/core/text.h"

namespace nas::agent {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

void Check(xnn_status status, const char* what) {
  if (status == xnn_status_success) return;
  if (status == xnn_status_out_of_memory) throw std::bad_alloc();
  ThrowInput(StrCat("XNNPACK refuses ", what, " (status ", static_cast<int>(status), ")"));
}

struct DeleteSubgraph {
  void operator()(xnn_subgraph* subgraph) const { xnn_delete_subgraph(subgraph); }
};
struct DeleteRuntime {
  void operator()(xnn_runtime* runtime) const { xnn_delete_runtime(runtime); }
};
struct DeletePool {
  void operator()(pthreadpool* pool) const { pthreadpool_destroy(pool); }
};

// Defines the graph's operations in an XNNPACK subgraph.
class SubgraphWriter {
 public:
  SubgraphWriter(const Graph& graph, xnn_subgraph_t subgraph, std::vector<std::vector<float>>& kept)
      : graph_(graph), subgraph_(subgraph), kept_(kept) {
    const int last = static_cast<int>(graph.maps.size()) - 1;
    for (int i = 0; i <= last; ++i) {
      const std::uint32_t flags = i == 0      ? XNN_VALUE_FLAG_EXTERNAL_INPUT
                                  : i == last ? XNN_VALUE_FLAG_EXTERNAL_OUTPUT
                                              : 0;
      const std::uint32_t external = i == 0 ? 0 : i == last ? 1 : XNN_INVALID_VALUE_ID;
      maps_.push_back(Tensor(Dims(graph.maps[i]), nullptr, external, flags));
    }
    for (const GraphOp& op : graph.ops) Write(op);
  }

 private:
  std::vector<std::size_t> Dims(const MapShape& map) const {
    const auto side = static_cast<std::size_t>(map.side);
    return {static_cast<std::size_t>(graph_.batch), side, side, static_cast<std::size_t>(map.channels)};
  }

  std::uint32_t Tensor(const std::vector<std::size_t>& dims, const float* data,
                       std::uint32_t external = XNN_INVALID_VALUE_ID, std::uint32_t flags = 0) {
    std::uint32_t id = XNN_INVALID_VALUE_ID;
    Check(xnn_define_tensor_value(subgraph_, xnn_datatype_fp32, dims.size(), dims.data(), data, external, flags, &id),
          "a tensor");
    return id;
  }

  // Static tensors have to live as long as the runtime.
  std::uint32_t Static(const std::vector<std::size_t>& dims, std::vector<float> values) {
    values.resize(values.size() + XNN_EXTRA_BYTES / sizeof(float));
    kept_.push_back(std::move(values));
    return Tensor(dims, kept_.back().data());
  }

  void Write(const GraphOp& op) {
    const MapShape& from = graph_.maps[op.input];
    const MapShape& to = graph_.maps[op.output];
    const std::uint32_t in = maps_[op.input], out = maps_[op.output];
    const auto k = static_cast<std::uint32_t>(op.kernel), s = static_cast<std::uint32_t>(op.stride), pad = k / 2;
    const auto cin = static_cast<std::size_t>(from.channels), cout = static_cast<std::size_t>(to.channels);
    switch (op.kind) {
      case GraphOp::Kind::kConv: {
        const std::uint32_t w = Static({cout, k, k, cin}, op.weights), b = Static({cout}, op.bias);
        return Check(xnn_define_convolution_2d(subgraph_, pad, pad, pad, pad, k, k, s, s, 1, 1, /*groups=*/1, cin, cout,
                                               op.low, op.high, in, w, b, out, 0),
                     "a convolution");
      }
      case GraphOp::Kind::kDepthwise: {
        const std::uint32_t w = Static({1, k, k, cin}, op.weights), b = Static({cin}, op.bias);
        return Check(
            xnn_define_depthwise_convolution_2d(subgraph_, pad, pad, pad, pad, k, k, s, s, 1, 1,
                                                /*depth_multiplier=*/1, cin, op.low, op.high, in, w, b, out, 0),
            "a depthwise convolution");
      }
      case GraphOp::Kind::kAdd:
        return Check(xnn_define_add2(subgraph_, -kInfinity, kInfinity, in, maps_[op.other], out, 0), "an addition");
      case GraphOp::Kind::kGlobalPool:
        return Check(xnn_define_global_average_pooling_2d(subgraph_, -kInfinity, kInfinity, in, out, 0), "a pooling");
      case GraphOp::Kind::kHSwish:
        return Check(xnn_define_hardswish(subgraph_, in, out, 0), "an h-swish");
      case GraphOp::Kind::kHSigmoid: {
        const std::uint32_t shifted = Tensor(Dims(from), nullptr), three = Static({1}, {3}),
                            sixth = Static({1}, {1.0F / 6});
        Check(xnn_define_add2(subgraph_, 0, 6, in, three, shifted, 0), "an h-sigmoid");
        return Check(xnn_define_multiply2(subgraph_, -kInfinity, kInfinity, shifted, sixth, out, 0), "an h-sigmoid");
      }
      case GraphOp::Kind::kScale:
        return Check(xnn_define_multiply2(subgraph_, -kInfinity, kInfinity, in, maps_[op.other], out, 0), "a gate");
    }
  }

  const Graph& graph_;
  xnn_subgraph_t subgraph_;
  std::vector<std::vector<float>>& kept_;
  std::vector<std::uint32_t> maps_;
};

class XnnpackRunner final : public GraphRunner {
 public:
  XnnpackRunner(const Graph& graph, std::shared_ptr<MapBuffer> input, std::shared_ptr<MapBuffer> output,
                std::shared_ptr<pthreadpool> pool)
      : input_(std::move(input)), output_(std::move(output)), pool_(std::move(pool)) {
    xnn_subgraph_t subgraph = nullptr;
    Check(xnn_create_subgraph(/*external_value_ids=*/2, 0, &subgraph), "a graph");
    const std::unique_ptr<xnn_subgraph, DeleteSubgraph> owned(subgraph);
    const SubgraphWriter writer(graph, subgraph, kept_);
    xnn_runtime_t runtime = nullptr;
    Check(xnn_create_runtime_v2(subgraph, pool_.get(), 0, &runtime), "the graph");
    runtime_.reset(runtime);
    const std::array<xnn_external_value, 2> ends{{{0, input_->data()}, {1, output_->data()}}};
    Check(xnn_setup_runtime(runtime, ends.size(), ends.data()), "the graph's inputs");
  }

  void Run() override { Check(xnn_invoke_runtime(runtime_.get()), "to run"); }

 private:
  std::shared_ptr<MapBuffer> input_, output_;
  std::shared_ptr<pthreadpool> pool_;
  std::vector<std::vector<float>> kept_;
  std::unique_ptr<xnn_runtime, DeleteRuntime> runtime_;
};

// One thread needs no pool; more share one, for an engine has one number of threads.
std::shared_ptr<pthreadpool> PoolOf(int threads) {
  if (threads <= 1) return nullptr;
  return {pthreadpool_create(static_cast<std::size_t>(threads)), DeletePool()};
}

}  // namespace

std::vector<Backend> XnnpackBackends() {
  Backend backend;
  backend.name = "xnnpack";
  backend.version = NAS_XNNPACK_VERSION;
  backend.most_threads = 1024;
  backend.make = [pool = std::shared_ptr<pthreadpool>(), size = 0](
                     const Graph& graph, const std::shared_ptr<MapBuffer>& input,
                     const std::shared_ptr<MapBuffer>& output, int threads) mutable -> std::unique_ptr<GraphRunner> {
    if (size == 0) {
      if (xnn_initialize(nullptr) != xnn_status_success) {
        throw Error(ErrorKind::kUnavailable, "XNNPACK does not run on this processor; use the engine plain");
      }
      size = threads;
      pool = PoolOf(threads);
    }
    return std::make_unique<XnnpackRunner>(graph, input, output, pool);
  };
  return {backend};
}

}  // namespace nas::agent
