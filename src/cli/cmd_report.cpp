// SPDX-License-Identifier: Apache-2.0
#include "cmd_report.h"

#include <algorithm>
#include <filesystem>
#include <memory>

#include <nlohmann/json.hpp>

#include "nas/cluster/sweep.h"
#include "nas/core/error.h"
#include "nas/core/text.h"
#include "nas/report/report.h"
#include "sweep_results.h"

namespace nas::cli {
namespace {

struct ReportFlags {
  std::vector<std::string> run;
  std::string out;
  std::string data_dir;
};

}  // namespace

Run ConfigureReport(FlagSet& flags) {
  auto f = std::make_shared<ReportFlags>();
  flags.Positional("run", &f->run,
                   "run folders, of search or train, finished or not; several are compared; or one sweep", true);
  flags.Add("--out", &f->out, "the page; by default report.html in the first run");
  flags.Add("--data-dir", &f->data_dir, "also write every figure as SVG and CSV into this folder");
  SetExamples(flags,
              "  nas report runs/demo\n"
              "  nas report runs/seed0 runs/seed1 runs/seed2 --out seeds.html --data-dir seeds/\n"
              "  nas report runs/sweep-20261124-1");
  return [f](const Session& session) {
    const std::vector<std::filesystem::path> runs(f->run.begin(), f->run.end());
    std::filesystem::path out = f->out.empty() ? runs[0] / "report.html" : std::filesystem::path(f->out);
    if (std::any_of(runs.begin(), runs.end(), IsSweep)) {
      if (runs.size() > 1) ThrowUsage("nas report takes one sweep, or several runs; give one of the two");
      out = WriteSweepReport(f->run[0], f->out, f->data_dir, session);
    } else {
      WriteReport(runs, session.space_dirs, out, f->data_dir);
    }
    std::error_code ignored;
    const auto bytes = std::filesystem::file_size(out, ignored);
    if (session.json) {
      session.PrintJson({{"schema", "nas.report/1"}, {"out", out.string()}, {"bytes", bytes}, {"runs", f->run}});
    } else {
      session.Print(StrCat(out.string(), ": ", bytes / 1000, " kB, opens in any browser"));
    }
    return 0;
  };
}

}  // namespace nas::cli
