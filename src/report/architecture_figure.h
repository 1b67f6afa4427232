// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "nas/report/run_record.h"
#include "svg.h"

namespace nas::detail {

/// One layer of a network as the figure shows it.
struct LayerView {
  std::string name;   ///< "stem", "3", "mix", "head"
  std::string key;    ///< full name: "blocks.3"
  std::string label;  ///< "k5e6", "Zero"
  int kernel = 0;     ///< of mbconv; 0 = another kind of layer
  double expand = 0;  ///< of mbconv; 0 = another kind of layer
  int channels = 0, side = 0, stride = 1;
  bool skip = false;  ///< identity shortcut
  bool zero = false;  ///< passes its input on, nothing else
  double cost = 0;    ///< in the target's unit, before calibration
  double share = 0;   ///< of the sum
};

/// Layers in order with their share of the target's cost; layers that neither compute nor are searched are left out.
std::vector<LayerView> LayerViews(const Architecture& architecture, const TargetRecord* target);

/// Side by side, for wide windows and paper: kernel as colour, expansion as height, width and map side as text, the
/// share of the cost below.
Svg DrawNetworkWide(const std::vector<LayerView>& layers, const std::string& cost_name);
/// The same from top to bottom, for narrow windows.
Svg DrawNetworkTall(const std::vector<LayerView>& layers, const std::string& cost_name);
std::string NetworkCsv(const std::vector<LayerView>& layers, const std::string& cost_name);

}  // namespace nas::detail
