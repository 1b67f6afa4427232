// SPDX-License-Identifier: Apache-2.0
#include "nas/device/quiet_gauge.h"

#include <algorithm>

#include "nas/core/stats.h"

namespace nas {
namespace {

constexpr double kQuietQuantile = 0.2;
constexpr int kLeastReadings = 5;

}  // namespace

QuietGauge::QuietGauge(Engine& engine, PreparedItem& reference, const ProtocolOptions& options)
    : engine_(engine), reference_(reference), options_(options) {}

double QuietGauge::Read() {
  const double first = reference_.Run(1);
  const double reading = std::min(first, reference_.Run(1));
  sorted_.insert(std::upper_bound(sorted_.begin(), sorted_.end(), reading), reading);
  level_ = sorted_[static_cast<std::size_t>(kQuietQuantile * static_cast<double>(sorted_.size() - 1))];
  return reading;
}

void QuietGauge::Settle(double seconds) {
  // The very first calls of a network allocate and compile; they say nothing about neighbours.
  for (int i = 0; i < options_.window; ++i) reference_.Run(1);
  const double start = engine_.Now();
  for (int i = 0; i < kLeastReadings || engine_.Now() - start < seconds; ++i) Read();
}

double QuietGauge::Look() {
  std::vector<double> all, quiet;
  const double start = engine_.Now();
  for (;;) {
    const double reading = Read();
    all.push_back(reading);
    if (IsQuiet(reading)) quiet.push_back(reading);
    const double seconds = engine_.Now() - start;
    if (static_cast<int>(all.size()) < kLeastReadings || seconds < options_.reference_seconds) continue;
    const bool found = 4 * quiet.size() >= all.size() && static_cast<int>(quiet.size()) >= kLeastReadings;
    if (found || seconds >= 4 * options_.reference_seconds) return Median(found ? quiet : all);
  }
}

}  // namespace nas
