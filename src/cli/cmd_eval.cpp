// SPDX-License-Identifier: Apache-2.0
#include "cmd_eval.h"

#include <memory>

#include "compute.h"
#include "nas/core/error.h"
#include "nas/core/text.h"
#include "nas/search/supernet_eval.h"
#include "nas/train/eval_options.h"

namespace nas::cli {

Run ConfigureEval(FlagSet& flags) {
  struct EvalFlags {
    EvalOptions plain;
    std::string supernet;
    std::string archs;
    std::int64_t limit_per_class = 0;
    std::int64_t carve_out = 0;
  };
  auto f = std::make_shared<EvalFlags>();
  flags.Group("One network");
  flags.Add("--arch", &f->plain.arch, "architecture file, with --weights");
  flags.Add("--weights", &f->plain.weights, "safetensors");
  flags.Add("--run", &f->plain.run, "run folder of search or train");
  flags.Add("--target", &f->plain.target, "target of --run, where it has several");
  flags.Group("Many networks with inherited weights");
  flags.Add("--supernet", &f->supernet, "run folder of a search");
  flags.Add("--archs", &f->archs,
            "file of architectures or codes, one per line, or - for stdin; one JSON line per network");
  flags.Add(
      "--carve-out", &f->carve_out,
      "judge on so many of the search's held-out images by batch statistics, as the search does; 0: on test images");
  flags.Group("Data and place");
  flags.Add("--data", &f->plain.data, "demo, an image folder, or cifar10:DIR; by default the run's own");
  flags.Add("--limit-per-class", &f->limit_per_class, "test images per class with --supernet; 0: all");
  flags.Add("--batch", &f->plain.batch, "images per forward pass; 0: by the resolution");
  flags.Add("--device", &f->plain.device, "auto, cpu, cuda or cuda:i");
  SetExamples(flags,
              "  nas eval --run runs/demo\n"
              "  nas space sample --space tiny -n 20 | nas eval --supernet runs/demo --archs -");
  return [f](const Session& session) {
    if (f->supernet.empty() && f->archs.empty()) {
      f->plain.threads = session.threads;
      f->plain.seed = session.seed;
      f->plain.Validate();
      return compute::Eval(f->plain, session);
    }
    if (f->supernet.empty() || f->archs.empty())
      ThrowUsage("--supernet RUN and --archs FILE|- belong together; give both");
    if (f->carve_out < 0)
      ThrowUsage(StrCat("--carve-out ", f->carve_out, " must not be negative; give images, e.g. 1000"));
    SupernetEvalOptions o;
    o.supernet = f->supernet;
    o.archs_source = f->archs;
    o.data = f->plain.data;
    o.limit_per_class = f->limit_per_class;
    o.carve_out = f->carve_out;
    o.device = f->plain.device;
    o.seed = session.seed;
    o.threads = session.threads;
    return compute::EvalSupernet(o, session);
  };
}

}  // namespace nas::cli
