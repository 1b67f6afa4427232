// SPDX-License-Identifier: Apache-2.0
#include "metric_lines.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include "json_look.h"
#include "nas/core/error.h"
#include "nas/core/files.h"
#include "nas/core/text.h"

namespace nas::detail {
namespace {

/// Calls `use` for each line that is a JSON object; returns how many are not.
int ForEachLine(const std::filesystem::path& path, const std::function<void(const Json& line)>& use) {
  int damaged = 0;
  const std::string text = ReadFile(path);
  std::size_t at = 0;
  while (at < text.size()) {
    std::size_t end = text.find('\n', at);
    if (end == std::string::npos) end = text.size();
    if (end > at) {
      const Json line = Json::parse(text.begin() + static_cast<std::ptrdiff_t>(at),
                                    text.begin() + static_cast<std::ptrdiff_t>(end), nullptr,
                                    /*allow_exceptions=*/false);
      if (line.is_object()) {
        use(line);
      } else {
        ++damaged;
      }
    }
    at = end + 1;
  }
  return damaged;
}

/// A row of alphas; anything that is no number (a dropped candidate may be written as null) counts as −inf.
std::vector<std::vector<double>> ReadMatrix(const Json& rows) {
  std::vector<std::vector<double>> matrix;
  for (const Json& row : rows) {
    auto& values = matrix.emplace_back();
    if (!row.is_array()) continue;
    for (const Json& value : row) {
      values.push_back(value.is_number() ? value.get<double>() : -std::numeric_limits<double>::infinity());
    }
  }
  return matrix;
}

NetworkPoint ReadPoint(const Json& line) {
  NetworkPoint point;
  point.target = LookText(line, "target");
  point.code = LookText(line, "code");
  point.epoch = LookInt(line, "epoch");
  point.predicted = LookNumber(line, "predicted", 0);
  point.accuracy = LookNumber(line, "accuracy");
  point.measured = LookNumber(line, "measured");
  return point;
}

EpochRecord ReadEpoch(const Json& line) {
  EpochRecord record;
  record.epoch = LookInt(line, "epoch");
  record.step = static_cast<std::int64_t>(LookNumber(line, "step", 0));
  record.t = LookNumber(line, "t", 0);
  record.phase = LookText(line, "phase");
  record.loss = LookNumber(line, "loss");
  record.accuracy = LookNumber(line, "accuracy");
  record.lr = LookNumber(line, "lr");
  record.images_per_s = LookNumber(line, "images_per_s");
  record.test_top1 = LookNumber(LookObject(line, "test"), "top1");
  for (const Json& target : LookArray(line, "targets")) {
    TargetEpoch look;
    look.expected = LookNumber(target, "expected", 0);
    look.argmax = LookNumber(target, "argmax", 0);
    look.lambda = LookNumber(target, "lambda", 0);
    look.entropy = LookNumber(target, "entropy", 0);
    look.alpha = ReadMatrix(LookArray(target, "alpha"));
    record.targets.push_back(std::move(look));
  }
  return record;
}

ClosingRecord ReadClosing(const Json& line) {
  ClosingRecord record;
  record.networks = LookInt(line, "architectures", 0);
  record.explained = LookNumber(line, "explained", 0);
  record.standard_error = LookNumber(line, "standard_error", 0);
  for (const Json& target : LookArray(line, "targets")) record.alpha.push_back(ReadMatrix(LookArray(target, "alpha")));
  return record;
}

/// Probabilities of each epoch, under the drops of the epochs before it.
void AddProbabilities(RunRecord* run) {
  for (EpochRecord& epoch : run->epochs) {
    for (TargetEpoch& target : epoch.targets) {
      for (std::size_t e = 0; e < target.alpha.size(); ++e) {
        std::vector<bool> gone(target.alpha[e].size(), false);
        for (const PruneRecord& prune : run->prunes) {
          if (prune.epoch < epoch.epoch && prune.edge == static_cast<int>(e) && prune.op >= 0 &&
              prune.op < static_cast<int>(gone.size()))
            gone[prune.op] = true;
        }
        target.p.push_back(MaskedSoftmax(target.alpha[e], gone));
      }
    }
  }
}

}  // namespace

std::vector<double> MaskedSoftmax(const std::vector<double>& alpha, const std::vector<bool>& gone) {
  double high = -std::numeric_limits<double>::infinity();
  for (std::size_t i = 0; i < alpha.size(); ++i) {
    if (!gone[i]) high = std::max(high, alpha[i]);
  }
  std::vector<double> p(alpha.size(), 0);
  if (!std::isfinite(high)) return p;
  double sum = 0;
  for (std::size_t i = 0; i < alpha.size(); ++i) {
    if (!gone[i]) sum += p[i] = std::exp(alpha[i] - high);
  }
  for (double& value : p) value /= sum;
  return p;
}

int ReadMetrics(RunRecord* run) {
  std::error_code ignored;
  int exit = -1;
  const std::filesystem::path metrics = run->path / "metrics.jsonl";
  if (std::filesystem::exists(metrics, ignored)) {
    const int damaged = ForEachLine(metrics, [&](const Json& line) {
      const std::string event = LookText(line, "event");
      if (event == "start") {
        run->from = LookText(line, "from");
      } else if (event == "epoch") {
        run->epochs.push_back(ReadEpoch(line));
      } else if (event == "arch-validation") {
        run->validations.push_back(ReadPoint(line));
      } else if (event == "measured") {
        run->measured.push_back(ReadPoint(line));
      } else if (event == "evidence") {
        run->closing = ReadClosing(line);
      } else if (event == "prune") {
        run->prunes.push_back({LookInt(line, "epoch"), LookInt(line, "edge"), LookInt(line, "op"),
                               LookInt(line, "left"), LookNumber(line, "p", 0),
                               static_cast<std::int64_t>(LookNumber(line, "bytes", 0))});
      } else if (event == "alarm") {
        run->alarms.push_back({LookInt(line, "epoch", -1), LookText(line, "kind"), LookText(line, "text")});
      } else if (event == "end") {
        exit = LookInt(line, "exit");
        if (const std::string text = LookText(line, "text"); !text.empty()) run->alarms.push_back({-1, "end", text});
      }
    });
    if (damaged > 0) run->notes.push_back(StrCat(damaged, " lines of metrics.jsonl are damaged and were left out"));
  } else {
    run->notes.emplace_back("there is no metrics.jsonl");
  }
  const std::filesystem::path samples = run->path / "samples.jsonl";
  if (std::filesystem::exists(samples, ignored)) {
    const int damaged = ForEachLine(samples, [&](const Json& line) { run->samples.push_back(ReadPoint(line)); });
    if (damaged > 0) run->notes.push_back(StrCat(damaged, " lines of samples.jsonl are damaged and were left out"));
  }
  AddProbabilities(run);
  return exit;
}

}  // namespace nas::detail
