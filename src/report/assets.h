// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace nas::detail {

// Files that the program carries (assets.S.in): the page's style and script, and the chart library.
std::string_view TokensCss();  ///< colours of light, dark and paper
std::string_view FigureCss();  ///< rules of the SVG figures
std::string_view PageCss();
std::string_view PageJs();
std::string_view EchartsJs();  ///< third_party/echarts, Apache-2.0

}  // namespace nas::detail
