// SPDX-License-Identifier: Apache-2.0
#include "nas/device/simulated_engine.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

#include "nas/core/error.h"
#include "nas/core/text.h"

namespace nas {
namespace {

constexpr double kAmbient = 40;  // °C

// Cost of one block from its key: a plain linear device, so that a fitted model can be exact.
double KeyCost(const std::string& key) {
  const auto colon = key.find(':');
  const std::string op = key.substr(0, colon);
  static const std::vector<std::string> known{"avgpool2d", "conv", "conv1x1", "conv_1", "conv_2", "logits", "mbconv"};
  if (colon == std::string::npos || std::find(known.begin(), known.end(), op) == known.end()) {
    ThrowInput(StrCat("the simulated device cannot run \"", key, "\"", DidYouMean(op, known)));
  }
  std::vector<double> f;
  for (const std::string& field : Split(key.substr(colon + 1), ',')) {
    double value = 0;
    ParseDouble(field, &value);
    f.push_back(value);
  }
  f.resize(10);
  const double h = f[0] * f[0], cin = f[1], out = f[2] * f[2], cout = f[3], mid = f[4], k = f[5];
  if (op == "mbconv") {
    const double expand = mid != cin ? h * cin * mid : 0;
    return 0.015 + 1e-6 * (0.02 * expand + 0.09 * out * mid * k * k + 0.02 * out * mid * cout + 0.6 * out * mid);
  }
  const double macs = op == "conv" ? 9 * out * cin * cout : op == "avgpool2d" ? h * cin : out * cin * cout;
  return 0.01 + 0.03e-6 * macs;
}

double DefaultCost(const MeasureItem& item) {
  if (item.kind == MeasureItem::Kind::kBlock) return KeyCost(item.keys.at(item.timed));
  double sum = 0;
  for (const std::string& key : item.keys) sum += KeyCost(key);
  return 1.04 * sum + 0.05;
}

}  // namespace

class SimulatedEngine::Item final : public PreparedItem {
 public:
  Item(SimulatedEngine& engine, const MeasureItem& item, const RunLayout& layout) : engine_(engine), id_(item.id) {
    const SimulatedDevice& device = engine.device_;
    const bool block = item.kind == MeasureItem::Kind::kBlock;
    cost_ = engine.Truth(item);
    if (block && !layout.chain) cost_ /= device.context_factor;
    if (block && (!layout.chain || layout.rotate_bytes <= device.cache_bytes)) cost_ *= device.hot_factor;
    // A chain also spends time on the neighbours, which does not count.
    beside_ = block && layout.chain ? cost_ : 0;
    odd_ = device.odd_items.empty() || device.odd_items.contains(id_);
  }

  double Run(int calls) override {
    const SimulatedDevice& device = engine_.device_;
    CounterRng& rng = engine_.rng_;
    const double keep = device.correlation;
    engine_.state_ = keep * engine_.state_ + std::sqrt(1 - keep * keep) * rng.Normal();
    const bool slow_mode = odd_ && device.slow_mode_share > 0 && rng.Uniform() < device.slow_mode_share;
    double total = device.overhead_ms;
    for (int i = 0; i < calls; ++i) {
      // Noise is correlated between runs; within one, calls share it.
      double ms = cost_ * std::exp(device.noise * engine_.state_) * engine_.Factor();
      if (slow_mode) ms *= device.slow_mode_factor;
      if (odd_ && device.outlier_share > 0 && rng.Uniform() < device.outlier_share) ms *= device.outlier_factor;
      if (ran_ < device.cold_calls) {
        ms *= 1 + (device.cold_factor - 1) * (1 - static_cast<double>(ran_) / device.cold_calls);
      }
      ++ran_;
      ++engine_.calls_[id_];
      engine_.Pass((ms + beside_) / 1e3);
      total += ms;
    }
    return total / calls;
  }

 private:
  SimulatedEngine& engine_;
  std::string id_;
  double cost_ = 0;
  double beside_ = 0;
  bool odd_ = true;
  int ran_ = 0;
};

SimulatedEngine::SimulatedEngine(SimulatedDevice device, const EngineOptions& options)
    : device_(std::move(device)), options_(options), rng_(device_.seed) {}

SimulatedEngine::~SimulatedEngine() = default;

Json SimulatedEngine::Identity() const {
  return Json{{"class", "cpu"},           {"vendor", "nas"},  {"model", device_.model},      {"soc", "none"},
              {"cores", "1 x simulated"}, {"core_mask", "1"}, {"threads", options_.threads}, {"precision", "fp32"},
              {"batch", options_.batch},  {"os", "none"},     {"engine", "simulated"},       {"engine_version", "1"},
              {"engine_build", ""},       {"delegate", ""}};
}

Json SimulatedEngine::Recorded() const {
  return Json{{"kernel", ""}, {"governor", ""}, {"power", ""}, {"driver", ""}, {"agent_hash", ""}, {"emulated", true}};
}

std::unique_ptr<PreparedItem> SimulatedEngine::Prepare(const MeasureItem& item, const RunLayout& layout) {
  if (device_.failing.contains(item.id)) ThrowInput(StrCat("the simulated device cannot run \"", item.id, "\""));
  prepared_.push_back(item.id);
  return std::make_unique<Item>(*this, item, layout);
}

void SimulatedEngine::Sleep(double seconds) {
  now_s_ += seconds;
  heat_ = std::max(0.0, heat_ - device_.cool_per_s * seconds);
}

double SimulatedEngine::Temperature() const { return device_.heat_per_s > 0 ? kAmbient + heat_ : -1; }

double SimulatedEngine::Truth(const MeasureItem& item) const {
  return device_.cost_ms ? device_.cost_ms(item) : DefaultCost(item);
}

int SimulatedEngine::calls(const std::string& id) const {
  const auto found = calls_.find(id);
  return found == calls_.end() ? 0 : found->second;
}

double SimulatedEngine::Factor() const {
  double factor = 1 + device_.drift_per_s * now_s_;
  if (kAmbient + heat_ >= device_.throttle_at_c) factor *= device_.throttle_factor;
  for (const SlowSpell& spell : device_.spells) {
    if (now_s_ >= spell.from_s && now_s_ < spell.to_s) factor *= spell.factor;
  }
  return factor;
}

void SimulatedEngine::Pass(double seconds) {
  now_s_ += seconds;
  heat_ += device_.heat_per_s * seconds;
}

}  // namespace nas
