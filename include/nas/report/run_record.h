// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "nas/core/json.h"
#include "nas/latency/cost_table.h"
#include "nas/space/architecture.h"
#include "nas/space/search_space.h"

namespace nas {

class LatencyModel;

enum class RunKind { kSearch, kTrain };
enum class RunProgress {
  kFinished,    ///< result.json is there
  kUnfinished,  ///< still running, or stopped and to be resumed
  kFailed,      ///< ended with an error that `--resume` does not mend
};

/// What one `epoch` line of metrics.jsonl says about one target.
struct TargetEpoch {
  double expected = 0;  ///< E under all probabilities, in the target's unit
  double argmax = 0;    ///< cost of the most probable network
  double lambda = 0;
  double entropy = 0;                      ///< Σ_e H(p_e), nats
  std::vector<std::vector<double>> alpha;  ///< [edge][op]
  std::vector<std::vector<double>> p;      ///< softmax over the candidates that were left then; 0 for dropped ones
};

struct EpochRecord {
  int epoch = 0;  ///< epochs finished
  std::int64_t step = 0;
  double t = 0;       ///< Unix time, s
  std::string phase;  ///< "warm-up", "search", "train"
  std::optional<double> loss, accuracy, lr, images_per_s;
  std::optional<double> test_top1;  ///< train runs, where the test set was looked at
  std::vector<TargetEpoch> targets;
};

/// A network that was looked at on the way (`arch-validation`, samples.jsonl) or measured.
struct NetworkPoint {
  std::string target;  ///< label: "cpu=50%"
  std::string code;
  int epoch = 0;
  double predicted = 0;            ///< cost in the target's unit
  std::optional<double> accuracy;  ///< 0…1
  std::optional<double> measured;
};

struct PruneRecord {
  int epoch = 0, edge = 0, op = 0, left = 0;
  double p = 0;
  std::int64_t bytes = 0;
};

struct AlarmRecord {
  int epoch = -1;  ///< −1 = not said
  std::string kind;
  std::string text;
};

/// What result.json says about a target's network.
struct NetworkOutcome {
  double predicted = 0;
  std::optional<std::pair<double, double>> interval;  ///< 95 %
  std::optional<double> measured;
  bool met = false;
  double expected = 0;
  double argmax_predicted = 0, argmax_log_prob = 0, selected_log_prob = 0;
  std::string code;
  std::int64_t macs = 0, params = 0;
  double top1 = 0, top5 = 0;
  std::int64_t images = 0;
  std::optional<Architecture> architecture;
};

struct TargetRecord {
  std::string label;   ///< as asked: "cpu=50%"
  std::string name;    ///< "cpu"
  std::string folder;  ///< under targets/
  CostUnit unit = CostUnit::kMillis;
  std::optional<double> budget;
  double min = 0, max = 0;                    ///< reachable range
  std::optional<CostTable> costs;             ///< absent when space or table cannot be read any more
  std::shared_ptr<const LatencyModel> model;  ///< null for MACs and params
  std::optional<NetworkOutcome> outcome;      ///< absent while unfinished
};

/// The last update of the alphas: by whole networks that were judged with the finished weights.
struct ClosingRecord {
  int networks = 0;
  double explained = 0;       ///< share of the variance of their accuracies that their candidates foretell
  double standard_error = 0;  ///< of the difference between two candidates of an edge, in accuracy 0…1
  std::vector<std::vector<std::vector<double>>> alpha;  ///< [target][edge][op] afterwards
};

/// Everything that the files of a run folder say (cli.md "Run folder"), of searches and trainings, finished or not.
struct RunRecord {
  std::filesystem::path path;
  RunKind kind = RunKind::kSearch;
  RunProgress progress = RunProgress::kUnfinished;
  std::string progress_text;                                ///< one sentence: how far it came, and how to go on
  std::shared_ptr<const Json> config, environment, result;  ///< as in the files; JSON null where missing
  std::optional<SearchSpace> space;
  std::vector<TargetRecord> targets;
  std::vector<EpochRecord> epochs;
  std::vector<NetworkPoint> validations, samples, measured;
  std::optional<ClosingRecord> closing;
  std::vector<PruneRecord> prunes;
  std::vector<AlarmRecord> alarms;
  std::optional<Architecture> architecture;  ///< train runs
  std::string from;                          ///< the run whose supernet was taken over (`--from`), "" = none
  std::vector<std::string> notes;            ///< what could not be read, and why

  std::string name() const;  ///< last part of the path
  int epochs_planned() const;
  /// Whether the strategy moves alphas; random and evolution do not.
  bool learns_alphas() const;
  /// −1 = never; else the epoch after which the candidate was dropped.
  int PrunedAt(int edge, int op) const;
};

/// Reads a run folder. Space and tables that are gone, lines cut short by a crash and missing files become notes; only
/// a folder that is no run's throws kInput. `space_dirs`: where shipped spaces are.
RunRecord ReadRun(const std::filesystem::path& path, const std::vector<std::string>& space_dirs);

/// Index of the target that a user means: its label ("cpu=50%"), folder ("cpu-50pct"), or name ("cpu") where only one
/// has it. Throws kInput naming the targets that there are.
std::size_t FindTarget(const RunRecord& run, const std::string& target);

}  // namespace nas
