// SPDX-License-Identifier: Apache-2.0
#include "nas/profile/profile_options.h"

#include <algorithm>

#include "nas/core/error.h"
#include "nas/core/option_checks.h"
#include "nas/core/text.h"
#include "nas/device/transport.h"

namespace nas {
const std::vector<std::string>& ProfilePlanNames() {
  static const std::vector<std::string> names{"quick", "full"};
  return names;
}

void ProfileOptions::Validate() const {
  CheckChoice("--plan", plan, ProfilePlanNames());
  CheckTransport(transport);
  if (transport != "local" && engine == "libtorch") {
    ThrowUsage(StrCat("--engine libtorch runs on this machine only; for ", transport, " give --engine xnnpack"));
  }
  if (!command.empty() && engine != "command") {
    ThrowUsage(StrCat("--command ", command, " and --engine ", engine, " exclude each other; give one"));
  }
  if (!(silence_seconds > 0)) ThrowUsage("--device-timeout has to be above 0s");
  CheckRange("--threads", threads, 1, 1024);
  CheckRange("--batch", batch, 1, 65536);
  CheckRange("--held-out", held_out, 0, 10000);
  if (out.empty() && !dry_run) ThrowUsage("--out is missing: name the table file, e.g. --out tables/this-cpu.json");
  if (again && (resume || force))
    ThrowUsage("--again adds a run to the table at --out; leave --resume and --force out");
  if (resume && force) ThrowUsage("--resume keeps what is measured and --force drops it; give one of them");
}

}  // namespace nas
