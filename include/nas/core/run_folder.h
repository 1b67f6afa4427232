// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "nas/core/json.h"
#include "nas/core/metric_follower.h"

namespace nas {

/// What `--out`, `--resume`, `--resume=auto` and `--force` ask for.
enum class RunMode {
  kNew,          ///< refuses a folder that holds anything
  kResume,       ///< goes on with the run in the folder; refuses when there is none
  kResumeOrNew,  ///< goes on when there is a run, else starts one
  kForce,        ///< removes the run in the folder first; refuses a folder that is no run's
};

/// The folder of one run (cli.md "Run folder"): who may write into it, its config.json and env.json, the growing
/// metrics.jsonl and the final result.json. Shared by `search` and `train`.
///
/// The configuration identifies a run: it is resumed only under the same one. Two exceptions: keys named as free (they
/// do not change what is computed, say `threads`), and values asked as "auto", which agree with whatever the run has
/// recorded, so that choices made by measuring stay frozen (proxyless.md N12).
class RunFolder {
 public:
  /// Makes or opens the folder and writes config.json and env.json of a new run. `config`: an object, the effective
  /// configuration. `free_keys`: dotted paths ("data.threads") left out of hash and comparison.
  /// Throws kInput: the folder is taken, is not a run's, holds another configuration (naming the keys that differ with
  /// both values), or cannot be written.
  static RunFolder Open(const std::filesystem::path& path, const Json& config, RunMode mode,
                        const std::vector<std::string>& free_keys = {});

  /// For ranks other than 0: the same configuration and counts, and nothing is ever read or written.
  static RunFolder Absent(const Json& config, const std::vector<std::string>& free_keys = {});

  /// The refusals of `Open` without writing anything, for a look before long preparations; true when `Open` would go on
  /// with a run that is finished.
  static bool Check(const std::filesystem::path& path, const Json& config, RunMode mode,
                    const std::vector<std::string>& free_keys = {});

  /// Whether a run has left its mark (env.json) in the folder: what `kForce` may remove and `kResume` go on with.
  static bool IsRun(const std::filesystem::path& path);
  /// The recorded configuration. Throws kInput when there is none or it is damaged.
  static Json ReadConfig(const std::filesystem::path& path);
  /// `<runs_dir>/<stem>-<yyyymmdd>-<n>` with the least n ≥ 1 that is free.
  static std::filesystem::path NextDefaultName(const std::filesystem::path& runs_dir, const std::string& stem);

  /// The folder that holds a network of a run (arch.json, weights.safetensors): `targets/<target>` of a search, where
  /// `target` may leave the budget away, or the run folder itself for `train`. `target` may be empty when there is only
  /// one. Throws kInput naming the targets that there are.
  static std::filesystem::path NetworkFolder(const std::filesystem::path& path, const std::string& target);

  const std::filesystem::path& path() const { return path_; }
  bool resumed() const { return resumed_; }  ///< the folder held this run already
  bool finished() const;                     ///< result.json is there: nothing is left to do
  /// The effective configuration: the recorded one of a resumed run, with the asked values of free keys.
  const Json& config() const { return *config_; }
  /// Hash of the configuration without its free keys, for checkpoints.
  std::string config_hash() const;
  /// Free keys whose value differs from the recorded one: "threads 2 → 4". For a warning that bits may differ.
  const std::vector<std::string>& changed_free_keys() const { return changed_free_keys_; }

  /// Replaces an "auto" by what was chosen and rewrites config.json. `key` as in `free_keys`.
  void FreezeConfig(const std::string& key, const Json& value);
  /// Merges facts into env.json: versions, git revision, device. The machine, times and the hash are there already.
  void AddEnvironment(const Json& facts);

  /// Appends one line to metrics.jsonl: `event` is an object with the key "event"; "t" (Unix time, s) is added behind
  /// it.
  void AppendMetric(const Json& event);
  std::int64_t metric_lines() const { return metric_lines_; }
  /// Who is told of each line from now on, and first of those that are there.
  void Follow(std::shared_ptr<MetricFollower> follower);
  /// Appends one line to samples.jsonl: a network that was evaluated on the way.
  void AppendSample(const Json& sample);
  std::int64_t sample_lines() const { return sample_lines_; }
  /// Cuts the file to its first `lines` lines: those behind the checkpoint that a resumed run goes on from will be
  /// written again. A line cut short by a crash goes, too.
  void TruncateMetrics(std::int64_t lines);
  void TruncateSamples(std::int64_t lines);

  void WriteResult(const Json& result) const;
  Json ReadResult() const;

  std::filesystem::path config_path() const { return path_ / "config.json"; }
  std::filesystem::path environment_path() const { return path_ / "env.json"; }
  std::filesystem::path metrics_path() const { return path_ / "metrics.jsonl"; }
  std::filesystem::path samples_path() const { return path_ / "samples.jsonl"; }
  std::filesystem::path result_path() const { return path_ / "result.json"; }
  std::filesystem::path log_path() const { return path_ / "nas.log"; }
  std::filesystem::path checkpoints_path() const { return path_ / "checkpoints"; }

 private:
  RunFolder(std::filesystem::path path, const Json& config, std::vector<std::string> free_keys);
  /// Whether to go on with a run (else: start one). Throws what `Open` refuses; writes nothing.
  bool Decide(RunMode mode);
  void CompareWithRecorded();
  void TruncateLines(const std::string& file_name, std::int64_t lines) const;
  void StartNew();
  void GoOn();

  std::filesystem::path path_;
  std::shared_ptr<Json> config_;
  std::vector<std::string> free_keys_;
  std::vector<std::string> changed_free_keys_;
  bool resumed_ = false;
  bool absent_ = false;
  std::int64_t metric_lines_ = 0;
  std::shared_ptr<MetricFollower> follower_;
  std::int64_t sample_lines_ = 0;
};

}  // namespace nas
