// SPDX-License-Identifier: Apache-2.0
#include "cmd_search.h"

#include <memory>

#include "cluster_env.h"
#include "compute.h"
#include "nas/core/text.h"
#include "nas/core/units.h"
#include "nas/search/search_options.h"
#include "rank_flags.h"

namespace nas::cli {

Run ConfigureSearch(FlagSet& flags) {
  auto o = std::make_shared<SearchOptions>();
  flags.Group("What to find");
  flags.AddList(
      "--target", &o->target,
      "where it must be fast: NAME=BUDGET; NAME cpu, gpu, mobile, a table, macs or params; BUDGET 5ms, 50M, or 50% of "
      "the reachable range; repeatable");
  flags.Add("--latency", &o->latency, "budget of the one --target NAME");
  flags.Add("--space", &o->space, "search space: shipped name or file; by default chosen by the data");
  flags.Add("--width-mult", &o->width_mult, "scales the widths of the space");
  flags.Add("--resolution", &o->resolution, "input side in pixels; 0: the space's own");
  flags.Add("--data", &o->data, "demo, an image folder, or cifar10:DIR");
  flags.Add("--limit-per-class", &o->limit_per_class, "training images per class, for quick trials; 0: all");
  flags.Group("How to search");
  flags.Add("--epochs", &o->epochs, "whole schedule; 0: 60, or 24 for the demo set");
  flags.Add("--warmup-epochs", &o->warmup_epochs, "epochs on weights alone; -1: a quarter");
  flags.Add("--batch", &o->batch, "images per weight step; 0: by the number of images");
  flags.Add("--lr", &o->lr, "highest learning rate of the weights; 0: by the batch");
  flags.AddChoice("--strategy", &o->strategy, StrategyNames(), "how architectures are proposed and judged");
  flags.AddChoice("--loss", &o->loss, {"dual", "mul-log", "add-linear"}, "how latency enters the loss");
  flags.AddOnOff("--prune", &o->prune, "drop candidates that have become improbable, for good");
  flags.AddParsed(
      "--tolerance", "PERCENT", [o](const std::string& text) { o->tolerance = ParsePercent(text); },
      [o] { return StrCat(100 * o->tolerance, "%"); }, "by how much the measured latency may exceed the budget");
  flags.Add("--from", &o->from,
            "run folder of a finished search: select for new targets with its supernet, without training");
  flags.Group("Where to run");
  flags.Add("--device", &o->device, "auto, cpu, cuda or cuda:i");
  flags.AddChoice("--precision", &o->precision, {"auto", "fp32", "bf16"}, "arithmetic of training; auto: fp32");
  flags.AddChoice("--kernels", &o->kernels, {"auto", "fused", "torch"},
                  "what computes MBConv blocks; auto: fused where there is such a kernel");
  flags.Add("--latency-batch", &o->latency_batch, "batch the latency is for; 0: 1 on a CPU, 64 on a GPU");
  flags.AddSwitch("--no-profile", &o->no_profile, "never measure this machine; use only tables that exist");
  flags.AddParsed(
      "--max-time", "TIME", [o](const std::string& text) { o->max_time_s = ParseSeconds(text); },
      [o] { return StrCat(o->max_time_s, "s"); },
      "after this time write a checkpoint and stop with exit 75: 30min, 2h; 0s: never");
  AddRankFlags(flags, &o->ranks, /*supernet=*/true);
  flags.Group("The run folder");
  flags.Add("--out", &o->out, "run folder; by default runs/<space>-<targets>-<date>-<n>");
  flags.AddOptionalValue("--resume", &o->resume, "yes", "go on where the run in --out stopped; =auto: or start it");
  flags.AddSwitch("--force", &o->force, "replace the run in --out");
  flags.AddSwitch("--dry-run", &o->dry_run,
                  "read everything, show parameters, memory, time and the reachable range; start nothing");
  flags.AddSwitch("--strict", &o->strict, "end the run on a collapse alarm or a table of another machine");
  SetExamples(
      flags,
      "  nas search --target cpu=50%                       the demo set, half of what this machine's range allows\n"
      "  nas search --data photos/ --target mobile=30ms --target macs=60M --epochs 60 --out runs/photos");
  return [o](const Session& session) {
    o->threads = RankThreads(session);
    o->seed = session.seed;
    if (o->resume.empty() && !o->out.empty() && RestartedByLauncher()) o->resume = "auto";
    o->Validate();
    if (!o->dry_run) {
      if (const auto exit = LaunchRanksHere(session, o->ranks)) return *exit;
    }
    return compute::Search(*o, session);
  };
}

}  // namespace nas::cli
