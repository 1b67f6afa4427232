// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "nas/core/json.h"
#include "nas/dist/rank_options.h"

namespace nas {

/// One `--target NAME[=BUDGET]`.
struct TargetRequest {
  std::string name;              ///< latency target (latency.md §6), "macs" or "params"
  std::string text;              ///< budget as written: "5ms", "50M", "50%"; "" = unconstrained
  std::optional<double> share;   ///< budget as a share of the reachable range, 0…1
  std::optional<double> amount;  ///< budget in ms, MACs or params
  bool is_count() const { return name == "macs" || name == "params"; }
};

/// Reads `cpu=5ms`, `macs=50M`, `mobile=50%`, `cpu`. Throws kUsage on a bare number where a latency is meant.
TargetRequest ParseTarget(const std::string& text);
/// The same from `--target NAME --latency BUDGET`.
TargetRequest MakeTarget(const std::string& name, const std::string& budget);

/// Everything that `nas search` can be told. Defaults in place; 0, −1 and "" mean "derived", as said per field.
struct SearchOptions {
  std::vector<std::string> target;   ///< as given, NAME[=BUDGET]; empty: unconstrained "macs"
  std::string latency;               ///< budget of a single target without its own
  std::string space;                 ///< shipped name or file; "" = by the data (cli.md)
  double width_mult = 1.0;           ///< scales the space's widths, 0.1…4
  int resolution = 0;                ///< input side in pixels; 0 = the space's own
  std::string data = "demo";         ///< demo | DIR | cifar10:DIR
  std::int64_t limit_per_class = 0;  ///< training images per class; 0 = all
  int epochs = 0;                    ///< whole schedule; 0 = 60, or 24 for the demo set
  int warmup_epochs = -1;            ///< −1 = a quarter of the epochs
  int batch = 0;                     ///< images per weight step; 0 = by the number of images (N10)
  double lr = 0;                     ///< highest learning rate of the weights, both phases; 0 = by the batch
  std::string strategy = "two";      ///< two | full_v2 | full | reinforce | random | evolution
  std::string loss = "dual";         ///< dual | mul-log | add-linear
  bool prune = true;                 ///< path-level pruning (N8)
  std::string device = "auto";       ///< auto | cpu | cuda[:i]
  std::string precision = "auto";    ///< auto | fp32 | bf16; auto = fp32
  int latency_batch = 0;             ///< batch that the latency is for; 0 = 1 on a CPU, 64 on a GPU
  double tolerance = 0.05;           ///< measured latency may exceed the asked one by this share
  std::string kernels = "auto";      ///< auto | fused | torch: what computes MBConv blocks
  std::string from;                  ///< run folder of a finished search whose supernet is used, without training
  double max_time_s = 0;             ///< checkpoint and stop after this wall time of one session; 0 = never
  std::string out;                   ///< run folder; "" = runs/<space>-<targets>-<date>-<n>
  std::string resume;  ///< "" = no, "yes" = must exist, "auto" = start anew when there is nothing to resume
  bool force = false;  ///< replace an existing run folder
  bool dry_run = false;
  bool strict = false;      ///< collapse alarm and identity mismatch end the run
  bool no_profile = false;  ///< never measure; only tables that exist
  std::uint64_t seed = 0;
  int threads = 1;
  RankOptions ranks;

  /// Throws kUsage naming flag, value and what is legal.
  void Validate() const;
  /// The requests of `target` and `latency`, in order; one unconstrained "macs" when nothing is asked.
  std::vector<TargetRequest> Requests() const;
};

/// What decides the bits of a run, for config.json and the resume check (places, resume flags and limits left out).
Json ToJson(const SearchOptions& options);
/// Inverse, for runs that go on or are looked at later. Throws kInput.
SearchOptions SearchOptionsFromJson(const JsonDocument& document, const std::string& pointer);

const std::vector<std::string>& StrategyNames();

}  // namespace nas
