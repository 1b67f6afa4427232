// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

namespace nas {

/// y = c + w·standardised(x), penalised; the penalty by closed-form leave-one-out from {0.1, 0.3, 1, 3, 10, 30, 100}.
struct RidgeFit {
  double loo_error = 0;  ///< root mean square of the leave-one-out errors, in units of y
  double c = 0;
  std::vector<double> mean, std, w;
  double Predict(const std::vector<double>& x) const;
};
/// `rows` of equal length, one per value of `y`; at least one.
RidgeFit FitRidge(const std::vector<std::vector<double>>& rows, const std::vector<double>& y);

}  // namespace nas
