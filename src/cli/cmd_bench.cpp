// SPDX-License-Identifier: Apache-2.0
#include "cmd_bench.h"

#include <memory>

#include <CLI/CLI.hpp>

#include "bench_options.h"
#include "compute.h"
#include "nas/core/error.h"
#include "nas/core/text.h"
#include "rank_flags.h"

namespace nas::cli {

Run ConfigureBench(FlagSet& flags) {
  auto o = std::make_shared<BenchOptions>();
  flags.Add("--items", &o->items, "what to measure: names or globs, comma-separated");
  flags.Add("--space", &o->space, "space of the supernet items");
  flags.Add("--batch", &o->batch, "images per step; 0: 64, or 16 from 64 px on");
  flags.Add("--resolution", &o->resolution, "input side in pixels; 0: the space's own");
  flags.Add("--data", &o->data, "images of the loader items: demo, an image folder or its pack, or cifar10:DIR");
  flags.Add("--iters", &o->iters, "timed steps per item and path");
  flags.Add("--device", &o->device, "auto, cpu, cuda or cuda:i");
  flags.AddChoice("--kernels", &o->kernels, {"auto", "fused", "torch"},
                  "what computes MBConv blocks of the supernet and plain items");
  flags.Add("--ranks", &o->ranks.ranks,
            "instead of the items: weight steps on N processes of this machine against one with all threads");
  flags.app()->add_option("--memory-of", o->memory_of)->group("");
  SetExamples(flags,
              "  nas bench\n  nas bench --items 'supernet.*,plain.step' --space proxyless-mobile --batch 16 "
              "--resolution 112 --json\n"
              "  nas bench --items 'kernel.mbconv.*' --threads 2\n  nas bench --ranks 2 --batch 128 --json");
  return [o](const Session& session) {
    if (o->iters < 1 || o->iters > 10000) ThrowUsage(StrCat("--iters ", o->iters, ": give 1 to 10000"));
    if (o->batch < 0 || o->batch > 65536) ThrowUsage(StrCat("--batch ", o->batch, ": give 2 to 65536, or 0"));
    o->threads = RankThreads(session);
    if (const auto exit = LaunchRanksHere(session, o->ranks)) return *exit;
    return compute::Bench(*o, session);
  };
}

}  // namespace nas::cli
