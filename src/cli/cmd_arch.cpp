// SPDX-License-Identifier: Apache-2.0
#include "cmd_arch.h"

#include <memory>

#include <nlohmann/json.hpp>

#include "nas/core/error.h"
#include "nas/core/files.h"
#include "nas/core/table_printer.h"
#include "nas/core/text.h"
#include "nas/space/arch_diff.h"
#include "space_flags.h"

namespace nas::cli {
namespace {

struct ArchFlags {
  std::vector<std::string> arch;
  SpaceFlags space;
  std::string to = "json";
  std::string out;
};

std::string Cell(const Json& layer, const char* key) {
  const auto found = layer.find(key);
  if (found == layer.end() || found->is_null()) return "";
  return found->is_string() ? found->get<std::string>() : found->dump();
}

std::string ShapeText(const Json& shape) { return StrCat(shape.at(0).dump(), "²x", shape.at(2).dump()); }

int Show(const ArchFlags& flags, const Session& session) {
  const auto space = flags.space.LoadIfGiven(session);
  const Architecture a = ReadArchitecture(flags.arch.at(0), space ? &*space : nullptr);
  const Json layers = DescribeLayers(a);
  if (session.json) {
    Json json{{"schema", "nas.arch/1"},
              {"name", a.name},
              {"resolution", a.resolution},
              {"macs", CountMacs(a).value},
              {"params", CountParams(a)},
              {"depth", Depth(a)},
              {"layers", layers}};
    if (!a.code.empty()) json["code"] = a.code;
    session.PrintJson(json);
    return 0;
  }
  TablePrinter table({"layer", "what", "in", "out", "params", "MACs"});
  for (const Json& layer : layers) {
    table.AddRow({Cell(layer, "name"), Cell(layer, "label"), ShapeText(layer.at("in")), ShapeText(layer.at("out")),
                  CountToString(layer.value("params", std::int64_t{0})),
                  CountToString(layer.value("macs", std::int64_t{0}))});
  }
  session.Print(StrCat(a.name, a.name.empty() ? "" : ": ", CountParams(a), " params, ",
                       Fixed(static_cast<double>(CountMacs(a).value) * 1e-6, 6), " M MACs at ", a.resolution,
                       " px, depth ", Depth(a), "\n\n", table.ToString(session.color)));
  return 0;
}

int Convert(const ArchFlags& flags, const Session& session) {
  const auto space = flags.space.LoadIfGiven(session);
  const Architecture a = ReadArchitecture(flags.arch.at(0), space ? &*space : nullptr);
  std::string text;
  if (flags.to == "json") {
    text = PrettyDump(ToJson(a));
  } else if (flags.to == "net.config") {
    text = PrettyDump(ToNetConfig(a));
  } else if (flags.to == "timm") {
    text = PrettyDump(ToTimm(a));
  } else {
    const auto choice = space ? space->Encode(a) : std::nullopt;
    if (choice) {
      text = space->Code(*choice) + "\n";
    } else if (space) {
      ThrowInput(StrCat(flags.arch[0], " is no network of ", space->name(), "; it has no code there"));
    } else if (a.code.empty()) {
      ThrowInput(StrCat(flags.arch[0], " says no code; name its space by --space"));
    } else {
      text = a.code + "\n";
    }
  }
  if (flags.out.empty()) {
    session.Print(text);
  } else {
    WriteFileAtomic(flags.out, text);
  }
  return 0;
}

int Diff(const ArchFlags& flags, const Session& session) {
  if (flags.arch.size() != 2)
    ThrowUsage(StrCat("nas arch diff compares two architectures; ", flags.arch.size(), " given"));
  const auto space = flags.space.LoadIfGiven(session);
  const Architecture a = ReadArchitecture(flags.arch[0], space ? &*space : nullptr);
  const Architecture b = ReadArchitecture(flags.arch[1], space ? &*space : nullptr);
  const std::vector<LayerDifference> differences = ArchDiff(a, b);
  if (session.json) {
    Json json{{"schema", "nas.arch/1"}, {"equal", differences.empty()}, {"layers", Json::array()}};
    for (const LayerDifference& d : differences) {
      json["layers"].push_back({{"name", d.name}, {"a", d.a_label}, {"b", d.b_label}, {"fields", d.fields}});
    }
    json["macs"] = {CountMacs(a).value, CountMacs(b).value};
    json["params"] = {CountParams(a), CountParams(b)};
    session.PrintJson(json);
    return 0;
  }
  if (differences.empty()) {
    session.Print("equal networks");
    return 0;
  }
  TablePrinter table({"layer", flags.arch[0], flags.arch[1], "differs in"});
  for (const LayerDifference& d : differences) table.AddRow({d.name, d.a_label, d.b_label, d.fields});
  table.AddRow({"MACs", CountToString(CountMacs(a).value), CountToString(CountMacs(b).value), ""});
  table.AddRow({"params", CountToString(CountParams(a)), CountToString(CountParams(b)), ""});
  session.Print(table.ToString(session.color));
  return 0;
}

}  // namespace

Run ConfigureArch(FlagSet& flags) {
  auto f = std::make_shared<ArchFlags>();
  FlagSet& show = flags.Sub("show", "layers, params and MACs of one architecture");
  FlagSet& convert = flags.Sub("convert", "between JSON, net.config, timm strings and digit codes");
  FlagSet& diff = flags.Sub("diff", "where two architectures differ");
  for (FlagSet* sub : {&show, &convert, &diff}) {
    sub->Positional("arch", &f->arch, "architecture: JSON, net.config, arch.timm, a digit code with --space, or -",
                    true);
    f->space.AddTo(*sub);
  }
  convert.AddChoice("--to", &f->to, {"json", "net.config", "timm", "code"}, "form to write");
  convert.Add("--out", &f->out, "file to write; by default stdout");
  SetExamples(flags,
              "  nas arch show proxyless_gpu.config\n"
              "  nas arch convert 01234012340 --space cifar-mbconv --to net.config --out net.config");
  return [f, &flags](const Session& session) {
    const std::string called = flags.Called();
    return called == "show" ? Show(*f, session) : called == "convert" ? Convert(*f, session) : Diff(*f, session);
  };
}

}  // namespace nas::cli
