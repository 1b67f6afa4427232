// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace nas::detail {

/// At most `most` values that keep the course: means of equal stretches; the last value stays exact.
std::vector<double> Thinned(const std::vector<double>& values, std::size_t most);

/// `▁▂▅▇█` of values in 0…1, one character per value after thinning.
std::string TextSparkline(const std::vector<double>& shares, std::size_t most);

/// Inline SVG of values in 0…1.
std::string SvgSparkline(const std::vector<double>& shares);

}  // namespace nas::detail
