// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace nas {

/// Mean of values that stand for `count` items each.
class AverageMeter {
 public:
  void Add(double value, std::int64_t count) {
    sum_ += value * static_cast<double>(count);
    count_ += count;
  }
  double mean() const { return count_ == 0 ? 0.0 : sum_ / static_cast<double>(count_); }
  double sum() const { return sum_; }
  std::int64_t count() const { return count_; }
  /// Goes on from a checkpoint.
  void Restore(double sum, std::int64_t count) {
    sum_ = sum;
    count_ = count;
  }

 private:
  double sum_ = 0;
  std::int64_t count_ = 0;
};

/// Share of items that are right.
class ShareMeter {
 public:
  void Add(std::int64_t right, std::int64_t count) {
    right_ += right;
    count_ += count;
  }
  double share() const { return count_ == 0 ? 0.0 : static_cast<double>(right_) / static_cast<double>(count_); }
  std::int64_t right() const { return right_; }
  std::int64_t count() const { return count_; }

 private:
  std::int64_t right_ = 0;
  std::int64_t count_ = 0;
};

/// Items per second of the time that is handed in.
class RateMeter {
 public:
  void Add(std::int64_t count, double seconds) {
    count_ += count;
    seconds_ += seconds;
  }
  double rate() const { return seconds_ > 0 ? static_cast<double>(count_) / seconds_ : 0.0; }
  std::int64_t count() const { return count_; }
  double seconds() const { return seconds_; }

 private:
  std::int64_t count_ = 0;
  double seconds_ = 0;
};

}  // namespace nas
