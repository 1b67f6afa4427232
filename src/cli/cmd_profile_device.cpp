// SPDX-License-Identifier: Apache-2.0
#include "cmd_profile_device.h"

#include <memory>

#include "compute.h"
#include "nas/core/error.h"
#include "nas/core/text.h"
#include "nas/profile/profile_options.h"

namespace nas::cli {

Run ConfigureProfileDevice(FlagSet& flags) {
  struct ProfileFlags {
    ProfileOptions options;
    bool quick = false;
    bool full = false;
    std::string transport = "local";
  };
  auto f = std::make_shared<ProfileFlags>();
  ProfileOptions& o = f->options;
  flags.Group("What to measure");
  flags.Add("--space", &o.space, "whose blocks and networks are measured: shipped name or file");
  flags.AddSwitch("--quick", &f->quick, "48 blocks, 10 + 5 networks, about a minute and a half [default]");
  flags.AddSwitch("--full", &f->full, "up to 120 blocks, 25 + 30 networks, at most 10 minutes");
  flags.Add("--held-out", &o.held_out, "networks kept out of all fits, for the certificate; 0: the plan's number");
  flags.Add("--batch", &o.batch, "images per forward call");
  flags.AddSwitch("--again", &o.again, "a second run into the table at --out: gives the noise between runs");
  flags.Group("On what");
  flags.Add("--engine", &o.engine, "what runs the networks");
  flags.AddChoice("--transport", &o.transport, ProfileTransportNames(), "how the device is reached");
  flags.Add("--device", &o.device, "of this machine: cpu, cuda or cuda:i");
  flags.Add("--cores", &o.cores, "hexadecimal core mask; by default the fastest cores");
  flags.Group("The table");
  flags.Add("--out", &o.out, "table file to write");
  flags.Add("--name", &o.name, "name of the table; by default the stem of --out");
  flags.AddSwitch("--resume", &o.resume, "go on with an interrupted profile");
  flags.AddSwitch("--force", &o.force, "replace the table at --out");
  flags.AddSwitch("--allow-noisy", &o.allow_noisy, "give a table even from a machine too noisy for figures");
  flags.AddSwitch("--dry-run", &o.dry_run, "say what would be measured and how long it takes");
  SetExamples(flags,
              "  nas profile-device --full --out this-machine.json\n  nas profile-device --space proxyless-mobile "
              "--out mobile-space.json --json");
  return [f](const Session& session) {
    if (f->quick && f->full) ThrowUsage("--quick and --full exclude each other; give one");
    ProfileOptions options = f->options;
    options.plan = f->full ? "full" : "quick";
    // --threads of this verb is the device's: one unless asked for.
    options.threads = session.threads_given ? session.threads : 1;
    options.seed = session.seed;
    options.Validate();
    return compute::Profile(options, session);
  };
}

}  // namespace nas::cli
