// SPDX-License-Identifier: Apache-2.0
// Field numbers are those of onnx.proto; operator semantics those of opset 17.
#include "onnx_model.h"

#include <cstdint>
#include <set>
#include <string_view>

#include <ATen/ATen.h>

#include "nas/core/error.h"
#include "nas/core/text.h"
#include "nas/core/version.h"
#include "wire_encoder.h"

namespace nas::detail {
namespace {

constexpr std::int64_t kIrVersion = 8;
constexpr std::int64_t kOpset = 17;
constexpr std::int64_t kFloat = 1;  // TensorProto.DataType
constexpr std::int64_t kInt64 = 7;
constexpr std::int64_t kFloat16 = 10;
constexpr std::size_t kMostBytes = std::size_t{2000} * 1000 * 1000;  // protocol buffers end at 2 GiB

WireMessage Attribute(std::string_view name, std::int64_t value) {
  WireMessage a;
  a.Bytes(1, name).Int(3, value).Int(20, /*INT*/ 2);
  return a;
}

WireMessage Attribute(std::string_view name, float value) {
  WireMessage a;
  a.Bytes(1, name).Float(2, value).Int(20, /*FLOAT*/ 1);
  return a;
}

WireMessage Attribute(std::string_view name, const std::vector<std::int64_t>& values) {
  WireMessage a;
  a.Bytes(1, name);
  for (const std::int64_t value : values) a.Int(8, value);
  a.Int(20, /*INTS*/ 7);
  return a;
}

/// name: float[dims], the first of them "N" where it is 0.
WireMessage ValueInfo(std::string_view name, const std::vector<std::int64_t>& dims) {
  WireMessage shape;
  for (const std::int64_t dim : dims) {
    WireMessage entry;
    if (dim == 0) {
      entry.Bytes(2, "N");
    } else {
      entry.Int(1, dim);
    }
    shape.Message(1, entry);
  }
  WireMessage tensor;
  tensor.Int(1, kFloat).Message(2, shape);
  WireMessage type;
  type.Message(1, tensor);
  WireMessage info;
  info.Bytes(1, name).Message(2, type);
  return info;
}

class OnnxWriter {
 public:
  OnnxWriter(const Graph& graph, bool fp16) : graph_(graph), fp16_(fp16), names_(graph.values.size()) {
    names_[0] = fp16 ? "images_fp16" : kOnnxInput;
    for (const GraphNode& node : graph.nodes) names_[static_cast<std::size_t>(node.output)] = node.name;
  }

  std::string Encode(const std::vector<std::pair<std::string, std::string>>& metadata) {
    const std::size_t last = static_cast<std::size_t>(graph_.output);
    if (fp16_) {
      Node("Cast", "cast_input", {kOnnxInput}, names_[0], {Attribute("to", kFloat16)});
    } else if (graph_.output != 0) {
      names_[last] = kOnnxOutput;
    }
    for (const GraphNode& node : graph_.nodes) Translate(node);
    if (fp16_) {
      Node("Cast", "cast_output", {names_[last]}, kOnnxOutput, {Attribute("to", kFloat)});
    } else if (graph_.output == 0) {
      Node("Identity", "identity", {kOnnxInput}, kOnnxOutput, {});
    }

    const Architecture& a = graph_.architecture;
    body_.Bytes(2, a.name.empty() ? "network" : a.name);
    body_.Message(11, ValueInfo(kOnnxInput, {0, 3, a.resolution, a.resolution}));
    const GraphValue& out = graph_.values[last];
    body_.Message(12, ValueInfo(kOnnxOutput, out.flat ? std::vector<std::int64_t>{0, out.shape.channels}
                                                      : std::vector<std::int64_t>{0, out.shape.channels, out.shape.side,
                                                                                  out.shape.side}));
    if (body_.bytes().size() > kMostBytes) {
      ThrowInput(StrCat("the network ", a.name, " needs ", body_.bytes().size(),
                        " bytes as ONNX, which holds less than 2 GB; export torchscript instead"));
    }
    WireMessage opset;
    opset.Bytes(1, "").Int(2, kOpset);
    WireMessage model;
    model.Int(1, kIrVersion).Bytes(2, "nas").Bytes(3, kVersion).Message(7, body_).Message(8, opset);
    for (const auto& [key, value] : metadata) {
      WireMessage entry;
      entry.Bytes(1, key).Bytes(2, value);
      model.Message(14, entry);
    }
    return model.bytes();
  }

 private:
  void Node(std::string_view type, std::string_view name, const std::vector<std::string>& inputs,
            std::string_view output, const std::vector<WireMessage>& attributes) {
    WireMessage node;
    for (const std::string& input : inputs) node.Bytes(1, input);
    node.Bytes(2, output).Bytes(3, name).Bytes(4, type);
    for (const WireMessage& attribute : attributes) node.Message(5, attribute);
    body_.Message(1, node);
  }

  /// An initializer; `tensor` in the graph's precision.
  std::string Weight(const std::string& name, const at::Tensor& tensor) {
    if (!written_.insert(name).second) return name;
    const at::Tensor plain = tensor.to(at::kCPU, fp16_ ? at::kHalf : at::kFloat).contiguous();
    WireMessage message;
    for (const std::int64_t size : plain.sizes()) message.Int(1, size);
    message.Int(2, fp16_ ? kFloat16 : kFloat).Bytes(8, name);
    message.Bytes(9, {static_cast<const char*>(plain.data_ptr()), plain.nbytes()});
    body_.Message(5, message);
    return name;
  }

  std::string Scalar(const std::string& name, double value) { return Weight(name, at::scalar_tensor(value)); }

  std::string Integers(const std::string& name, const std::vector<std::int64_t>& values) {
    if (!written_.insert(name).second) return name;
    WireMessage message;
    message.Int(1, static_cast<std::int64_t>(values.size())).Int(2, kInt64).Bytes(8, name);
    message.Bytes(9, {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(std::int64_t)});
    body_.Message(5, message);
    return name;
  }

  std::string Part(const GraphNode& node, const char* part) {
    return Weight(StrCat(node.name, ".", part), graph_.Tensor(node, part));
  }

  void Translate(const GraphNode& node) {
    std::vector<std::string> in;
    for (const int input : node.inputs) in.push_back(names_[static_cast<std::size_t>(input)]);
    const std::string& out = names_[static_cast<std::size_t>(node.output)];
    const auto emit = [&](std::string_view type, const std::vector<WireMessage>& attributes) {
      Node(type, node.name, in, out, attributes);
    };
    switch (node.op) {
      case GraphOp::kConv:
        in.push_back(Part(node, "weight"));
        if (graph_.Tensor(node, "bias").defined()) in.push_back(Part(node, "bias"));
        return emit("Conv", {Window("kernel_shape", node.kernel, 2), Window("strides", node.stride, 2),
                             Window("pads", node.padding, 4), Window("dilations", node.dilation, 2),
                             Attribute("group", std::int64_t{node.groups})});
      case GraphOp::kBatchNorm:
        for (const char* part : {"weight", "bias", "running_mean", "running_var"}) in.push_back(Part(node, part));
        return emit("BatchNormalization",
                    {Attribute("epsilon", static_cast<float>(graph_.architecture.bn.eps)),
                     // The share of the old value, where PyTorch means that of the new one.
                     Attribute("momentum", static_cast<float>(1 - graph_.architecture.bn.momentum))});
      case GraphOp::kActivation:
        return Activate(node, in, out);
      case GraphOp::kAdd:
        return emit("Add", {});
      case GraphOp::kMul:
        return emit("Mul", {});
      case GraphOp::kGlobalAvgPool:
        return emit("GlobalAveragePool", {});
      case GraphOp::kAvgPool:
      case GraphOp::kMaxPool: {
        const bool max = node.op == GraphOp::kMaxPool;
        std::vector<WireMessage> attributes{Window("kernel_shape", node.kernel, 2), Window("strides", node.stride, 2),
                                            Window("pads", node.padding, 4),
                                            Attribute("ceil_mode", std::int64_t{node.ceil})};
        if (!max) attributes.push_back(Attribute("count_include_pad", std::int64_t{0}));
        return emit(max ? "MaxPool" : "AveragePool", attributes);
      }
      case GraphOp::kLinear: {
        if (!graph_.values[static_cast<std::size_t>(node.inputs[0])].flat) {
          Node("Flatten", node.name + "/flatten", {in[0]}, node.name + "/flat", {Attribute("axis", std::int64_t{1})});
          in[0] = node.name + "/flat";
        }
        in.push_back(Part(node, "weight"));
        if (graph_.Tensor(node, "bias").defined()) in.push_back(Part(node, "bias"));
        return emit("Gemm", {Attribute("transB", std::int64_t{1})});
      }
      case GraphOp::kSlice:
        in.push_back(Integers(node.name + "/starts", {node.first}));
        in.push_back(Integers(node.name + "/ends", {node.first + node.count}));
        in.push_back(Integers("channel_axis", {1}));
        return emit("Slice", {});
      case GraphOp::kConcat:
        return emit("Concat", {Attribute("axis", std::int64_t{1})});
      case GraphOp::kPadChannels:
        in.push_back(Integers(node.name + "/pads", {0, 0, 0, 0, 0, node.count, 0, 0}));
        return emit("Pad", {});
      case GraphOp::kShuffle:
        return Shuffle(node, in, out);
    }
  }

  static WireMessage Window(const char* name, int value, std::size_t times) {
    return Attribute(name, std::vector<std::int64_t>(times, value));
  }

  void Activate(const GraphNode& node, std::vector<std::string> in, const std::string& out) {
    const auto emit = [&](std::string_view type, const std::vector<WireMessage>& attributes) {
      Node(type, node.name, in, out, attributes);
    };
    switch (node.act) {
      case Activation::kNone:
        return emit("Identity", {});
      case Activation::kRelu:
        return emit("Relu", {});
      case Activation::kRelu6:
        in.push_back(Scalar("zero", 0));
        in.push_back(Scalar("six", 6));
        return emit("Clip", {});
      case Activation::kTanh:
        return emit("Tanh", {});
      case Activation::kSigmoid:
        return emit("Sigmoid", {});
      case Activation::kHSwish:
        return emit("HardSwish", {});
      case Activation::kHSigmoid:
        return emit("HardSigmoid", {Attribute("alpha", 1.0F / 6.0F), Attribute("beta", 0.5F)});
    }
  }

  /// [N, g·c, H, W] → [N, g, c, H·W] → [N, c, g, H·W] → [N, c·g, H, W].
  void Shuffle(const GraphNode& node, const std::vector<std::string>& in, const std::string& out) {
    const MapShape shape = graph_.values[static_cast<std::size_t>(node.output)].shape;
    const std::string apart = Integers(node.name + "/apart", {0, node.groups, shape.channels / node.groups, -1});
    const std::string joined = Integers(node.name + "/joined", {0, shape.channels, shape.side, shape.side});
    Node("Reshape", node.name + "/split", {in[0], apart}, node.name + "/by_group", {});
    Node("Transpose", node.name + "/transpose", {node.name + "/by_group"}, node.name + "/by_channel",
         {Attribute("perm", std::vector<std::int64_t>{0, 2, 1, 3})});
    Node("Reshape", node.name, {node.name + "/by_channel", joined}, out, {});
  }

  const Graph& graph_;
  bool fp16_;
  std::vector<std::string> names_;  ///< of each value
  std::set<std::string> written_;   ///< initializers
  WireMessage body_;                ///< GraphProto; the order of its fields is free
};

}  // namespace

std::string EncodeOnnx(const Graph& graph, bool fp16,
                       const std::vector<std::pair<std::string, std::string>>& metadata) {
  return OnnxWriter(graph, fp16).Encode(metadata);
}

}  // namespace nas::detail
