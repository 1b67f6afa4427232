// SPDX-License-Identifier: Apache-2.0
#include "nas/latency/latency_model.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <optional>

#include "calibration.h"
#include "head_model.h"
#include "mbconv_predictor.h"
#include "merged_rows.h"
#include "nas/core/error.h"
#include "nas/core/text.h"
#include "nas/latency/hull.h"
#include "nas/space/op_catalogue.h"

namespace nas {
namespace {

constexpr size_t kMostMissingListed = 5;
constexpr double kFittedHeadSigma = 0.05;

/// Distance of two keys for "nearest covered": sizes in logarithms, everything else as found.
double KeyDistance(const BlockKey& a, const BlockKey& b) {
  const auto log_ratio = [](int x, int y) { return std::abs(std::log((x + 1.0) / (y + 1.0))); };
  return (a.op == b.op ? 0 : 100) + log_ratio(a.h, b.h) + log_ratio(a.cin, b.cin) + log_ratio(a.cout, b.cout) +
         log_ratio(a.mid, b.mid) + std::abs(a.k - b.k) + std::abs(a.s - b.s) + (a.se == b.se ? 0 : 1) +
         (a.skip == b.skip ? 0 : 1) + (ActClass(a.act) == ActClass(b.act) ? 0 : 1);
}

}  // namespace

struct LatencyModel::State {
  LatencyTable table;
  BlockSource source = BlockSource::kBlended;
  Calibration calibration;
  std::optional<MbconvPredictor> mbconv;
  std::map<BlockKey, MergedRow> measured;
};

LatencyModel::LatencyModel(LatencyTable table, BlockSource source) {
  auto state = std::make_shared<State>();
  if (!table.model && source != BlockSource::kMeasuredOnly) {
    ThrowInput(StrCat("table \"", table.name, "\" has no model yet; run: nas predictor fit"));
  }
  if (table.calibration) state->calibration = *table.calibration;
  const double sigma_run = table.model ? table.model->sigma_run : ModelParams{}.sigma_run;
  if (table.model) state->mbconv.emplace(*table.model);
  if (source != BlockSource::kModelOnly) {
    for (auto& row : MergeRuns(table.rows, sigma_run)) state->measured.emplace(row.sample.key, row);
  }
  state->table = std::move(table);
  state->source = source;
  state_ = std::move(state);
}

LatencyModel LatencyModel::Fit(LatencyTable table, const FitOptions& options) {
  FitTable(table, options);
  return LatencyModel(std::move(table));
}

const LatencyTable& LatencyModel::table() const { return state_->table; }
BlockSource LatencyModel::source() const { return state_->source; }

BlockPrediction LatencyModel::PredictMbconv(const BlockKey& key) const {
  const MbconvPredictor::Result result = state_->mbconv->Predict(key);
  BlockPrediction block;
  block.ms = result.ms;
  block.sigma = result.sigma;
  return block;
}

BlockPrediction LatencyModel::PredictHeadPiece(const BlockKey& key) const {
  const ModelParams& model = *state_->table.model;
  const std::string op(ToString(key.op));
  const auto head = std::find_if(model.head.begin(), model.head.end(), [&](const auto& h) { return h.first == op; });
  if (head == model.head.end()) {
    ThrowInput(
        StrCat("no latency model for ", ToString(key), ": table \"", state_->table.name, "\" does not know op ", op));
  }
  BlockPrediction block;
  if (model.inferred()) {
    // A piece whose weight is 0 stands in the constant b of the network.
    const bool in_constant = std::all_of(head->second.w.begin(), head->second.w.end(), [](double w) { return w == 0; });
    block.ms = in_constant ? 0 : PredictHead(head->second, key);
    return block;
  }
  block.ms = PredictHead(head->second, key);
  if (head->second.rows == 0) {
    block.sigma = kHeadEstimatedSigma;
    block.flags.push_back("head_estimated");
  } else if (head->second.rows == 1) {
    block.sigma = kHeadScaledSigma;
    block.flags.push_back("head_scaled");
  } else {
    block.sigma = std::max(model.sigma_model, kFittedHeadSigma);
  }
  return block;
}

BlockPrediction LatencyModel::PredictBlock(const BlockKey& key, int resolution) const {
  const std::string problem = BlockKeyProblem(key);
  if (!problem.empty()) ThrowInput(StrCat("block ", ToString(key), ": ", problem));
  const auto row = state_->measured.find(key);
  BlockPrediction block;
  if (state_->source == BlockSource::kMeasuredOnly) {
    if (row == state_->measured.end()) CheckCovered({ToString(key)});
    block.ms = row->second.sample.ms;
    block.sigma = std::sqrt(row->second.variance);
    block.measured = true;
  } else {
    block = key.op == BlockOp::kMbconv ? PredictMbconv(key) : PredictHeadPiece(key);
    const ModelParams& model = *state_->table.model;
    block.inferred = model.inferred();
    const Extrapolation extrapolation = JudgeExtrapolation(model.hull, key, resolution);
    block.extrapolated = !extrapolation.reasons.empty();
    if (row != state_->measured.end()) {
      // The key itself was measured: only the ranges of its network can still lie outside.
      const double model_sigma = key.op == BlockOp::kMbconv ? model.sigma_model : block.sigma;
      const double measured_weight = 1 / std::max(row->second.variance, 1e-12);
      const double model_weight = 1 / std::max(model_sigma * model_sigma, 1e-12);
      const double share = measured_weight / (measured_weight + model_weight);
      block.ms = std::exp(share * std::log(row->second.sample.ms) + (1 - share) * std::log(block.ms));
      block.sigma = std::sqrt(1 / (measured_weight + model_weight));
      block.measured = true;
      block.flags.clear();
    }
    block.sigma = std::hypot(block.sigma, extrapolation.sigma);
    block.flags.insert(block.flags.end(), extrapolation.reasons.begin(), extrapolation.reasons.end());
  }
  block.key = ToString(key);
  block.launches = BlockLaunches(key);
  return block;
}

void LatencyModel::CheckCovered(const std::vector<std::string>& keys) const {
  if (state_->source != BlockSource::kMeasuredOnly) return;
  std::vector<std::string> missing;
  size_t count = 0;
  for (const auto& text : keys) {
    if (text.empty()) continue;
    const BlockKey key = ParseBlockKey(text);
    if (state_->measured.count(key) != 0) continue;
    if (++count > kMostMissingListed) continue;
    std::string nearest;
    double least = std::numeric_limits<double>::infinity();
    for (const auto& [covered, row] : state_->measured) {
      const double distance = KeyDistance(key, covered);
      if (distance < least) {
        least = distance;
        nearest = ToString(covered);
      }
    }
    missing.push_back(nearest.empty() ? text : StrCat(text, " (nearest: ", nearest, ")"));
  }
  if (count == 0) return;
  ThrowInput(StrCat("table \"", state_->table.name, "\" has no measured row for ", count,
                    " of the network's blocks: ", Join(missing, ", "), count > kMostMissingListed ? ", …" : "",
                    "; measure them, or predict with the model (without --measured-only)"));
}

NetworkPrediction LatencyModel::PredictNetwork(const Architecture& architecture) const {
  return PredictKeys(LatencyKeys(architecture), architecture.resolution);
}

NetworkPrediction LatencyModel::PredictKeys(const std::vector<std::string>& keys, int resolution) const {
  CheckCovered(keys);
  NetworkPrediction network;
  double variance = 0, extrapolated = 0;
  for (const auto& key : keys) {
    if (key.empty()) continue;
    BlockPrediction block = PredictBlock(ParseBlockKey(key), resolution);
    network.sum += block.ms;
    network.launches += block.launches;
    variance += block.ms * block.ms * block.sigma * block.sigma;
    if (block.extrapolated) extrapolated += block.ms;
    network.extrapolated = network.extrapolated || block.extrapolated;
    network.blocks.push_back(std::move(block));
  }
  const Calibration& c = state_->calibration;
  network.ms = CalibratedTotal(c, network.sum, network.launches);
  network.sigma = CalibratedSigma(c, network.sum, network.launches, variance);
  network.half_width = c.q * network.sigma;
  network.interval = {std::max(network.ms - network.half_width, 0.0), network.ms + network.half_width};
  network.extrapolated_share = network.sum > 0 ? extrapolated / network.sum : 0;
  network.calibrated = c.form != "none";
  return network;
}

CostTable LatencyModel::Compile(const SearchSpace& space) const {
  CostTable costs;
  costs.target = state_->table.name;
  costs.unit = CostUnit::kMillis;
  const Calibration& c = state_->calibration;
  costs.a = c.a;
  costs.b = c.b;
  costs.launch_bound = c.form == "launch_bound";
  costs.c0 = c.c0;
  costs.c1 = c.c1;
  costs.p = c.p;
  const std::vector<std::string> base_keys = LatencyKeys(space.base());
  std::vector<std::vector<std::string>> edge_keys;
  std::vector<std::string> every;
  for (size_t i = 0; i < base_keys.size(); ++i) {
    if (!space.IsSearched(static_cast<int>(i))) every.push_back(base_keys[i]);
  }
  const size_t fixed = every.size();
  for (const auto& edge : space.edges()) {
    auto& keys = edge_keys.emplace_back();
    for (const auto& layer : edge.candidates) keys.push_back(FindOp(layer.op).LatencyKey(layer, edge.in));
    every.insert(every.end(), keys.begin(), keys.end());
  }
  CheckCovered(every);

  for (size_t i = 0; i < fixed; ++i) {
    if (every[i].empty()) continue;
    const BlockPrediction block = PredictBlock(ParseBlockKey(every[i]), space.resolution());
    costs.fixed += block.ms;
    costs.fixed_launches += block.launches;
  }
  bool any_extrapolated = false;
  std::vector<std::vector<int>> launches;
  for (const auto& keys : edge_keys) {
    auto& cost = costs.cost.emplace_back();
    auto& launch = launches.emplace_back();
    auto& flagged = costs.extrapolated.emplace_back();
    for (const auto& key : keys) {
      const BlockPrediction block =
          key.empty() ? BlockPrediction{} : PredictBlock(ParseBlockKey(key), space.resolution());
      cost.push_back(block.ms);
      launch.push_back(block.launches);
      flagged.push_back(block.extrapolated);
      any_extrapolated = any_extrapolated || block.extrapolated;
    }
  }
  if (costs.launch_bound) costs.launches = std::move(launches);
  if (!any_extrapolated) costs.extrapolated.clear();
  return costs;
}

}  // namespace nas
