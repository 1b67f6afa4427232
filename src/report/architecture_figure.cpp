// SPDX-License-Identifier: Apache-2.0
#include "architecture_figure.h"

#include <algorithm>
#include <map>

#include "axis.h"
#include "markup.h"
#include "nas/core/error.h"
#include "nas/core/text.h"
#include "nas/latency/latency_model.h"
#include "nas/space/op_catalogue.h"

namespace nas::detail {
namespace {

/// What one layer costs on the target; 0 where the target has no figure for it.
std::vector<double> LayerCosts(const Architecture& architecture, const TargetRecord* target) {
  std::vector<double> costs(architecture.layers.size(), 0);
  const std::vector<MapShape> shapes = InferShapes(architecture);
  if (target == nullptr || target->unit != CostUnit::kMillis) {
    for (std::size_t i = 0; i < costs.size(); ++i) {
      const Layer& layer = architecture.layers[i];
      const Op& op = FindOp(layer.op);
      const bool params = target != nullptr && target->unit == CostUnit::kParams;
      costs[i] = static_cast<double>(params ? op.Params(layer) : op.CountMacs(layer, shapes[i]).value);
    }
    return costs;
  }
  if (target->model == nullptr) return costs;
  try {
    std::map<std::string, double> by_key;
    for (const BlockPrediction& block : target->model->PredictNetwork(architecture).blocks)
      by_key[block.key] = block.ms;
    const std::vector<std::string> keys = LatencyKeys(architecture);
    for (std::size_t i = 0; i < costs.size(); ++i) {
      if (!keys[i].empty()) costs[i] = by_key[keys[i]];
    }
  } catch (const Error&) {
    // The figure stands without latencies too; the reader finds the reason among the run's notes.
  }
  return costs;
}

std::string ShortName(const std::string& name) {
  if (name == "first_conv" || name == "input_stem") return "stem";
  if (name == "feature_mix_layer") return "mix";
  if (name == "final_expand_layer") return "expand";
  if (name == "classifier") return "head";
  return StartsWith(name, "blocks.") ? name.substr(7) : name;
}

/// Colour class by kernel.
const char* KernelClass(const LayerView& layer) {
  if (layer.expand <= 0) return "k0";
  return layer.kernel <= 3 ? "k3" : layer.kernel <= 5 ? "k5" : "k7";
}

std::string Tip(const LayerView& layer) {
  return StrCat(layer.key, ": ", layer.label, ", ", layer.channels, " channels, ", layer.side, " x ", layer.side,
                layer.stride > 1 ? StrCat(", stride ", layer.stride) : "", layer.skip ? ", shortcut" : "",
                layer.share > 0 ? StrCat(", ", Fixed(100 * layer.share, 1), " %") : "");
}

/// 0…1: how tall a block of this expansion is.
double Tallness(const LayerView& layer) {
  if (layer.expand <= 0) return 0.30;
  return std::clamp(0.28 + 0.72 * (layer.expand - 1) / 5.0, 0.28, 1.0);
}

double MostShare(const std::vector<LayerView>& layers) {
  double most = 0.01;
  for (const LayerView& layer : layers) most = std::max(most, layer.share);
  return most;
}

std::string Percent(double share) { return share < 0.0005 ? "" : Fixed(100 * share, share < 0.095 ? 1 : 0); }

void DrawKey(Svg* svg, double x, double y, bool narrow) {
  const char* classes[] = {"k3", "k5", "k7", "k0"};
  const char* names[] = {"kernel 3", "kernel 5", "kernel 7", "other"};
  for (int i = 0; i < 4; ++i) {
    svg->Rect(x, y - 9, 12, 12, 2, classes[i]);
    svg->Text(x + 17, y + 1, "start", names[i], "small");
    x += 78;
  }
  if (narrow) return;
  svg->Text(x + 6, y + 1, "start", "height: expansion ratio", "small");
  svg->Path(StrCat("M", Coordinate(x + 156), " ", Coordinate(y + 1), "q9 -14 18 0"), "skip");
  svg->Text(x + 180, y + 1, "start", "shortcut", "small");
  svg->Rect(x + 244, y - 9, 12, 12, 2, "none");
  svg->Text(x + 261, y + 1, "start", "skipped", "small");
}

}  // namespace

std::vector<LayerView> LayerViews(const Architecture& architecture, const TargetRecord* target) {
  const std::vector<double> costs = LayerCosts(architecture, target);
  const std::vector<MapShape> shapes = InferShapes(architecture);
  double sum = 0;
  for (const double cost : costs) sum += cost;
  std::vector<LayerView> views;
  for (std::size_t i = 0; i < architecture.layers.size(); ++i) {
    const Layer& layer = architecture.layers[i];
    const Op& op = FindOp(layer.op);
    const bool zero = layer.op == "zero" || (layer.op == "identity" && layer.name.find("blocks") == 0);
    if (!zero && op.Params(layer) == 0) continue;
    LayerView view;
    view.key = layer.name.empty() ? layer.op : layer.name;
    view.name = ShortName(view.key);
    view.label = op.Label(layer);
    view.zero = zero;
    if (layer.op == "mbconv") {
      view.kernel = layer.kernel;
      view.expand = layer.expand_ratio > 0 ? layer.expand_ratio
                                           : static_cast<double>(layer.mid_channels) / std::max(1, layer.in_channels);
    }
    view.channels = shapes[i + 1].channels;
    view.side = shapes[i + 1].side;
    view.stride = layer.stride;
    view.skip = layer.skip && !zero;
    view.cost = costs[i];
    view.share = sum > 0 ? costs[i] / sum : 0;
    views.push_back(std::move(view));
  }
  return views;
}

Svg DrawNetworkWide(const std::vector<LayerView>& layers, const std::string& cost_name) {
  constexpr double kWidth = 1080, kSpine = 110, kHalf = 58, kShares = 224, kShareHeight = 70;
  Svg svg(kWidth, 350, "The network, block by block");
  const double left = 74;  // row names
  const double column =
      std::min(120.0, (kWidth - left - 6) / static_cast<double>(std::max<std::size_t>(1, layers.size())));
  const double block = column * 0.74;
  const double full = column * static_cast<double>(layers.size());
  svg.Line(left, kSpine, left + full, kSpine, "spine");
  const double most = MostShare(layers);
  std::size_t group = 0;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const LayerView& layer = layers[i];
    const double center = left + column * (static_cast<double>(i) + 0.5);
    const double half = kHalf * Tallness(layer);
    const std::string color = KernelClass(layer);
    svg.Open("class=\"block\"");
    if (layer.zero) {
      svg.Rect(center - block / 2, kSpine - 9, block, 18, 4, "paper");
      svg.Rect(center - block / 2, kSpine - 9, block, 18, 4, "none", Tip(layer));
      svg.Text(center, kSpine + 4, "middle", column > 52 ? "skipped" : "skip", "tiny");
    } else {
      svg.Rect(center - block / 2, kSpine - half, block, 2 * half, 4, color, Tip(layer));
      if (layer.skip) {
        svg.Path(StrCat("M", Coordinate(center - column * 0.46), " ", Coordinate(kSpine), "v", Coordinate(-half),
                        "q0 -12 12 -12h", Coordinate(column * 0.92 - 24), "q12 0 12 12v", Coordinate(half)),
                 "skip");
      }
      const std::string text_class = StrCat(color, "t");
      if (layer.expand > 0 && half > 20) {
        svg.Text(center, kSpine - 2, "middle", StrCat(layer.kernel, "×", layer.kernel), text_class + " strong");
        svg.Text(center, kSpine + 13, "middle", StrCat("e", FormatValue(AxisFormat::kPlain, layer.expand)), text_class);
      } else {
        const bool mb = layer.expand > 0;
        const std::string text = mb ? StrCat(layer.kernel, "×", layer.kernel) : layer.name;
        svg.Text(center, kSpine + 4, "middle", text, text_class);
      }
    }
    svg.Text(center, kSpine + kHalf + 20, "middle", StrCat(layer.channels), "small");
    if (layer.share > 0) {
      const double height = kShareHeight * layer.share / most;
      svg.Rect(center - block / 2, kShares + kShareHeight - height, block, height, 2, "share", Tip(layer));
      svg.Text(center, kShares + kShareHeight - height - 5, "middle", Percent(layer.share), "tick");
    }
    svg.Text(center, kShares + kShareHeight + 16, "middle", layer.name, "tiny");
    svg.Close();
    // Stretches of equal map side share one bracket.
    if (i + 1 == layers.size() || layers[i + 1].side != layer.side) {
      const double from = left + column * static_cast<double>(group) + 4,
                   to = left + column * static_cast<double>(i + 1) - 4;
      svg.Path(StrCat("M", Coordinate(from), " 26v-6H", Coordinate(to), "v6"), "skip");
      svg.Text((from + to) / 2, 13, "middle",
               to - from > 56 ? StrCat(layer.side, " × ", layer.side) : StrCat(layer.side), "small");
      group = i + 1;
    }
  }
  svg.Line(left, kShares + kShareHeight, left + full, kShares + kShareHeight, "axis");
  svg.Text(0, 24, "start", "map side", "tiny");
  svg.Text(0, kSpine + 4, "start", "block", "tiny");
  svg.Text(0, kSpine + kHalf + 20, "start", "channels", "tiny");
  svg.Text(0, kShares + kShareHeight - 12, "start", "share of", "tiny");
  svg.Text(0, kShares + kShareHeight + 1, "start", StrCat(cost_name, ", %"), "tiny");
  DrawKey(&svg, left + 4, 340, false);
  return svg;
}

Svg DrawNetworkTall(const std::vector<LayerView>& layers, const std::string& cost_name) {
  constexpr double kWidth = 360, kRow = 30, kTop = 48, kCenter = 104, kHalf = 56, kBar = 232, kBarWidth = 84;
  Svg svg(kWidth, kTop + kRow * static_cast<double>(layers.size()) + 6, "The network, block by block");
  DrawKey(&svg, 4, 12, true);
  svg.Text(kCenter, 38, "middle", "width: expansion", "tiny");
  svg.Text(kBar - 14, 38, "end", "ch · side", "tiny");
  svg.Text(kBar, 38, "start", StrCat("% of ", cost_name), "tiny");
  svg.Line(kCenter, kTop, kCenter, kTop + kRow * static_cast<double>(layers.size()), "spine");
  const double most = MostShare(layers);
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const LayerView& layer = layers[i];
    const double y = kTop + kRow * static_cast<double>(i), middle = y + kRow / 2;
    const double half = kHalf * std::max(0.4, Tallness(layer));
    const std::string color = KernelClass(layer);
    svg.Text(36, middle + 4, "end", layer.name, "tiny");
    if (layer.zero) {
      svg.Rect(kCenter - 30, middle - 9, 60, 18, 4, "paper");
      svg.Rect(kCenter - 30, middle - 9, 60, 18, 4, "none", Tip(layer));
      svg.Text(kCenter, middle + 4, "middle", "skipped", "tiny");
    } else {
      svg.Rect(kCenter - half, y + 3, 2 * half, kRow - 6, 4, color, Tip(layer));
      svg.Text(kCenter, middle + 4, "middle",
               layer.expand > 0
                   ? StrCat(layer.kernel, "×", layer.kernel, " e", FormatValue(AxisFormat::kPlain, layer.expand))
                   : layer.name,
               StrCat(color, "t"));
    }
    svg.Text(kBar - 14, middle + 4, "end", StrCat(layer.channels, " · ", layer.side), "tick");
    if (layer.share > 0) {
      const double width = kBarWidth * layer.share / most;
      svg.Rect(kBar, y + 7, width, kRow - 14, 2, "share", Tip(layer));
      svg.Text(kBar + width + 5, middle + 4, "start", Percent(layer.share), "tick");
    }
  }
  return svg;
}

std::string NetworkCsv(const std::vector<LayerView>& layers, const std::string& cost_name) {
  std::string csv = StrCat("layer,op,kernel,expand,channels,side,stride,shortcut,", CsvField(cost_name), ",share\n");
  for (const LayerView& layer : layers) {
    csv += StrCat(CsvField(layer.key), ",", CsvField(layer.label), ",", layer.kernel, ",", Plain(layer.expand), ",",
                  layer.channels, ",", layer.side, ",", layer.stride, ",", layer.skip ? "yes" : "no", ",",
                  Plain(layer.cost), ",", Plain(layer.share), "\n");
  }
  return csv;
}

}  // namespace nas::detail
