// SPDX-License-Identifier: Apache-2.0
#include "net_fit.h"

#include <cmath>
#include <numeric>

#include "calibration.h"
#include "nas/core/error.h"
#include "nas/core/text.h"
#include "nas/latency/features.h"
#include "nas/latency/hull.h"
#include "nnls.h"

namespace nas {
namespace {

constexpr size_t kLeastNets = 10;
constexpr int kNetOne = kPhiSize + 2;  // after mac_stem, mac_conv_1
constexpr int kColumns = kPhiSize + 3;
constexpr size_t kLooNetsOfLaunchForm = 200;  // the launch-bound form is refitted by iteration: a sample decides

/// Σφ over mbconvs, MACs of stem and conv_1, and 1.
std::vector<double> NetFeatures(const std::vector<BlockKey>& keys) {
  std::vector<double> sum(kColumns, 0.0);
  sum[kNetOne] = 1;
  for (const auto& key : keys) {
    if (key.op == BlockOp::kMbconv) {
      const PhiVector phi = Phi(key);
      for (int j = 0; j < kPhiSize; ++j) sum[j] += phi[j];
    }
    if (key.op == BlockOp::kConv) sum[kPhiSize] += BlockMacs(key) / 1e6;
    if (key.op == BlockOp::kConv1) sum[kPhiSize + 1] += BlockMacs(key) / 1e6;
  }
  return sum;
}

struct Item {
  std::vector<double> features;
  double launches = 0;
  double ms = 0;
};

void AddItem(const Item& item, double weight, NormalEquations* equations) {
  std::vector<double> row = item.features;
  for (double& value : row) value /= item.ms;
  equations->Add(row, 1, weight);
}

double SumWithoutConstant(const Item& item, const std::vector<double>& w) {
  return std::inner_product(item.features.begin(), item.features.begin() + kNetOne, w.begin(), 0.0);
}

std::vector<NetSample> Samples(const std::vector<Item>& items, const std::vector<double>& w) {
  std::vector<NetSample> samples;
  for (const auto& item : items) samples.push_back({SumWithoutConstant(item, w), item.launches, 0, item.ms});
  return samples;
}

Calibration Additive(const std::vector<double>& w, size_t nets) {
  Calibration c;
  c.form = "affine";
  c.b = w[kNetOne];
  c.nets = static_cast<int>(nets);
  return c;
}

double RelativeRms(const std::vector<NetSample>& samples, const std::vector<double>& total) {
  double sum = 0;
  for (size_t i = 0; i < samples.size(); ++i) sum += std::pow(total[i] / samples[i].ms - 1, 2);
  return std::sqrt(sum / static_cast<double>(samples.size()));
}

/// Leave-one-out totals of the additive and, if asked for, of the launch-bound form, on the items `chosen`.
struct LooTotals {
  std::vector<NetSample> samples;  ///< with the S of the fit without the item
  std::vector<double> additive, launch_bound;
};

LooTotals LeaveOneOut(const std::vector<Item>& items, const NormalEquations& all, const std::vector<size_t>& chosen,
                      const Calibration* bound) {
  LooTotals loo;
  for (size_t i : chosen) {
    NormalEquations equations = all;
    AddItem(items[i], -1, &equations);
    const std::vector<double> w = equations.SolveNonNegative();
    const double sum = SumWithoutConstant(items[i], w);
    loo.samples.push_back({sum, items[i].launches, 0, items[i].ms});
    loo.additive.push_back(sum + w[kNetOne]);
    if (bound == nullptr) continue;
    std::vector<NetSample> rest = Samples(items, w);
    rest.erase(rest.begin() + static_cast<std::ptrdiff_t>(i));
    loo.launch_bound.push_back(CalibratedTotal(FitLaunchBound(rest, bound), sum, items[i].launches));
  }
  return loo;
}

}  // namespace

std::vector<std::pair<std::string, HeadParams>> InferredHeads(double w_stem, double w_conv_1) {
  return {{"avgpool2d", {{"el_in"}, {0}, 0}},     {"conv", {{"macs"}, {w_stem}, 0}},
          {"conv1x1", {{"macs"}, {w_conv_1}, 0}}, {"conv_1", {{"macs"}, {w_conv_1}, 0}},
          {"conv_2", {{"weights"}, {0}, 0}},      {"logits", {{"weights"}, {0}, 0}}};
}

void FitWholeNetworks(const std::vector<LatencyNet>& nets, bool launch_form, ModelParams* model,
                      Calibration* calibration) {
  if (nets.size() < kLeastNets) {
    ThrowInput(StrCat("no block rows and only ", nets.size(),
                      " whole networks to fit on; measure mbconv blocks, or at least ", kLeastNets, " networks"));
  }
  std::vector<Item> items;
  std::vector<BlockKey> keys;
  std::vector<int> resolutions;
  for (const auto& net : nets) {
    std::vector<BlockKey> own;
    for (const auto& key : net.keys) own.push_back(ParseBlockKey(key));
    Item& item = items.emplace_back();
    item.features = NetFeatures(own);
    for (const auto& key : own) item.launches += BlockLaunches(key);
    item.ms = net.stats.Value();
    resolutions.push_back(net.resolution);
    keys.insert(keys.end(), own.begin(), own.end());
  }
  NormalEquations equations(kColumns);
  for (const auto& item : items) AddItem(item, 1, &equations);
  const std::vector<double> w = equations.SolveNonNegative();

  *model = ModelParams{};
  model->features = PhiNames();
  model->features.insert(model->features.end(), NetFeatureNames().begin(), NetFeatureNames().end());
  model->w.assign(w.begin(), w.begin() + kNetOne);
  model->head = InferredHeads(w[kPhiSize], w[kPhiSize + 1]);
  model->hull = BuildHull(keys, resolutions);

  const std::vector<NetSample> samples = Samples(items, w);
  Calibration best = Additive(w, items.size());
  std::vector<size_t> every(items.size());
  std::iota(every.begin(), every.end(), size_t{0});
  LooTotals loo = LeaveOneOut(items, equations, every, nullptr);
  if (launch_form) {
    std::vector<size_t> some;
    const size_t stride = (items.size() + kLooNetsOfLaunchForm - 1) / kLooNetsOfLaunchForm;
    for (size_t i = 0; i < items.size(); i += stride) some.push_back(i);
    const Calibration bound = FitLaunchBound(samples, nullptr);
    const LooTotals both = LeaveOneOut(items, equations, some, &bound);
    if (RelativeRms(both.samples, both.launch_bound) <= 0.95 * RelativeRms(both.samples, both.additive)) {
      best = bound;
      loo = LeaveOneOut(items, equations, some, &bound);
      loo.additive = loo.launch_bound;
    }
  }
  SetCalibrationError(loo.samples, loo.additive, &best);
  model->sigma_model = best.sigma_cal;
  *calibration = best;
}

}  // namespace nas
