// SPDX-License-Identifier: Apache-2.0
#include "cmd_space.h"

#include <memory>

#include <nlohmann/json.hpp>

#include "nas/core/error.h"
#include "nas/core/table_printer.h"
#include "nas/core/text.h"
#include "nas/core/units.h"
#include "nas/space/op_catalogue.h"
#include "space_flags.h"
#include "target_flags.h"

namespace nas::cli {
namespace {

struct SpaceVerbFlags {
  SpaceFlags space;
  std::int64_t n = 1;
  std::string target;
  std::vector<std::string> file;
};

Json Range(double low, double high) { return Json::array({low, high}); }

Json CountJson(const SearchSpace& space, const SpaceVerbFlags& flags, const Session& session) {
  const auto [macs_low, macs_high] = space.macs_range();
  const auto [params_low, params_high] = space.params_range();
  Json json{{"schema", "nas.space/1"},
            {"space", space.name()},
            {"edges", space.edges().size()},
            {"alphas", space.alphas()},
            {"log10_architectures", space.log10_architectures()},
            {"macs", {macs_low.value, macs_high.value}},
            {"params", {params_low, params_high}},
            {"supernet_params", space.supernet_params()},
            {"latency_ms", nullptr}};
  if (!flags.target.empty()) {
    const CostTable table = LoadCostTable(flags.target, space, session);
    json["latency_ms"] = Range(table.MinCost(), table.MaxCost());
  }
  return json;
}

int List(const Session& session) {
  if (session.json) {
    Json json{{"schema", "nas.space/1"}, {"spaces", Json::array()}};
    for (const std::string& name : SearchSpace::List(session.space_dirs)) {
      const SearchSpace space = SearchSpace::Load(name, {}, session.space_dirs);
      json["spaces"].push_back({{"name", name}, {"description", space.description()}});
    }
    session.PrintJson(json);
    return 0;
  }
  TablePrinter table({"space", "edges", "networks", "input", "MACs", "what"});
  for (const std::string& name : SearchSpace::List(session.space_dirs)) {
    const SearchSpace space = SearchSpace::Load(name, {}, session.space_dirs);
    const auto [low, high] = space.macs_range();
    table.AddRow({name, StrCat(space.edges().size()), "10^" + Fixed(space.log10_architectures(), 1),
                  StrCat(space.resolution(), " px"), ToString(low) + " … " + ToString(high), space.description()});
  }
  session.Print(table.ToString(session.color));
  return 0;
}

int Show(const SpaceVerbFlags& flags, const Session& session) {
  const SearchSpace space = flags.space.Load(session);
  TablePrinter table({"edge", "in", "candidates (digit: op)"});
  Json edges = Json::array();
  for (const Edge& edge : space.edges()) {
    std::vector<std::string> labels;
    for (int op = 0; op < edge.size(); ++op)
      labels.push_back(FindOp(edge.candidates[op].op).Label(edge.candidates[op]));
    edges.push_back({{"name", edge.name},
                     {"in", {edge.in.side, edge.in.channels}},
                     {"candidates", labels},
                     {"skip_op", edge.skip_op}});
    std::string text;
    for (std::size_t op = 0; op < labels.size(); ++op) text += StrCat(op == 0 ? "" : "  ", op, ": ", labels[op]);
    table.AddRow({edge.name, StrCat(edge.in.side, "²x", edge.in.channels), text});
  }
  if (session.json) {
    Json json = CountJson(space, flags, session);
    json["schema"] = "nas.space/1";
    json["description"] = space.description();
    json["resolution"] = space.resolution();
    json["classes"] = space.classes();
    json["searched"] = edges;
    session.PrintJson(json);
    return 0;
  }
  session.Print(StrCat(space.name(), ": ", space.description(), "\n\n", table.ToString(session.color)));
  return 0;
}

int Count(const SpaceVerbFlags& flags, const Session& session) {
  const SearchSpace space = flags.space.Load(session);
  const Json json = CountJson(space, flags, session);
  if (session.json) {
    session.PrintJson(json);
    return 0;
  }
  const auto [macs_low, macs_high] = space.macs_range();
  const auto [params_low, params_high] = space.params_range();
  std::string text =
      StrCat(space.name(), ": ", space.edges().size(), " searched edges, ", space.alphas(), " candidates, 10^",
             Fixed(space.log10_architectures(), 3), " networks\nMACs     ", ToString(macs_low), " … ",
             ToString(macs_high), "\nparams   ", CountToString(params_low), " … ", CountToString(params_high),
             " (supernet ", CountToString(space.supernet_params()), ")\n");
  if (!flags.target.empty()) {
    text += StrCat("latency  ", ToString(Millis{json["latency_ms"][0].get<double>()}), " … ",
                   ToString(Millis{json["latency_ms"][1].get<double>()}), " on ", flags.target, "\n");
  }
  session.Print(text);
  return 0;
}

int Sample(const SpaceVerbFlags& flags, const Session& session) {
  if (flags.n < 1) ThrowUsage(StrCat("-n ", flags.n, ": give 1 or more"));
  const SearchSpace space = flags.space.Load(session);
  CounterRng rng(session.seed, /*stream=*/0x5a);
  for (std::int64_t i = 0; i < flags.n; ++i) session.PrintJson(ToJson(space.Build(space.Sample(rng))));
  return 0;
}

int Check(const SpaceVerbFlags& flags, const Session& session) {
  const SearchSpace space = SearchSpace::FromJson(JsonDocument::Load(flags.file.at(0)), flags.space.options);
  if (session.json) {
    session.PrintJson(CountJson(space, flags, session));
  } else {
    session.Print(StrCat(flags.file[0], " is a space of ", space.edges().size(), " edges and 10^",
                         Fixed(space.log10_architectures(), 1), " networks"));
  }
  return 0;
}

}  // namespace

Run ConfigureSpace(FlagSet& flags) {
  auto f = std::make_shared<SpaceVerbFlags>();
  flags.Sub("list", "the shipped spaces");
  for (const auto& [name, summary] :
       {std::pair{"show", "edges and candidates"}, {"count", "size and ranges"}, {"sample", "random networks"}}) {
    FlagSet& sub = flags.Sub(name, summary);
    f->space.AddTo(sub);
    if (std::string(name) == "sample") {
      sub.Add("-n", &f->n, "networks to print, JSON Lines");
    } else {
      sub.Add("--target", &f->target, "also the latency range on this target");
    }
  }
  FlagSet& check = flags.Sub("check", "whether a file is a legal space");
  check.Positional("file", &f->file, "space file", true);
  SetExamples(
      flags,
      "  nas space count --space proxyless-mobile --target mobile\n  nas space sample --space tiny -n 3 --seed 7");
  return [f, &flags](const Session& session) {
    const std::string called = flags.Called();
    if (called == "list") return List(session);
    if (called == "show") return Show(*f, session);
    if (called == "count") return Count(*f, session);
    return called == "sample" ? Sample(*f, session) : Check(*f, session);
  };
}

}  // namespace nas::cli
