// SPDX-License-Identifier: Apache-2.0
#include "cmd_predict.h"

#include <memory>

#include <nlohmann/json.hpp>

#include "nas/core/error.h"
#include "nas/core/table_printer.h"
#include "nas/core/text.h"
#include "nas/latency/latency_model.h"
#include "nas/space/op_catalogue.h"
#include "space_flags.h"
#include "target_flags.h"

namespace nas::cli {
namespace {

struct PredictFlags {
  std::vector<std::string> arch;
  SpaceFlags space;
  std::vector<std::string> target;
  bool blocks = false;
  bool measured_only = false;
};

Json ToJson(const std::string& target, const Architecture& architecture, const NetworkPrediction& p) {
  Json json{{"schema", "nas.predict/1"},
            {"target", target},
            {"name", architecture.name},
            {"latency_ms", p.ms},
            {"interval_ms", {p.interval[0], p.interval[1]}},
            {"extrapolated", p.extrapolated},
            {"extrapolated_share", p.extrapolated_share},
            {"calibrated", p.calibrated},
            {"macs", CountMacs(architecture).value},
            {"params", CountParams(architecture)},
            {"blocks", Json::array()}};
  if (!architecture.code.empty()) json["code"] = architecture.code;
  for (const BlockPrediction& b : p.blocks) {
    json["blocks"].push_back({{"key", b.key},
                              {"latency_ms", b.ms},
                              {"source", b.inferred   ? "inferred"
                                         : b.measured ? "measured"
                                                      : "model"},
                              {"extrapolated", b.extrapolated},
                              {"flags", b.flags}});
  }
  return json;
}

/// Targets that no table is needed for.
bool IsCount(const std::string& target) { return target == "macs" || target == "params"; }

Json CountsToJson(const std::string& target, const Architecture& architecture) {
  Json json{{"schema", "nas.predict/1"},
            {"target", target},
            {"name", architecture.name},
            {"macs", CountMacs(architecture).value},
            {"params", CountParams(architecture)}};
  if (!architecture.code.empty()) json["code"] = architecture.code;
  return json;
}

std::string NameOf(const Architecture& a) { return a.name.empty() ? a.code : a.name; }

std::string BlocksTable(const NetworkPrediction& p, bool color) {
  TablePrinter table({"block", "ms", "share", "source", "notes"});
  for (const BlockPrediction& b : p.blocks) {
    table.AddRow({b.key, Fixed(b.ms, 3), Fixed(100 * b.ms / p.sum, 1) + " %",
                  b.inferred   ? "inferred"
                  : b.measured ? "measured"
                               : "model",
                  Join(b.flags, "; ")});
  }
  return table.ToString(color);
}

}  // namespace

Run ConfigurePredict(FlagSet& flags) {
  auto f = std::make_shared<PredictFlags>();
  flags.Positional("arch", &f->arch, "architectures: JSON, JSONL, net.config, digit codes with --space, or -", true);
  f->space.AddTo(flags);
  flags.AddList("--target", &f->target,
                "cpu, gpu, mobile, a table's name or file, macs or params; repeatable [mobile]");
  flags.AddSwitch("--blocks", &f->blocks, "also where the time goes");
  flags.AddSwitch("--measured-only", &f->measured_only, "refuse blocks that were not measured");
  SetExamples(flags,
              "  nas predict proxyless_mobile.config --target mobile --blocks\n"
              "  nas space sample --space cifar-mbconv -n 1000 | nas predict - --target cpu --json");
  return [f](const Session& session) {
    if (f->target.empty()) f->target.push_back("mobile");
    const auto space = f->space.LoadIfGiven(session);
    const std::vector<Architecture> architectures = ReadArchitectures(f->arch, space ? &*space : nullptr);
    TablePrinter table({"network", "target", "latency", "95 %", "MACs", "params", "notes"});
    std::string blocks;
    for (const std::string& target : f->target) {
      if (IsCount(target)) {
        for (const Architecture& a : architectures) {
          if (session.json) session.PrintJson(CountsToJson(target, a));
          table.AddRow(
              {NameOf(a), target, "-", "-", CountToString(CountMacs(a).value), CountToString(CountParams(a)), ""});
        }
        continue;
      }
      const LatencyModel model(LoadTargetTable(target, session),
                               f->measured_only ? BlockSource::kMeasuredOnly : BlockSource::kBlended);
      for (const Architecture& a : architectures) {
        const NetworkPrediction p = model.PredictNetwork(a);
        if (session.json) {
          session.PrintJson(ToJson(target, a, p));
          continue;
        }
        std::string notes;
        if (!p.calibrated) notes = "uncalibrated";
        if (p.extrapolated)
          notes += StrCat(notes.empty() ? "" : ", ", Fixed(100 * p.extrapolated_share, 0), " % extrapolated");
        table.AddRow({NameOf(a), target, ToString(Millis{p.ms}), "± " + ToString(Millis{p.half_width}),
                      CountToString(CountMacs(a).value), CountToString(CountParams(a)), notes});
        if (f->blocks) blocks += StrCat("\n", NameOf(a), " on ", target, "\n", BlocksTable(p, session.color));
      }
    }
    if (!session.json) session.Print(table.ToString(session.color) + blocks);
    return 0;
  };
}

}  // namespace nas::cli
