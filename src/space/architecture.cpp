// SPDX-License-Identifier: Apache-2.0
#include "nas/space/architecture.h"

#include <nlohmann/json.hpp>

#include "architecture_rules.h"
#include "nas/core/error.h"
#include "nas/core/text.h"
#include "nas/space/op_catalogue.h"
#include "ops/op_rules.h"

namespace nas {
namespace {

std::int64_t AddChecked(std::int64_t a, std::int64_t b, const Architecture& architecture) {
  std::int64_t sum = 0;
  if (__builtin_add_overflow(a, b, &sum)) {
    ThrowInput(StrCat("network \"", architecture.name, "\" is too large: its count does not fit in 64 bits"));
  }
  return sum;
}

}  // namespace

namespace detail {

MapShape InputShape(const Architecture& architecture) {
  if (architecture.resolution < 1 || architecture.resolution > kMaxSide) {
    ThrowInput(StrCat("resolution ", architecture.resolution, "; from 1 to ", kMaxSide, " are possible"));
  }
  return {architecture.resolution, 3};
}

MapShape CheckedStep(const Layer& layer, MapShape in) {
  const Op& op = FindOp(layer.op);
  op.Check(layer, in);
  return op.OutputShape(layer, in);
}

}  // namespace detail

int Architecture::classes() const { return layers.empty() ? 0 : layers.back().out_channels; }

std::vector<MapShape> InferShapes(const Architecture& architecture) {
  std::vector<MapShape> shapes = {detail::InputShape(architecture)};
  for (const Layer& layer : architecture.layers) shapes.push_back(detail::CheckedStep(layer, shapes.back()));
  return shapes;
}

std::int64_t CountParams(const Architecture& architecture) {
  InferShapes(architecture);
  std::int64_t sum = 0;
  for (const Layer& layer : architecture.layers) sum = AddChecked(sum, FindOp(layer.op).Params(layer), architecture);
  return sum;
}

Macs CountMacs(const Architecture& architecture) {
  const std::vector<MapShape> shapes = InferShapes(architecture);
  std::int64_t sum = 0;
  for (std::size_t i = 0; i < architecture.layers.size(); ++i) {
    const Layer& layer = architecture.layers[i];
    sum = AddChecked(sum, FindOp(layer.op).CountMacs(layer, shapes[i]).value, architecture);
  }
  return {sum};
}

int Depth(const Architecture& architecture) {
  int depth = 0;
  for (const Layer& layer : architecture.layers) {
    if (layer.name.starts_with("blocks.") && !detail::IsPlainIdentity(layer)) ++depth;
  }
  return depth;
}

std::vector<std::string> LatencyKeys(const Architecture& architecture) {
  const std::vector<MapShape> shapes = InferShapes(architecture);
  const std::vector<Layer>& layers = architecture.layers;
  std::vector<std::string> keys;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const Op& op = FindOp(layers[i].op);
    // Runtimes fuse the pooling with a classifier that follows it at once; such a row counts both (latency.md §2).
    const bool pool_in_logits =
        layers[i].op == "global_avg_pool" && i + 1 < layers.size() && layers[i + 1].op == "linear";
    const bool has_pool = layers[i].op == "linear" && i > 0 && layers[i - 1].op == "global_avg_pool";
    keys.push_back(pool_in_logits ? "" : op.LatencyKey(layers[i], has_pool ? shapes[i - 1] : shapes[i]));
  }
  return keys;
}

Json DescribeLayers(const Architecture& architecture) {
  const std::vector<MapShape> shapes = InferShapes(architecture);
  Json rows = Json::array();
  for (std::size_t i = 0; i < architecture.layers.size(); ++i) {
    const Layer& layer = architecture.layers[i];
    const Op& op = FindOp(layer.op);
    const bool windowed = layer.op == "conv" || layer.op == "mbconv" || layer.op == "pool" || layer.op == "max_pool" ||
                          layer.op == "depth_conv" || layer.op == "bottleneck";
    Json row = {{"name", layer.name},
                {"label", op.Label(layer)},
                {"op", layer.op},
                {"in", {shapes[i].side, shapes[i].side, shapes[i].channels}},
                {"out", {shapes[i + 1].side, shapes[i + 1].side, shapes[i + 1].channels}}};
    if (windowed) row["kernel"] = layer.kernel;
    if (layer.op == "mbconv") row["expand"] = layer.expand_ratio;
    if (layer.op == "mbconv" || layer.op == "bottleneck") row["mid"] = layer.mid_channels;
    if (windowed) row["stride"] = layer.stride;
    if (layer.act != Activation::kNone || windowed) row["act"] = ToString(layer.act);
    if (layer.op == "mbconv" || layer.op == "conv") row["se"] = layer.use_se;
    if (layer.op == "mbconv" || layer.op == "conv" || layer.op == "zero") row["skip"] = layer.skip;
    row["params"] = op.Params(layer);
    row["macs"] = op.CountMacs(layer, shapes[i]).value;
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace nas
