// SPDX-License-Identifier: Apache-2.0
#include "cmd_train.h"

#include <memory>

#include "cluster_env.h"
#include "compute.h"
#include "nas/train/train_options.h"
#include "rank_flags.h"

namespace nas::cli {

Run ConfigureTrain(FlagSet& flags) {
  auto o = std::make_shared<TrainOptions>();
  flags.Group("What to train");
  flags.Add("--arch", &o->arch, "architecture: JSON, net.config, arch.timm");
  flags.Add("--run", &o->run, "run folder whose network is trained anew");
  flags.Add("--target", &o->target, "target of --run, where it has several");
  flags.Add("--weights", &o->weights, "safetensors to start from, e.g. targets/<t>/weights.safetensors of a run");
  flags.Add("--data", &o->data, "demo, an image folder, or cifar10:DIR; by default that of --run");
  flags.Add("--limit-per-class", &o->limit_per_class, "training images per class, for quick trials; 0: all");
  flags.Add("--resolution", &o->resolution, "input side in pixels; 0: the architecture's own");
  flags.Group("Recipe");
  flags.Add("--epochs", &o->epochs, "0: 60, or 24 for the demo set");
  flags.Add("--warmup-epochs", &o->warmup_epochs, "linear rise of the learning rate");
  flags.Add("--batch", &o->batch, "images per step; 0: by the number of images");
  flags.Add("--lr", &o->lr, "highest learning rate; 0: 0.05 x batch / 256, at least 0.005");
  flags.Add("--momentum", &o->momentum, "Nesterov momentum");
  flags.Add("--weight-decay", &o->weight_decay, "L2 on weights, none on BN");
  flags.Add("--label-smoothing", &o->label_smoothing, "0…1");
  flags.Add("--dropout", &o->dropout, "before the classifier; -1: the architecture's own");
  flags.AddChoice("--augmentation", &o->augmentation, {"auto", "normal", "strong", "none"},
                  "auto: strong, normal for small images");
  flags.Add("--ema", &o->ema, "decay of a moving average of the weights that is evaluated and kept; 0: none");
  flags.Add("--eval-every", &o->eval_every, "epochs between evaluations");
  flags.Group("Where to run");
  flags.Add("--device", &o->device, "auto, cpu, cuda or cuda:i");
  flags.AddChoice("--precision", &o->precision, {"auto", "fp32", "bf16"}, "arithmetic of training");
  flags.AddChoice("--kernels", &o->kernels, {"auto", "fused", "torch"},
                  "what computes MBConv blocks; auto: fused where there is such a kernel");
  AddRankFlags(flags, &o->ranks, /*supernet=*/false);
  flags.Group("The run folder");
  flags.Add("--out", &o->out, "run folder; by default runs/train-<name>-<date>-<n>");
  flags.AddOptionalValue("--resume", &o->resume, "yes", "go on where the run in --out stopped; =auto: or start it");
  flags.AddSwitch("--force", &o->force, "replace the run in --out");
  flags.AddSwitch("--dry-run", &o->dry_run, "read everything, show what the training would be; start nothing");
  SetExamples(flags,
              "  nas train --run runs/demo --epochs 60\n"
              "  nas train --arch net.config --data photos/ --weights init.safetensors --out runs/final");
  return [o](const Session& session) {
    o->threads = RankThreads(session);
    o->seed = session.seed;
    if (o->resume.empty() && !o->out.empty() && RestartedByLauncher()) o->resume = "auto";
    o->Validate();
    if (!o->dry_run) {
      if (const auto exit = LaunchRanksHere(session, o->ranks)) return *exit;
    }
    return compute::Train(*o, session);
  };
}

}  // namespace nas::cli
