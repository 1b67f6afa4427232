// SPDX-License-Identifier: Apache-2.0
#include "torchscript_code.h"

#include <cctype>
#include <limits>
#include <sstream>

#include <ATen/ATen.h>

#include "nas/core/error.h"
#include "nas/core/text.h"

namespace nas::detail {
namespace {

/// `self.a.b` of a dotted name; parts that are no identifiers (list indices) through getattr.
std::string Attribute(const std::string& name) {
  std::string path = "self";
  for (const std::string& part : Split(name, '.')) {
    if (std::isdigit(static_cast<unsigned char>(part[0])) != 0) {
      path = StrCat("getattr(", path, ", \"", part, "\")");
    } else {
      path += "." + part;
    }
  }
  return path;
}

std::string Exact(double value) {
  std::ostringstream out;
  out.precision(std::numeric_limits<double>::max_digits10);
  out << std::showpoint << value;  // without a point it would be an int
  return out.str();
}

std::string Pair(int value) { return StrCat("[", value, ", ", value, "]"); }

std::string Activate(Activation act, const std::string& x) {
  switch (act) {
    case Activation::kNone:
      return x;
    case Activation::kRelu:
      return StrCat("torch.relu(", x, ")");
    case Activation::kRelu6:
      return StrCat("torch.hardtanh(", x, ", 0., 6.)");
    case Activation::kTanh:
      return StrCat("torch.tanh(", x, ")");
    case Activation::kSigmoid:
      return StrCat("torch.sigmoid(", x, ")");
    case Activation::kHSwish:
      return StrCat("torch.hardswish(", x, ")");
    case Activation::kHSigmoid:
      return StrCat("torch.hardsigmoid(", x, ")");
  }
  ThrowInternal("an activation without TorchScript");
}

class CodeWriter {
 public:
  explicit CodeWriter(const Graph& graph) : graph_(graph) {}

  std::string Write() {
    out_ << "def forward(self, images: Tensor):\n"
         << "    v0 = images.contiguous(memory_format=2)\n";  // channels_last, as the weights are
    for (const GraphNode& node : graph_.nodes) {
      out_ << "    " << Name(node.output) << " = " << Expression(node) << "\n";
    }
    out_ << "    return " << Name(graph_.output) << "\n";
    return out_.str();
  }

 private:
  static std::string Name(int value) { return StrCat("v", value); }

  std::string Part(const GraphNode& node, const char* part) const {
    return graph_.Tensor(node, part).defined() ? Attribute(StrCat(node.name, ".", part)) : "None";
  }

  std::string Expression(const GraphNode& node) const {
    const std::string x = Name(node.inputs[0]);
    const std::string window = StrCat(Pair(node.kernel), ", ", Pair(node.stride), ", ", Pair(node.padding));
    switch (node.op) {
      case GraphOp::kConv:
        return StrCat("torch.conv2d(", x, ", ", Part(node, "weight"), ", ", Part(node, "bias"), ", ", Pair(node.stride),
                      ", ", Pair(node.padding), ", ", Pair(node.dilation), ", ", node.groups, ")");
      case GraphOp::kBatchNorm:
        return StrCat("torch.batch_norm(", x, ", ", Part(node, "weight"), ", ", Part(node, "bias"), ", ",
                      Part(node, "running_mean"), ", ", Part(node, "running_var"), ", self.training, ",
                      Exact(graph_.architecture.bn.momentum), ", ", Exact(graph_.architecture.bn.eps), ", True)");
      case GraphOp::kActivation:
        return Activate(node.act, x);
      case GraphOp::kAdd:
        return StrCat(x, " + ", Name(node.inputs[1]));
      case GraphOp::kMul:
        return StrCat(x, " * ", Name(node.inputs[1]));
      case GraphOp::kGlobalAvgPool:
        return StrCat("torch.adaptive_avg_pool2d(", x, ", [1, 1])");
      case GraphOp::kAvgPool:
        return StrCat("torch.avg_pool2d(", x, ", ", window, ", ", node.ceil ? "True" : "False", ", False)");
      case GraphOp::kMaxPool:
        return StrCat("torch.max_pool2d(", x, ", ", window, ")");
      case GraphOp::kLinear: {
        const bool flat = graph_.values[static_cast<std::size_t>(node.inputs[0])].flat;
        return StrCat("torch.linear(", flat ? x : StrCat("torch.flatten(", x, ", 1)"), ", ", Part(node, "weight"), ", ",
                      Part(node, "bias"), ")");
      }
      case GraphOp::kSlice:
        return StrCat("torch.narrow(", x, ", 1, ", node.first, ", ", node.count, ")");
      case GraphOp::kConcat: {
        std::vector<std::string> parts;
        for (const int input : node.inputs) parts.push_back(Name(input));
        return StrCat("torch.cat([", Join(parts, ", "), "], 1)");
      }
      case GraphOp::kPadChannels:
        return StrCat("torch.constant_pad_nd(", x, ", [0, 0, 0, 0, 0, ", node.count, "])");
      case GraphOp::kShuffle: {
        const std::string grouped = StrCat("torch.reshape(", x, ", [", x, ".size(0), ", node.groups, ", -1, ", x,
                                           ".size(2), ", x, ".size(3)])");
        return StrCat("torch.reshape(torch.transpose(", grouped, ", 1, 2), ", x, ".size())");
      }
    }
    ThrowInternal("a graph operation without TorchScript");
  }

  const Graph& graph_;
  std::ostringstream out_;
};

}  // namespace

std::string TorchscriptForward(const Graph& graph) { return CodeWriter(graph).Write(); }

}  // namespace nas::detail
