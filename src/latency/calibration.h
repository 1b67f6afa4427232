// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "nas/latency/latency_table.h"

namespace nas {

/// Weight of a network whose measured median has this relative standard error: where it exceeds a few percent, as
/// beside busy neighbours, the network tells little about a and b.
double WeightOfNoise(double relative_error);

/// One whole network as the calibration sees it.
struct NetSample {
  double sum = 0;       ///< S: Σ block latencies, ms
  double launches = 0;  ///< N
  double variance = 0;  ///< Σ (t_b·u_b)², ms²
  double ms = 0;        ///< measured T
  double weight = 1;    ///< 1 for an exact T, less the wider the interval of its median is
};

/// T of the calibration's form.
double CalibratedTotal(const Calibration& calibration, double sum, double launches);
/// ∂T/∂S.
double CalibratedSlope(const Calibration& calibration, double sum, double launches);
/// U: standard deviation of T from the blocks' variance Σ (t_b·u_b)² and the calibration's own error (latency.md §3.8).
double CalibratedSigma(const Calibration& calibration, double sum, double launches, double variance);

/// T = a·S + b by relative least squares: 5+ nets a and b, 1–4 nets a, none: a = 1 (latency.md §3.5). `launch_form`:
/// also tries the launch-bound form (§3.6), kept if its leave-one-out error is ≥ 5 % smaller. Sets σ_cal and q.
Calibration FitCalibration(const std::vector<NetSample>& nets, bool launch_form);

/// The same two forms without judging: for leave-one-out by callers that refit more than a and b.
Calibration FitAffine(const std::vector<NetSample>& nets);
/// (a, c0, c1) by Levenberg–Marquardt on relative residuals, from `start` or, if null, from fixed start values.
Calibration FitLaunchBound(const std::vector<NetSample>& nets, const Calibration* start);

/// σ_cal = weighted relative RMS of the leave-one-out errors (T_loo/T − 1), q = 95 % conformal quantile of |error|/U
/// from 20 nets on.
void SetCalibrationError(const std::vector<NetSample>& nets, const std::vector<double>& loo_total,
                         Calibration* calibration);

}  // namespace nas
