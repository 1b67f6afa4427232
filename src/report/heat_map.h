// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "nas/report/explanation.h"
#include "svg.h"

namespace nas::detail {

/// Probabilities of every candidate over the epochs: one panel per edge, candidates as rows, epochs as columns.
struct HeatPanel {
  std::string edge;
  std::vector<std::string> labels;     ///< of the candidates
  int selected = 0;                    ///< row that was chosen
  std::vector<std::vector<double>> p;  ///< [op][column], −1 once dropped
};
struct HeatMap {
  std::vector<int> epochs;  ///< last epoch of each column
  std::vector<HeatPanel> panels;
};

/// At most `columns` columns: those of a long run are means over equal stretches.
HeatMap MakeHeatMap(const RunRecord& run, std::size_t target, const Explanation& explanation, std::size_t columns);

/// One edge. Its root carries `data-heat` and `data-edge`, by which the page's script finds the numbers.
Svg DrawHeatPanel(const HeatMap& map, std::size_t edge, const std::string& id);
/// All panels in one figure, for a file.
std::string DrawHeatMapFile(const HeatMap& map);
/// What the page's script shows under the pointer: probabilities in per mille.
Json HeatMapToJson(const HeatMap& map);
/// `edge,op,<epoch>,…`.
std::string HeatMapToCsv(const HeatMap& map);

}  // namespace nas::detail
