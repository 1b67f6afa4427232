// SPDX-License-Identifier: Apache-2.0
// Reader of search space files (`nas.space/1`); the schema stands in search_spaces/README.md.
#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "architecture_rules.h"
#include "nas/core/error.h"
#include "nas/core/text.h"
#include "nas/space/op_catalogue.h"
#include "nas/space/search_space.h"
#include "ops/op_rules.h"

namespace nas {
namespace {

constexpr int kMaxOps = 36;  ///< one digit or letter of a code
constexpr int kMaxEdges = 512;

/// One entry of "ops": a layer without channels and stride, and where it is offered.
struct OpTemplate {
  Layer layer;
  std::string where;  ///< "always", "shape_kept" or "shape_changes"
  std::string place;  ///< for messages
};

struct Stage {
  int channels = 0;
  int cells = 0;
  int stride = 1;
  std::vector<OpTemplate> ops;
};

int ReadKernel(ObjectReader& reader) {
  const std::int64_t kernel = reader.Int("kernel", 1, detail::kMaxKernel);
  if (kernel % 2 == 0) reader.Fail("kernel", StrCat("kernel ", kernel, " is even; odd sizes are possible"));
  return static_cast<int>(kernel);
}

double ReadExpand(ObjectReader& reader) {
  const double expand = reader.Number("expand");
  if (!(expand > 0 && expand <= 64)) reader.Fail("expand", StrCat(expand, " is not above 0 and at most 64"));
  return expand;
}

OpTemplate ReadOp(ObjectReader reader, Activation act) {
  OpTemplate result;
  result.place = reader.Where();
  Layer& layer = result.layer;
  layer.op = reader.Choice("op", {"mbconv", "conv", "zero"});
  if (layer.op == "mbconv") {
    layer.kernel = ReadKernel(reader);
    layer.expand_ratio = ReadExpand(reader);
    layer.use_se = reader.Bool("se", false);
    layer.groups = 0;
  } else if (layer.op == "conv") {
    layer.kernel = ReadKernel(reader);
  } else {
    layer.skip = true;
  }
  if (layer.op == "zero") {
    result.where = "shape_kept";
  } else {
    layer.act = detail::ReadActivation(reader, "act", act);
    result.where = reader.Has("where") ? reader.Choice("where", {"always", "shape_kept", "shape_changes"}) : "always";
  }
  reader.Finish();
  return result;
}

std::vector<OpTemplate> ReadOps(ObjectReader& reader, Activation act) {
  std::vector<OpTemplate> ops;
  for (ObjectReader& op : reader.Objects("ops")) ops.push_back(ReadOp(op, act));
  if (ops.empty() || ops.size() > kMaxOps) {
    reader.Fail("ops", StrCat(ops.size(), " ops; from 1 to ", kMaxOps, " are possible"));
  }
  for (std::size_t i = 0; i < ops.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (ops[i].layer == ops[j].layer) reader.Fail("ops", StrCat("ops ", j, " and ", i, " are the same"));
    }
  }
  return ops;
}

Layer FilledMbconv(Layer layer, int in, int out, int stride) {
  layer.in_channels = in;
  layer.out_channels = out;
  layer.stride = stride;
  layer.mid_channels = static_cast<int>(std::nearbyint(in * layer.expand_ratio));
  layer.skip = stride == 1 && in == out;
  return layer;
}

Layer Filled(const OpTemplate& op, int in, int out, int stride) {
  if (op.layer.op == "mbconv") return FilledMbconv(op.layer, in, out, stride);
  Layer layer = op.layer;
  layer.in_channels = in;
  layer.out_channels = out;
  layer.stride = stride;
  return layer;
}

Edge MakeEdge(const Stage& stage, const std::string& name, int layer, MapShape in, int stride,
              const std::string& where) {
  Edge edge{.name = name, .layer = layer, .in = in, .candidates = {}};
  const bool kept = stride == 1 && in.channels == stage.channels;
  bool searched = false;
  for (const OpTemplate& op : stage.ops) {
    if (op.where != "always" && (op.where == "shape_kept") != kept) continue;
    Layer candidate = Filled(op, in.channels, stage.channels, stride);
    candidate.name = name;
    if (candidate.op == "zero") {
      edge.skip_op = edge.size();
    } else {
      searched = true;
    }
    try {
      FindOp(candidate.op).Check(candidate, in);
    } catch (const Error& error) {
      ThrowInput(StrCat(op.place, ": ", error.what()));
    }
    edge.candidates.push_back(std::move(candidate));
  }
  if (!searched) {
    ThrowInput(StrCat(where, ": no op but zero is offered at ", name, ", where the shape ",
                      kept ? "is kept" : "changes", "; add one to \"ops\""));
  }
  return edge;
}

Layer MakeConv(const std::string& name, int in, int out, int kernel, int stride, Activation act) {
  Layer layer;
  layer.name = name;
  layer.op = "conv";
  layer.in_channels = in;
  layer.out_channels = out;
  layer.kernel = kernel;
  layer.stride = stride;
  layer.act = act;
  return layer;
}

void CheckOptions(const SpaceOptions& options) {
  if (!(options.width_mult >= 0.05 && options.width_mult <= 16)) {
    ThrowInput(StrCat("width multiplier ", options.width_mult, "; from 0.05 to 16 are possible"));
  }
  if (options.resolution < 0 || options.resolution > detail::kMaxSide) {
    ThrowInput(StrCat("resolution ", options.resolution, "; from 1 to ", detail::kMaxSide, " are possible"));
  }
  if (options.classes < 0 || options.classes > detail::kMaxChannels) {
    ThrowInput(StrCat(options.classes, " classes; from 1 to ", detail::kMaxChannels, " are possible"));
  }
}

}  // namespace

SearchSpace SearchSpace::FromJson(const JsonDocument& document, const SpaceOptions& options) {
  CheckOptions(options);
  const double width = options.width_mult;
  const auto scaled = [width](std::int64_t channels) {
    return width == 1.0 ? static_cast<int>(channels) : MakeDivisible(static_cast<double>(channels) * width);
  };
  SearchSpace space;
  space.options_ = options;
  ObjectReader root(document);
  root.Choice("schema", {"nas.space/1"});
  space.name_ = root.String("name");
  if (space.name_.empty() || !std::all_of(space.name_.begin(), space.name_.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
               c == '.';
      })) {
    root.Fail("name", StrCat("\"", space.name_, "\" is no name; letters, digits, '-', '_' and '.' are possible"));
  }
  space.description_ = root.String("description", "");

  Architecture& base = space.base_;
  base.name = base.space = space.name_;
  const auto own_resolution = static_cast<int>(root.Int("resolution", 1, detail::kMaxSide));
  const auto own_classes = static_cast<int>(root.Int("classes", 1, detail::kMaxChannels));
  base.resolution = options.resolution > 0 ? options.resolution : own_resolution;
  base.bn = detail::ReadBatchNorm(root, base.bn);
  const Activation act = detail::ReadActivation(root, "act", Activation::kRelu6);

  MapShape shape = detail::InputShape(base);
  const auto push = [&base, &shape](Layer layer) {
    shape = detail::CheckedStep(layer, shape);
    base.layers.push_back(std::move(layer));
  };
  ObjectReader stem = root.Object("stem");
  const int stem_width = scaled(stem.Int("channels", 1, detail::kMaxChannels));
  const int stem_kernel = ReadKernel(stem);
  const auto stem_stride = static_cast<int>(stem.Int("stride", 1, detail::kMaxStride));
  push(MakeConv("first_conv", 3, stem_width, stem_kernel, stem_stride, detail::ReadActivation(stem, "act", act)));
  stem.Finish();

  int block = 0;
  if (root.Has("first_block")) {
    ObjectReader first = root.Object("first_block");
    Layer layer;
    layer.name = StrCat("blocks.", block++);
    layer.op = "mbconv";
    layer.kernel = ReadKernel(first);
    layer.expand_ratio = ReadExpand(first);
    layer.groups = 0;
    layer.act = detail::ReadActivation(first, "act", act);
    const int width_out = scaled(first.Int("channels", 1, detail::kMaxChannels));
    layer = FilledMbconv(layer, shape.channels, width_out, 1);
    layer.skip = false;  // the paper's first block has no shortcut, even where the shape would allow it
    push(layer);
    first.Finish();
  }

  const std::vector<OpTemplate> ops = ReadOps(root, act);
  std::vector<ObjectReader> stages = root.Objects("stages");
  if (stages.empty()) root.Fail("stages", "at least one stage is needed");
  for (ObjectReader& reader : stages) {
    Stage stage;
    stage.channels = scaled(reader.Int("channels", 1, detail::kMaxChannels));
    stage.cells = static_cast<int>(reader.Int("cells", 1, kMaxEdges));
    stage.stride = static_cast<int>(reader.Int("stride", 1, detail::kMaxStride));
    stage.ops = reader.Has("ops") ? ReadOps(reader, act) : ops;
    reader.Finish();
    for (int cell = 0; cell < stage.cells; ++cell) {
      const int stride = cell == 0 ? stage.stride : 1;
      const std::string name = StrCat("blocks.", block++);
      const auto layer = static_cast<int>(base.layers.size());
      space.edges_.push_back(MakeEdge(stage, name, layer, shape, stride, reader.Where()));
      push(space.edges_.back().candidates.front());
      if (space.edges_.size() > kMaxEdges) root.Fail("stages", StrCat("more than ", kMaxEdges, " cells"));
    }
  }

  ObjectReader head = root.Object("head");
  const std::int64_t own_mix = head.Int("mix", 1, detail::kMaxChannels);
  const int mix = width > 1 ? scaled(own_mix) : static_cast<int>(own_mix);
  push(MakeConv("feature_mix_layer", shape.channels, mix, 1, 1, detail::ReadActivation(head, "act", act)));
  Layer pool;
  pool.op = "global_avg_pool";
  pool.in_channels = pool.out_channels = mix;
  push(pool);
  Layer classifier;
  classifier.name = "classifier";
  classifier.op = "linear";
  classifier.in_channels = mix;
  classifier.out_channels = options.classes > 0 ? options.classes : own_classes;
  classifier.use_bn = false;
  classifier.bias = true;
  classifier.dropout = head.Number("dropout", 0);
  if (!(classifier.dropout >= 0 && classifier.dropout < 1)) head.Fail("dropout", "must be at least 0 and below 1");
  push(classifier);
  head.Finish();
  root.Finish();
  base.code = space.Code(Choice(space.edges_.size(), 0));
  return space;
}

}  // namespace nas
