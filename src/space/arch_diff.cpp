// SPDX-License-Identifier: Apache-2.0
#include "nas/space/arch_diff.h"

#include <algorithm>

#include "nas/core/text.h"
#include "nas/space/op_catalogue.h"

namespace nas {
namespace {

std::string KeyOf(const Layer& layer) { return layer.name.empty() ? layer.op : layer.name; }

std::string LongLabel(const Layer& layer) {
  const std::string stride = layer.stride > 1 ? StrCat(" s", layer.stride) : "";
  const std::string label = FindOp(layer.op).Label(layer);
  return StrCat(label, " ", layer.in_channels, "->", layer.out_channels, EndsWith(label, stride) ? "" : stride);
}

std::string DifferingFields(const Layer& a, const Layer& b) {
  std::vector<std::string> names;
  const auto note = [&names](bool differs, const char* name) {
    if (differs) names.emplace_back(name);
  };
  note(a.op != b.op, "op");
  note(a.in_channels != b.in_channels, "in_channels");
  note(a.out_channels != b.out_channels, "out_channels");
  note(a.kernel != b.kernel, "kernel");
  note(a.stride != b.stride, "stride");
  note(a.dilation != b.dilation, "dilation");
  note(a.groups != b.groups, "groups");
  note(a.expand_ratio != b.expand_ratio, "expand_ratio");
  note(a.mid_channels != b.mid_channels, "mid_channels");
  note(a.act != b.act, "act");
  note(a.use_bn != b.use_bn, "use_bn");
  note(a.bias != b.bias, "bias");
  note(a.use_se != b.use_se, "use_se");
  note(a.shuffle != b.shuffle, "shuffle");
  note(a.skip != b.skip, "skip");
  note(a.dropout != b.dropout, "dropout");
  note(a.ops_order != b.ops_order, "ops_order");
  note(a.pool != b.pool, "pool");
  note(a.split != b.split, "split");
  note(a.merge != b.merge, "merge");
  note(a.children != b.children, "children");
  return Join(names, ", ");
}

}  // namespace

std::vector<LayerDifference> ArchDiff(const Architecture& a, const Architecture& b) {
  std::vector<LayerDifference> differences;
  std::vector<bool> matched(b.layers.size(), false);
  std::size_t next = 0;  // layers of b before this one are reported
  const auto report_until = [&](std::size_t end) {
    for (; next < end; ++next) {
      if (matched[next]) continue;
      const Layer& layer = b.layers[next];
      LayerDifference added{.name = KeyOf(layer), .a_label = {}, .b_label = LongLabel(layer), .fields = {}};
      added.b = static_cast<int>(next);
      differences.push_back(std::move(added));
    }
  };
  // A name stands once in a network, so the first unmatched layer of that name is the partner.
  std::vector<std::size_t> partner(a.layers.size(), b.layers.size());
  for (std::size_t i = 0; i < a.layers.size(); ++i) {
    for (std::size_t j = 0; j < b.layers.size(); ++j) {
      if (!matched[j] && KeyOf(a.layers[i]) == KeyOf(b.layers[j])) {
        partner[i] = j;
        matched[j] = true;
        break;
      }
    }
  }
  for (std::size_t i = 0; i < a.layers.size(); ++i) {
    const Layer& left = a.layers[i];
    if (partner[i] == b.layers.size()) {
      LayerDifference removed{.name = KeyOf(left), .a_label = LongLabel(left), .b_label = {}, .fields = {}};
      removed.a = static_cast<int>(i);
      differences.push_back(std::move(removed));
      continue;
    }
    report_until(partner[i]);
    const Layer& right = b.layers[partner[i]];
    if (left == right) continue;
    differences.push_back({.name = KeyOf(left),
                           .a = static_cast<int>(i),
                           .b = static_cast<int>(partner[i]),
                           .a_label = LongLabel(left),
                           .b_label = LongLabel(right),
                           .fields = DifferingFields(left, right)});
  }
  report_until(b.layers.size());
  return differences;
}

}  // namespace nas
