// SPDX-License-Identifier: Apache-2.0
#include "derive.h"

#include <algorithm>
#include <cmath>

#include <nlohmann/json.hpp>

#include "closing_evidence.h"
#include "nas/core/error.h"
#include "nas/core/files.h"
#include "nas/core/log.h"
#include "nas/core/text.h"
#include "nas/latency/latency_model.h"
#include "nas/nn/recalibrate.h"
#include "nas/train/evaluate.h"
#include "nas/train/network_setup.h"
#include "ranking_probe.h"

namespace nas {
namespace {

constexpr std::int64_t kRecalibrationImages = 2000;  // N2
constexpr int kRecalibrationBatch = 200;
constexpr int kCorrections = 3;        // N13
constexpr double kUnusedShare = 0.90;  // below this share of the budget a more probable network is looked for

/// A selection with its measured latency (or the prediction, where the device is out of reach).
struct Candidate {
  Selection selection;
  std::optional<double> measured;
  bool met = true;
};

/// One target's way from alphas to a network.
class Derivation {
 public:
  Derivation(const SearchSetup& setup, const SearchHooks& hooks, RunFolder& folder, SearchState& state,
             const Strategy& strategy, InheritedAccuracy& accuracy, std::size_t index, double expected)
      : setup_(setup),
        hooks_(hooks),
        folder_(folder),
        state_(state),
        strategy_(strategy),
        accuracy_(accuracy),
        target_(setup.targets[index]),
        target_state_(state.targets[index]),
        expected_(expected) {}

  TargetResult Run() {
    const Candidate candidate = CloseTheLoop();
    Architecture architecture = setup_.space.Build(candidate.selection.choice);
    architecture.name = StrCat(setup_.space.name(), "-", target_.folder);

    Network network = state_.net.Extract(candidate.selection.choice);
    RecalibrateOnTrainingImages(setup_, network, state_.net.device());
    Loader test(setup_.data.test, setup_.LoaderFor(Augmentation::kEval, /*batch=*/250, /*stream=*/3));
    const Accuracy accuracy = Evaluate([&](const at::Tensor& images) { return network.Forward(images, BnMode::kEval); },
                                       test, state_.net.device());

    TargetResult result = Describe(candidate, architecture, accuracy);
    Write(architecture, network, result);
    return result;
  }

 private:
  /// Selects under the budget, measures, and moves the budget by what the prediction was off, at most three times
  /// (N13).
  Candidate CloseTheLoop() {
    std::optional<double> limit = target_.budget;
    std::vector<Candidate> seen;
    for (int round = 0; round <= kCorrections; ++round) {
      const auto selection = strategy_.Select(state_, target_, target_state_, limit, accuracy_);
      if (!selection) break;  // the corrected budget has left the space
      const bool again = std::any_of(seen.begin(), seen.end(),
                                     [&](const Candidate& c) { return c.selection.choice == selection->choice; });
      if (again) break;
      Candidate candidate{*selection, Measure(*selection), true};
      if (!candidate.measured || !target_.budget) {
        candidate.met = !target_.budget || selection->cost <= *target_.budget;
        return candidate;
      }
      candidate.met = *candidate.measured <= *target_.budget * (1 + setup_.options.tolerance);
      seen.push_back(candidate);
      const bool unused =
          *candidate.measured < kUnusedShare * *target_.budget &&
          selection->log_prob < SelectArgmax(target_state_.alphas.LogProbabilities(), target_.table).log_prob;
      if (candidate.met && !unused) break;
      limit = *target_.budget * selection->cost / *candidate.measured;
      LogInfo(StrCat(target_.label(), ": network ", setup_.space.Code(selection->choice), " is predicted at ",
                     CostToString(target_.table.unit, selection->cost), " and measured at ",
                     CostToString(target_.table.unit, *candidate.measured),
                     "; selecting again under a corrected budget of ", CostToString(target_.table.unit, *limit)));
    }
    if (seen.empty()) ThrowInternal(StrCat("no network meets ", target_.label(), ", though its range was checked"));
    // The most probable network that was measured to meet the budget; the fastest one when none does.
    return *std::max_element(seen.begin(), seen.end(), [](const Candidate& x, const Candidate& y) {
      if (x.met != y.met) return y.met;
      return x.met ? x.selection.log_prob < y.selection.log_prob : *x.measured > *y.measured;
    });
  }

  std::optional<double> Measure(const Selection& selection) {
    if (!target_.measure) return std::nullopt;
    if (hooks_.progress != nullptr) {
      ProgressState look;
      look.phase = "measure " + target_.label();
      hooks_.progress->Update(look);
    }
    const std::string code = setup_.space.Code(selection.choice);
    const auto known = state_.measured.find(target_.label() + " " + code);
    const double measured =
        known != state_.measured.end() ? known->second : target_.measure(setup_.space.Build(selection.choice));
    folder_.AppendMetric({{"event", "measured"},
                          {"epoch", setup_.schedule.epochs},
                          {"step", state_.step},
                          {"target", target_.label()},
                          {"code", code},
                          {"predicted", selection.cost},
                          {"measured", measured}});
    return measured;
  }

  TargetResult Describe(const Candidate& candidate, const Architecture& architecture, const Accuracy& accuracy) const {
    const Matrix log_p = target_state_.alphas.LogProbabilities();
    const Selection argmax = SelectArgmax(log_p, target_.table);
    TargetResult result;
    result.target = target_.request.name;
    result.folder = target_.folder;
    result.unit = target_.unit();
    result.asked = target_.budget;
    result.predicted = candidate.selection.cost;
    result.measured = candidate.measured;
    result.met = candidate.met;
    if (target_.model != nullptr) {
      const auto prediction = target_.model->PredictNetwork(architecture);
      result.interval = std::pair{prediction.interval[0], prediction.interval[1]};
    }
    result.expected = expected_;
    result.argmax_predicted = argmax.cost;
    result.argmax_log_prob = argmax.log_prob;
    result.selected_log_prob = candidate.selection.log_prob;
    result.code = setup_.space.Code(candidate.selection.choice);
    result.macs = CountMacs(architecture).value;
    result.params = CountParams(architecture);
    result.top1 = accuracy.top1;
    result.top5 = accuracy.top5;
    result.images = accuracy.images;
    result.architecture = architecture;
    LogInfo(StrCat(target_.label(), ": chose ", result.code, " (log p ", Fixed(result.selected_log_prob, 2),
                   "; unconstrained argmax ", setup_.space.Code(argmax.choice), " has ", Fixed(argmax.log_prob, 2),
                   " at ", CostToString(target_.table.unit, argmax.cost), ": the constraint costs a factor of ",
                   Fixed(std::exp(argmax.log_prob - result.selected_log_prob), 1), " in probability)"));
    return result;
  }

  void Write(const Architecture& architecture, const Network& network, const TargetResult& result) const {
    const std::filesystem::path place = folder_.path() / "targets" / target_.folder;
    MakeDirectory(place);
    WriteFileAtomic(place / "arch.json", PrettyDump(ToJson(architecture)));
    WriteFileAtomic(place / "net.config", PrettyDump(ToNetConfig(architecture)));
    try {
      WriteFileAtomic(place / "arch.timm", PrettyDump(ToTimm(architecture)));
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kInput) throw;
      LogDebug(StrCat(target_.label(), ": no arch.timm: ", error.what()));
    }
    WriteWeights(place / "weights.safetensors", architecture, network.NamedTensors(),
                 {{"nas.top1", StrCat(result.top1)}, {"nas.top1.how", "inherited weights, BN recalibrated, test set"}});
  }

  const SearchSetup& setup_;
  const SearchHooks& hooks_;
  RunFolder& folder_;
  SearchState& state_;
  const Strategy& strategy_;
  InheritedAccuracy& accuracy_;
  const SearchTarget& target_;
  const TargetState& target_state_;
  const double expected_;  ///< cost under the probabilities at the end of training
};

/// Between two networks that are judged: tells how far it is, and stops when asked; all training is in the checkpoint.
void LookUp(const SearchSetup& setup, const SearchHooks& hooks, const RunFolder& folder, std::int64_t judged) {
  if (hooks.progress != nullptr) {
    ProgressState look;
    look.phase = "networks judged";
    look.done = static_cast<double>(judged);
    hooks.progress->Update(look);
  }
  if (hooks.ranks != nullptr) hooks.ranks->Progress(judged, "judge");  // the other ranks wait, and must not give up
  if (hooks.stop == nullptr || !hooks.stop->requested()) return;
  throw Error(
      ErrorKind::kCheckpointed,
      StrCat("stopped while choosing among trained networks; go on with: nas search --out ", folder.path().string(),
             setup.options.from.empty() ? " --resume" : " --force", " and the same flags"));
}

void WeighEvidence(const SearchSetup& setup, RunFolder& folder, SearchState& state, InheritedAccuracy& accuracy) {
  const auto effects = ClosingEvidence(setup, state).Weigh(accuracy);
  if (!effects) {
    LogInfo("inherited accuracies follow no candidate: the networks are chosen by the learned probabilities alone");
    return;
  }
  Json line{{"event", "evidence"},
            {"epoch", setup.schedule.epochs},
            {"step", state.step},
            {"architectures", effects->architectures},
            {"explained", effects->explained},
            {"standard_error", effects->standard_error},
            {"effect", effects->effect}};
  line["targets"] = Json::array();
  for (std::size_t t = 0; t < state.targets.size(); ++t)
    line["targets"].push_back({{"target", setup.targets[t].label()}, {"alpha", state.targets[t].alphas.alpha()}});
  folder.AppendMetric(line);
  LogInfo(StrCat(effects->architectures, " networks judged with inherited weights: their blocks explain ",
                 Fixed(100 * effects->explained, 0),
                 " % of the variance of accuracy, a difference of two candidates is known to ±",
                 Fixed(100 * effects->standard_error, 2), " points"));
}

}  // namespace

void RecalibrateOnTrainingImages(const SearchSetup& setup, Network& network, const at::Device& device) {
  LoaderOptions options = setup.LoaderFor(Augmentation::kTrain, kRecalibrationBatch, /*stream=*/4);
  Loader loader(setup.train, options);
  std::int64_t images = 0;
  RecalibrateBatchNorm(network, [&](at::Tensor* out) {
    Batch batch;
    if (images >= kRecalibrationImages || !loader.Next(&batch)) return false;
    images += batch.labels.size(0);
    *out = batch.images.to(device);
    return true;
  });
}

SearchResult DeriveNetworks(const SearchSetup& setup, const SearchHooks& hooks, RunFolder& folder, SearchState& state,
                            const Strategy& strategy) {
  SearchResult result;
  const RankingProbe probe(setup);
  InheritedAccuracy accuracy = probe.Accuracy(state, strategy.learns_alphas());
  accuracy.BeforeEach([&](std::int64_t judged) { LookUp(setup, hooks, folder, judged); });
  std::vector<double> expected;
  for (TargetState& target : state.targets) {
    expected.push_back(target.constraint.Expected(target.alphas));
    const auto budget = target.constraint.budget();
    target.pressed = target.pressed || (budget && Pressed(expected.back(), *budget));
  }
  if (strategy.learns_alphas()) WeighEvidence(setup, folder, state, accuracy);
  for (std::size_t t = 0; t < setup.targets.size(); ++t) {
    result.targets.push_back(Derivation(setup, hooks, folder, state, strategy, accuracy, t, expected[t]).Run());
  }
  if (setup.options.from.empty()) {
    if (const auto confidence = probe.Judge(state, accuracy)) {
      result.ranking = ToJson(*confidence);
      folder.AppendMetric({{"event", "ranking"}, {"step", state.step}, {"confidence", *result.ranking}});
      if (confidence->verdict == RankingVerdict::kTooSmall) {
        LogWarning("ranking of the supernet: " + confidence->text);
      } else {
        LogInfo("ranking of the supernet: " + confidence->text);
      }
    }
  }
  for (const auto& [code, top1] : accuracy.known()) {
    for (const SearchTarget& target : setup.targets) {
      folder.AppendSample({{"code", code},
                           {"target", target.label()},
                           {"predicted", target.table.Cost(setup.space.Decode(code))},
                           {"accuracy", top1},
                           {"epoch", setup.schedule.epochs}});
    }
  }
  return result;
}

}  // namespace nas
