// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

namespace nas {

/// y = c + w·standardised(x), penalised; the penalty by closed-form leave-one-out from {0.1, 0.3, 1, 3, 10, 30, 100}.
struct RidgeFit {
  double c = 0;
  std::vector<double> mean, std, w;
  double Predict(const std::vector<double>& x) const;
};
RidgeFit FitRidge(const std::vector<std::vector<double>>& rows, const std::vector<double>& y);

}  // namespace nas
