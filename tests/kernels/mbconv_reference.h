// SPDX-License-Identifier: Apache-2.0
// MBConv in float64 by its definition, forward and backward, as slowly and plainly as can be.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "nas/kernels/mbconv.h"

namespace nas::test {

using Doubles = std::vector<double>;

struct ReferenceNorm {
  Doubles scale, shift, running_mean, running_var;
  double momentum = 0.1, eps = 1e-3;
};

struct ReferenceWeights {
  Doubles expand, depthwise, project;
  ReferenceNorm norms[3];
};

struct ReferenceGradients {
  Doubles x, expand, depthwise, project, scale[3], shift[3];
};

class MbconvReference {
 public:
  MbconvReference(const MbconvShape& shape, ReferenceWeights weights, MbconvStatistics statistics)
      : s_(shape), w_(std::move(weights)), statistics_(statistics) {}

  Doubles Forward(const Doubles& x) {
    x_ = x;
    a1_ = x;
    if (s_.expand) {
      z_[0] = Multiply(x, w_.expand, s_.pixels(), s_.in, s_.hidden);
      t_[0] = Normalise(0, s_.hidden);
      a1_ = Activated(t_[0]);
    }
    z_[1] = Depthwise(a1_);
    t_[1] = Normalise(1, s_.hidden);
    a2_ = Activated(t_[1]);
    z_[2] = Multiply(a2_, w_.project, s_.out_pixels(), s_.hidden, s_.out);
    Doubles y = Normalise(2, s_.out);
    for (std::size_t i = 0; s_.shortcut && i < y.size(); ++i) y[i] += x[i];
    return y;
  }

  ReferenceGradients Backward(const Doubles& dy) {
    ReferenceGradients g;
    const Doubles dz3 = NormGradient(2, s_.out, dy, &g);
    g.project = Outer(dz3, a2_, s_.out_pixels(), s_.out, s_.hidden);
    Doubles g2 = MultiplyTransposed(dz3, w_.project, s_.out_pixels(), s_.hidden, s_.out);
    for (std::size_t i = 0; i < g2.size(); ++i) g2[i] *= Slope(t_[1][i]);
    const Doubles dz2 = NormGradient(1, s_.hidden, g2, &g);
    g.depthwise.assign(w_.depthwise.size(), 0);
    Doubles g1(a1_.size(), 0);
    EachTap([&](std::size_t out, std::size_t in, std::size_t weight) {
      g.depthwise[weight] += dz2[out] * a1_[in];
      g1[in] += dz2[out] * w_.depthwise[weight];
    });
    g.x = g1;
    if (s_.expand) {
      for (std::size_t i = 0; i < g1.size(); ++i) g1[i] *= Slope(t_[0][i]);
      const Doubles dz1 = NormGradient(0, s_.hidden, g1, &g);
      g.expand = Outer(dz1, x_, s_.pixels(), s_.hidden, s_.in);
      g.x = MultiplyTransposed(dz1, w_.expand, s_.pixels(), s_.in, s_.hidden);
    }
    for (std::size_t i = 0; s_.shortcut && i < g.x.size(); ++i) g.x[i] += dy[i];
    return g;
  }

  const ReferenceNorm& norm(int which) const { return w_.norms[which]; }

  /// Smallest distance of a value before an activation to one of its corners, where float32 may land on the other side.
  double NearestCorner() const {
    double nearest = 1e30;
    const double corners[2] = {s_.act == FusedActivation::kHSwish ? -3.0 : 0.0,
                               s_.act == FusedActivation::kHSwish ? 3.0 : 6.0};
    for (int i = s_.expand ? 0 : 1; i < 2; ++i) {
      for (const double t : t_[i]) {
        for (int c = 0; c < (s_.act == FusedActivation::kRelu ? 1 : 2); ++c) {
          nearest = std::min(nearest, std::abs(t - corners[c]));
        }
      }
    }
    return nearest;
  }

 private:
  static Doubles Multiply(const Doubles& a, const Doubles& w, std::int64_t rows, std::int64_t k, std::int64_t n) {
    Doubles c(static_cast<std::size_t>(rows * n), 0);
    for (std::int64_t r = 0; r < rows; ++r) {
      for (std::int64_t j = 0; j < n; ++j) {
        for (std::int64_t i = 0; i < k; ++i) c[r * n + j] += a[r * k + i] * w[j * k + i];
      }
    }
    return c;
  }

  // [rows][k] by w [k][n].
  static Doubles MultiplyTransposed(const Doubles& a, const Doubles& w, std::int64_t rows, std::int64_t n,
                                    std::int64_t k) {
    Doubles c(static_cast<std::size_t>(rows * n), 0);
    for (std::int64_t r = 0; r < rows; ++r) {
      for (std::int64_t i = 0; i < k; ++i) {
        for (std::int64_t j = 0; j < n; ++j) c[r * n + j] += a[r * k + i] * w[i * n + j];
      }
    }
    return c;
  }

  static Doubles Outer(const Doubles& a, const Doubles& b, std::int64_t rows, std::int64_t m, std::int64_t n) {
    Doubles c(static_cast<std::size_t>(m * n), 0);
    for (std::int64_t r = 0; r < rows; ++r) {
      for (std::int64_t i = 0; i < m; ++i) {
        for (std::int64_t j = 0; j < n; ++j) c[i * n + j] += a[r * m + i] * b[r * n + j];
      }
    }
    return c;
  }

  template <typename Body>
  void EachTap(const Body& body) const {
    const std::int64_t k = s_.kernel, pad = k / 2;
    for (std::int64_t n = 0; n < s_.batch; ++n) {
      for (std::int64_t oh = 0; oh < s_.out_height(); ++oh) {
        for (std::int64_t ow = 0; ow < s_.out_width(); ++ow) {
          for (std::int64_t t = 0; t < k * k; ++t) {
            const std::int64_t h = oh * s_.stride + t / k - pad, w = ow * s_.stride + t % k - pad;
            if (h < 0 || w < 0 || h >= s_.height || w >= s_.width) continue;
            for (std::int64_t c = 0; c < s_.hidden; ++c) {
              body(static_cast<std::size_t>(((n * s_.out_height() + oh) * s_.out_width() + ow) * s_.hidden + c),
                   static_cast<std::size_t>(((n * s_.height + h) * s_.width + w) * s_.hidden + c),
                   static_cast<std::size_t>(c * k * k + t));
            }
          }
        }
      }
    }
  }

  Doubles Depthwise(const Doubles& a) const {
    Doubles z(static_cast<std::size_t>(s_.out_pixels() * s_.hidden), 0);
    EachTap([&](std::size_t out, std::size_t in, std::size_t weight) { z[out] += a[in] * w_.depthwise[weight]; });
    return z;
  }

  Doubles Normalise(int which, std::int64_t channels) {
    ReferenceNorm& norm = w_.norms[which];
    const Doubles& z = z_[which];
    const std::size_t c = static_cast<std::size_t>(channels), rows = z.size() / c;
    mean_[which].assign(c, 0);
    inverse_[which].assign(c, 0);
    Doubles t(z.size());
    for (std::size_t j = 0; j < c; ++j) {
      double mean = 0, var = 0;
      if (statistics_ == MbconvStatistics::kRunning) {
        mean = norm.running_mean[j];
        var = norm.running_var[j];
      } else {
        for (std::size_t r = 0; r < rows; ++r) mean += z[r * c + j];
        mean /= static_cast<double>(rows);
        for (std::size_t r = 0; r < rows; ++r) var += std::pow(z[r * c + j] - mean, 2);
        var /= static_cast<double>(rows);
      }
      if (statistics_ == MbconvStatistics::kBatchAndTrack && rows > 1) {
        const double n = static_cast<double>(rows);
        norm.running_mean[j] += norm.momentum * (mean - norm.running_mean[j]);
        norm.running_var[j] += norm.momentum * (var * n / (n - 1) - norm.running_var[j]);
      }
      mean_[which][j] = mean;
      inverse_[which][j] = 1 / std::sqrt(var + norm.eps);
      for (std::size_t r = 0; r < rows; ++r) {
        t[r * c + j] = (z[r * c + j] - mean) * inverse_[which][j] * norm.scale[j] + norm.shift[j];
      }
    }
    return t;
  }

  Doubles NormGradient(int which, std::int64_t channels, const Doubles& g, ReferenceGradients* out) const {
    const Doubles& z = z_[which];
    const std::size_t c = static_cast<std::size_t>(channels), rows = z.size() / c;
    Doubles dz(z.size());
    out->scale[which].assign(c, 0);
    out->shift[which].assign(c, 0);
    for (std::size_t j = 0; j < c; ++j) {
      double& product = out->scale[which][j];
      double& sum = out->shift[which][j];
      const double mean = mean_[which][j], inverse = inverse_[which][j];
      for (std::size_t r = 0; r < rows; ++r) {
        sum += g[r * c + j];
        product += g[r * c + j] * (z[r * c + j] - mean) * inverse;
      }
      const double n = statistics_ == MbconvStatistics::kRunning ? 1e300 : static_cast<double>(rows);
      for (std::size_t r = 0; r < rows; ++r) {
        const double hat = (z[r * c + j] - mean) * inverse;
        dz[r * c + j] = w_.norms[which].scale[j] * inverse * (g[r * c + j] - sum / n - hat * product / n);
      }
    }
    return dz;
  }

  Doubles Activated(Doubles t) const {
    for (double& v : t) {
      if (s_.act == FusedActivation::kRelu) v = std::max(v, 0.0);
      if (s_.act == FusedActivation::kRelu6) v = std::clamp(v, 0.0, 6.0);
      if (s_.act == FusedActivation::kHSwish) v *= std::clamp(v + 3, 0.0, 6.0) / 6;
    }
    return t;
  }

  double Slope(double t) const {
    if (s_.act == FusedActivation::kHSwish) return t <= -3 ? 0 : t >= 3 ? 1 : (2 * t + 3) / 6;
    return t > 0 && (s_.act == FusedActivation::kRelu || t < 6) ? 1 : 0;
  }

  MbconvShape s_;
  ReferenceWeights w_;
  MbconvStatistics statistics_;
  Doubles x_, a1_, a2_, z_[3], t_[2 + 1], mean_[3], inverse_[3];
};

}  // namespace nas::test
