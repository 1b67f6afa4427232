// SPDX-License-Identifier: Apache-2.0
#include "run_charts.h"

#include <algorithm>
#include <cmath>

#include "nas/core/error.h"
#include "nas/core/text.h"
#include "nas/latency/latency_model.h"

namespace nas::detail {
namespace {

const ChartAxis kEpochs{"epoch", AxisFormat::kPlain, false, true};

/// `c1` … `c6`, again from the start when there are more.
std::string ColorOf(std::size_t index) { return StrCat("c", index % 6 + 1); }

ChartAxis CostAxis(CostUnit unit, const std::string& prefix = "") {
  return {prefix + CostName(unit), FormatOf(unit), false, false};
}

template <typename Value>
ChartSeries Over(const RunRecord& run, const std::string& name, const std::string& color, Value value) {
  ChartSeries series;
  series.name = name;
  series.color = color;
  for (const EpochRecord& epoch : run.epochs) {
    const std::optional<double> y = value(epoch);
    if (y && std::isfinite(*y)) series.points.push_back({static_cast<double>(epoch.epoch), *y, ""});
  }
  return series;
}

void AddIfAny(ChartSeries series, Chart* chart) {
  if (!series.points.empty()) chart->series.push_back(std::move(series));
}

std::string PointLabel(const NetworkPoint& point) { return StrCat(point.code, ", epoch ", point.epoch); }

}  // namespace

AxisFormat FormatOf(CostUnit unit) { return unit == CostUnit::kMillis ? AxisFormat::kMillis : AxisFormat::kCount; }

std::string CostName(CostUnit unit) {
  return unit == CostUnit::kMillis ? "latency" : unit == CostUnit::kMacs ? "MACs" : "parameters";
}

std::vector<ChartPoint> ParetoFront(std::vector<ChartPoint> points) {
  std::sort(points.begin(), points.end(),
            [](const ChartPoint& a, const ChartPoint& b) { return a.x != b.x ? a.x < b.x : a.y > b.y; });
  std::vector<ChartPoint> front;
  for (const ChartPoint& point : points) {
    if (front.empty() || point.y > front.back().y) front.push_back(point);
  }
  return front;
}

Chart TradeOffChart(const RunRecord& run, const TargetRecord& target) {
  Chart chart;
  chart.id = target.folder + "-tradeoff";
  chart.title = StrCat("Accuracy against ", CostName(target.unit));
  chart.x = CostAxis(target.unit, "predicted ");
  chart.y = {"accuracy", AxisFormat::kPercent, false, false};
  ChartSeries early{"earlier epochs", SeriesKind::kDots, "muted", false, 2.6, false, true, {}};
  ChartSeries late{"last epoch", SeriesKind::kDots, "c1", false, 3.2, false, false, {}};
  // Where both files have the networks of the epochs, samples.jsonl has more.
  const std::vector<NetworkPoint>& seen = run.samples.empty() ? run.validations : run.samples;
  int last = 0;
  for (const NetworkPoint& point : seen) {
    if (point.target == target.label) last = std::max(last, point.epoch);
  }
  std::vector<ChartPoint> all;
  std::optional<ChartPoint> chosen;
  for (const NetworkPoint& point : seen) {
    if (point.target != target.label || !point.accuracy) continue;
    const ChartPoint dot{point.predicted, *point.accuracy, PointLabel(point)};
    (point.epoch == last ? late : early).points.push_back(dot);
    all.push_back(dot);
    if (target.outcome && point.code == target.outcome->code) chosen = dot;
  }
  ChartSeries front{"Pareto front", SeriesKind::kStep, "c3", false, 3, false, false, ParetoFront(all)};
  AddIfAny(std::move(early), &chart);
  AddIfAny(std::move(late), &chart);
  if (all.size() > 1) AddIfAny(std::move(front), &chart);
  if (chosen) {
    chosen->label = "selected " + chosen->label;
    chart.series.push_back({"selected", SeriesKind::kDots, "c2", false, 6, true, false, {*chosen}});
  }
  if (target.outcome) {
    chart.series.push_back({"on the test set",
                            SeriesKind::kDots,
                            "c4",
                            false,
                            6,
                            true,
                            false,
                            {{target.outcome->predicted, target.outcome->top1, "selected " + target.outcome->code}}});
  }
  if (!chart.empty() && target.budget) {
    chart.marks.push_back({true, *target.budget, "asked " + CostToString(target.unit, *target.budget)});
  }
  chart.reading =
      "Small dots: networks looked at on the way, on images kept out of training, by batch statistics and the weights "
      "of "
      "their epoch. The test-set figure is of the recalibrated network; the two are not the same measure.";
  return chart;
}

Chart ExpectedChart(const RunRecord& run, std::size_t t) {
  const TargetRecord& target = run.targets[t];
  Chart chart;
  chart.id = target.folder + "-expected";
  chart.title = StrCat("Expected ", CostName(target.unit), " against the target");
  chart.reading = "Expected: over all networks by their probability. Most probable: of the single likeliest network.";
  chart.x = kEpochs;
  chart.y = CostAxis(target.unit);
  const auto look = [t](double TargetEpoch::*member) {
    return [t, member](const EpochRecord& epoch) {
      return t < epoch.targets.size() ? std::optional(epoch.targets[t].*member) : std::nullopt;
    };
  };
  AddIfAny(Over(run, "expected", "c1", look(&TargetEpoch::expected)), &chart);
  ChartSeries argmax = Over(run, "most probable", "c2", look(&TargetEpoch::argmax));
  argmax.dashed = true;
  AddIfAny(std::move(argmax), &chart);
  if (!chart.empty() && target.budget) {
    chart.marks.push_back({false, *target.budget, "asked " + CostToString(target.unit, *target.budget)});
  }
  return chart;
}

Chart LossChart(const RunRecord& run) {
  Chart chart;
  chart.id = "loss";
  chart.title = "Training loss";
  chart.reading = "Mean of each epoch, label smoothing included.";
  chart.x = kEpochs;
  chart.y = {"cross-entropy", AxisFormat::kPlain, false, false};
  ChartSeries warm_up{"warm-up", SeriesKind::kLine, "muted", false, 3, false, false, {}};
  ChartSeries main{
      run.kind == RunKind::kSearch ? "search" : "training", SeriesKind::kLine, "c1", false, 3, false, false, {}};
  for (const EpochRecord& epoch : run.epochs) {
    if (!epoch.loss) continue;
    const ChartPoint point{static_cast<double>(epoch.epoch), *epoch.loss, ""};
    if (epoch.phase == "warm-up") {
      warm_up.points.push_back(point);
    } else {
      // The curve goes on where the warm-up ended.
      if (main.points.empty() && !warm_up.points.empty()) main.points.push_back(warm_up.points.back());
      main.points.push_back(point);
    }
  }
  AddIfAny(std::move(warm_up), &chart);
  AddIfAny(std::move(main), &chart);
  return chart;
}

Chart AccuracyChart(const RunRecord& run) {
  Chart chart;
  chart.id = "accuracy";
  chart.title = "Accuracy";
  chart.reading =
      run.kind == RunKind::kSearch
          ? "Training: of the sampled paths on augmented images. Dots: the present network of each target on "
            "images kept out of training."
          : "Training: on augmented images.";
  chart.x = kEpochs;
  chart.y = {"top-1", AxisFormat::kPercent, false, false};
  AddIfAny(Over(run, "training", "c1", [](const EpochRecord& epoch) { return epoch.accuracy; }), &chart);
  ChartSeries test = Over(run, "test set", "c2", [](const EpochRecord& epoch) { return epoch.test_top1; });
  test.kind = SeriesKind::kDots;
  test.size = 4;
  AddIfAny(std::move(test), &chart);
  for (std::size_t t = 0; t < run.targets.size(); ++t) {
    ChartSeries series{run.targets[t].label, SeriesKind::kDots, ColorOf(t + 1), false, 3.5, false, false, {}};
    for (const NetworkPoint& point : run.validations) {
      if (point.target == run.targets[t].label && point.accuracy)
        series.points.push_back({static_cast<double>(point.epoch), *point.accuracy, PointLabel(point)});
    }
    AddIfAny(std::move(series), &chart);
  }
  return chart;
}

namespace {

/// One line per target.
template <typename Value>
void AddPerTarget(const RunRecord& run, Chart* chart, Value value) {
  for (std::size_t t = 0; t < run.targets.size(); ++t) {
    AddIfAny(Over(run, run.targets[t].label, ColorOf(t),
                  [&](const EpochRecord& epoch) {
                    return t < epoch.targets.size() ? std::optional<double>(value(epoch.targets[t])) : std::nullopt;
                  }),
             chart);
  }
}

}  // namespace

Chart LambdaChart(const RunRecord& run) {
  Chart chart;
  chart.id = "lambda";
  chart.title = "Pressure of the constraint, λ";
  chart.reading = "Multiplier of the constraint in the loss: above 0 while the expected cost exceeds the target.";
  chart.x = kEpochs;
  chart.y = {"λ", AxisFormat::kPlain, true, false};
  const bool constrained = std::any_of(run.targets.begin(), run.targets.end(), [](const auto& t) { return t.budget; });
  if (constrained && run.learns_alphas())
    AddPerTarget(run, &chart, [](const TargetEpoch& look) { return look.lambda; });
  return chart;
}

Chart EntropyChart(const RunRecord& run) {
  Chart chart;
  chart.id = "entropy";
  chart.title = "How undecided the search still is";
  chart.reading =
      "Entropy of the probabilities as a share of its maximum: 100 % is a coin toss on every edge, 0 % one network.";
  chart.x = kEpochs;
  chart.y = {"entropy", AxisFormat::kPercent, true, false};
  if (!run.space || !run.learns_alphas()) return chart;
  double most = 0;
  for (const Edge& edge : run.space->edges()) most += std::log(edge.size());
  AddPerTarget(run, &chart, [most](const TargetEpoch& look) { return look.entropy / most; });
  return chart;
}

Chart PredictionChart(const RunRecord& run, const TargetRecord& target) {
  Chart chart;
  chart.id = target.folder + "-predicted";
  chart.title = "Predicted against measured latency";
  chart.reading = "Whole networks. Dashed: 10 % off.";
  chart.square = true;
  chart.height = 420;
  chart.x = {"measured", AxisFormat::kMillis, false, false};
  chart.y = {"predicted", AxisFormat::kMillis, false, false};
  if (target.model == nullptr) return chart;
  ChartSeries fitted{"used for calibration", SeriesKind::kDots, "muted", false, 3.2, false, false, {}};
  ChartSeries held_out{"held out", SeriesKind::kDots, "c1", false, 3.6, false, false, {}};
  for (const LatencyNet& net : target.model->table().nets) {
    try {
      const ChartPoint point{net.stats.Value(), target.model->PredictKeys(net.keys, net.resolution).ms, net.name};
      (net.role == "held-out" ? held_out : fitted).points.push_back(point);
    } catch (const Error&) {
      continue;  // a network of blocks that the table's model does not cover
    }
  }
  AddIfAny(std::move(fitted), &chart);
  AddIfAny(std::move(held_out), &chart);
  ChartSeries own{"this run", SeriesKind::kDots, "c2", false, 6, true, false, {}};
  for (const NetworkPoint& point : run.measured) {
    if (point.target == target.label && point.measured)
      own.points.push_back({*point.measured, point.predicted, "network " + point.code});
  }
  AddIfAny(std::move(own), &chart);
  return chart;
}

std::vector<Chart> CompareTradeOffs(const std::vector<RunRecord>& runs) {
  std::vector<Chart> charts;
  for (const CostUnit unit : {CostUnit::kMillis, CostUnit::kMacs, CostUnit::kParams}) {
    Chart chart;
    const char* name = unit == CostUnit::kMillis ? "latency" : unit == CostUnit::kMacs ? "macs" : "params";
    chart.id = StrCat("compare-", name);
    chart.title = StrCat("Selected networks: accuracy against ", CostName(unit));
    chart.reading = "Test set, inherited weights, recalibrated.";
    chart.x = CostAxis(unit, "predicted ");
    chart.y = {"top-1", AxisFormat::kPercent, false, false};
    for (std::size_t r = 0; r < runs.size(); ++r) {
      ChartSeries series{runs[r].name(), SeriesKind::kDots, ColorOf(r), false, 6, false, false, {}};
      for (const TargetRecord& target : runs[r].targets) {
        if (target.unit == unit && target.outcome)
          series.points.push_back({target.outcome->predicted, target.outcome->top1,
                                   StrCat(runs[r].name(), " ", target.label, ", ", target.outcome->code)});
      }
      AddIfAny(std::move(series), &chart);
    }
    if (chart.points() > 1) charts.push_back(std::move(chart));
  }
  return charts;
}

Chart CompareLosses(const std::vector<RunRecord>& runs) {
  Chart chart;
  chart.id = "compare-loss";
  chart.title = "Training loss";
  chart.reading = "Mean of each epoch, label smoothing included.";
  chart.x = kEpochs;
  chart.y = {"cross-entropy", AxisFormat::kPlain, false, false};
  for (std::size_t r = 0; r < runs.size(); ++r) {
    AddIfAny(Over(runs[r], runs[r].name(), ColorOf(r), [](const EpochRecord& epoch) { return epoch.loss; }), &chart);
  }
  return chart;
}

}  // namespace nas::detail
