// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <ATen/core/Tensor.h>

namespace nas {

/// Exponential moving average of a network's tensors, BN statistics included; whole-number tensors are copied.
/// In step t (from 1) the decay is min(decay, (1 + t)/(10 + t)), so that short trainings do not drag their start along
/// (TensorFlow's `ExponentialMovingAverage` with num_updates).
class Ema {
 public:
  using NamedTensors = std::vector<std::pair<std::string, at::Tensor>>;

  /// Starts at copies of `tensors`. `decay` in (0, 1).
  Ema(double decay, const NamedTensors& tensors);
  /// Moves the average towards `tensors`, which has the names and order of the constructor's.
  void Update(const NamedTensors& tensors);

  const NamedTensors& tensors() const { return average_; }
  std::int64_t steps() const { return steps_; }
  /// Goes on from a checkpoint. Throws kInput naming a tensor that is missing or has another shape.
  void Load(const NamedTensors& tensors, std::int64_t steps);

 private:
  double decay_;
  std::int64_t steps_ = 0;
  NamedTensors average_;
};

}  // namespace nas
