// SPDX-License-Identifier: Apache-2.0
#include "cmd_verify.h"

#include <memory>

#include "compute.h"
#include "nas/core/error.h"
#include "nas/core/text.h"
#include "nas/core/units.h"
#include "nas/export/export_options.h"

namespace nas::cli {

Run ConfigureVerify(FlagSet& flags) {
  struct VerifyFlags {
    std::vector<std::string> passport;
    VerifyOptions options;
  };
  auto f = std::make_shared<VerifyFlags>();
  VerifyOptions* o = &f->options;
  flags.Positional("passport", &f->passport, "passport.json of an export, or the folder that holds it", true);
  flags.Add("--data", &o->data, "where the data is now, when not where the passport says");
  flags.AddSwitch("--no-data", &o->no_data, "leave the accuracy unchecked");
  flags.AddSwitch("--time", &o->time, "measure the latency again, where the passport's device is this machine");
  flags.AddParsed(
      "--accuracy-tolerance", "PERCENT", [o](const std::string& text) { o->accuracy_tolerance = ParsePercent(text); },
      [o] { return StrCat(100 * o->accuracy_tolerance, "%"); }, "largest difference of top-1 that holds, in points");
  flags.AddParsed(
      "--latency-tolerance", "PERCENT", [o](const std::string& text) { o->latency_tolerance = ParsePercent(text); },
      [o] { return StrCat(100 * o->latency_tolerance, "%"); }, "largest difference of the latency that holds");
  SetExamples(flags,
              "  nas verify runs/demo/targets/cpu-50pct/export/passport.json\n"
              "  nas verify delivered/ --data photos/ --time");
  return [f](const Session& session) {
    if (f->passport.size() != 1) ThrowUsage(StrCat("nas verify checks one passport; ", f->passport.size(), " given"));
    f->options.passport = f->passport[0];
    f->options.threads = session.threads;
    f->options.Validate();
    return compute::Verify(f->options, session);
  };
}

}  // namespace nas::cli
