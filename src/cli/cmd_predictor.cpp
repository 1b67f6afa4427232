// SPDX-License-Identifier: Apache-2.0
#include "cmd_predictor.h"

#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "import_flags.h"
#include "nas/core/clock.h"
#include "nas/core/error.h"
#include "nas/core/files.h"
#include "nas/core/log.h"
#include "nas/core/text.h"
#include "nas/core/units.h"
#include "nas/latency/item_choice.h"
#include "nas/latency/publish.h"
#include "nas/latency/target_name.h"
#include "nas/latency/transfer.h"
#include "predictor_report.h"
#include "space_flags.h"
#include "target_flags.h"

namespace nas::cli {
namespace {

struct PredictorFlags {
  ImportFlags import;
  SpaceFlags space;
  std::vector<std::string> files;  // positional
  std::vector<std::string> data;
  std::vector<std::string> calibrate;
  std::vector<std::string> certify;
  std::vector<std::string> from;
  std::string name, out, date, split, plot, key, level;
  Provenance provenance{"", "not told", "measured", ""};
  double budget_ms = 0;
  int suggest = 0;
  bool no_residual = false, publish = false, force = false;
};

std::string Date(const PredictorFlags& f) {
  if (f.date.empty()) return NowIso8601().substr(0, 10);
  bool legal = f.date.size() == 10;
  for (size_t i = 0; legal && i < 10; ++i)
    legal = i == 4 || i == 7 ? f.date[i] == '-' : f.date[i] >= '0' && f.date[i] <= '9';
  if (!legal) ThrowUsage(StrCat("--date ", f.date, " is no date; write it like 2026-11-22"));
  return f.date;
}

std::string NameOf(const PredictorFlags& f) {
  const std::string name = f.name.empty() ? std::filesystem::path(f.out).stem().string() : f.name;
  CheckTableName(name);
  return name;
}

void NeedOut(const PredictorFlags& f) {
  if (f.out.empty()) ThrowUsage("--out is missing: name the table file to write");
  CheckNewFile(f.out, f.force);
}

/// Writes the table and says what it is worth.
int Finish(const LatencyTable& table, const PredictorFlags& f, const Session& session, Json json) {
  SaveTable(table, f.out);
  if (session.json) {
    json["out"] = f.out;
    session.PrintJson(json);
  } else {
    session.Print(FitText(table, session.color) + "written to " + f.out + "\n");
  }
  return 0;
}

int Import(const PredictorFlags& f, const Session& session) {
  NeedOut(f);
  const ImportedData data = f.import.Read(f.files);
  ImportTableOptions options;
  options.name = NameOf(f);
  options.identity = f.import.Identity(session);
  options.provenance = f.provenance;
  if (options.provenance.source.empty()) options.provenance.source = Join(f.files, ", ");
  options.created = Date(f) + "T00:00:00Z";
  options.force = f.force;
  std::vector<std::string> warnings;
  LatencyTable table = MakeTable(data, options, &warnings);
  for (const auto& warning : warnings) LogWarning(warning);
  const EvalData eval = EvalDataFromImport(data, table.identity);
  if (f.publish) {
    table = Publish(std::move(table), eval, f.certify, Date(f));
  } else if (!f.certify.empty()) {
    table.certificate = MakeCertificate(table, eval, f.certify, Date(f), session.seed);
  }
  Json json = FitJson(table);
  json["warnings"] = warnings;
  return Finish(table, f, session, json);
}

int Fit(const PredictorFlags& f, const Session& session) {
  NeedOut(f);
  LatencyTable table = LoadTable(f.files.at(0));
  if (!f.name.empty()) table.name = NameOf(f);
  if (!f.calibrate.empty()) {
    const ImportedData nets = f.import.Read(f.calibrate);
    for (const auto& net : EvalDataFromImport(nets, table.identity).nets) table.nets.push_back(net);
  }
  FitOptions options;
  options.residual = !f.no_residual;
  if (table.rows.empty() && table.model && !table.model->inferred()) {
    CalibrateTable(table);  // a shipped table keeps its coefficients; a and b come from the networks
  } else {
    FitTable(table, options);
  }
  if (!f.certify.empty()) {
    table.certificate = MakeCertificate(table, EvalDataFromTable(table), f.certify, Date(f), session.seed, options);
  }
  return Finish(table, f, session, FitJson(table));
}

std::vector<LatencyTable> LoadSources(const std::vector<std::string>& names, const Session& session) {
  std::vector<LatencyTable> sources;
  for (const auto& name : names) sources.push_back(LoadTargetTable(name, session));
  return sources;
}

/// `device:NAME` or `device:NAME:COUNT`, from --from or all shipped tables of that class but NAME.
Evaluation EvaluateDevice(const EvalData& data, const PredictorFlags& f, const Session& session) {
  const std::vector<std::string> parts = Split(f.split, ':');
  long long count = 20;
  if (parts.size() > 3 || parts[1].empty() || (parts.size() == 3 && (!ParseInt(parts[2], &count) || count < 1))) {
    ThrowUsage(StrCat("split \"", f.split, "\" is not device:NAME or device:NAME:COUNT"));
  }
  std::vector<LatencyTable> sources = LoadSources(f.from, session);
  if (f.from.empty()) {
    for (const auto& folder : session.table_dirs) {
      std::error_code ignored;
      for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) {
        if (entry.path().extension() != ".json" || entry.path().stem() == parts[1]) continue;
        LatencyTable table = LoadTable(entry.path().string());
        if (table.identity.device_class == data.identity.device_class && !table.model->inferred())
          sources.push_back(std::move(table));
      }
    }
    std::sort(sources.begin(), sources.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  }
  TransferOptions options;
  options.force = f.force;
  return EvaluateTransfer(data, sources, static_cast<int>(count), f.split, session.seed, options);
}

int Eval(const PredictorFlags& f, const Session& session) {
  if (f.split.empty())
    ThrowUsage("--split is missing: random:N, leave:COL=VAL, nets:N, nets:held-out, run:K or device:NAME");
  if (f.files.empty() == f.data.empty()) ThrowUsage("give either a table, or --data FILE with --as FORMAT");
  LatencyTable table;
  EvalData data;
  if (f.data.empty()) {
    table = LoadTargetTable(f.files.at(0), session);
    data = EvalDataFromTable(table);
    if (data.rows.empty() && data.nets.empty()) {
      ThrowInput(StrCat("table \"", table.name,
                        "\" holds no rows to evaluate on (shipped tables never do); give the data by --data, "
                        "or see its certificate: nas predictor show ",
                        table.name));
    }
  } else {
    const ImportedData imported = f.import.Read(f.data);
    CheckPlausible(imported, f.import.Identity(session));
    data = EvalDataFromImport(imported, f.import.Identity(session));
    for (const auto& row : data.rows) table.rows.push_back({ToString(row.key), 1, SampleStats{}});
    for (size_t i = 0; i < data.rows.size(); ++i) {
      table.rows[i].stats.mean = data.rows[i].ms;
      table.rows[i].stats.std = data.rows[i].std_ms;
      table.rows[i].stats.n = data.rows[i].count;
    }
  }
  Evaluation evaluation;
  if (StartsWith(f.split, "device:")) {
    evaluation = EvaluateDevice(data, f, session);
  } else if (f.split == "nets:held-out" && f.data.empty()) {
    evaluation = EvaluateHeldOut(table, f.budget_ms, session.seed);
  } else {
    EvalOptions options;
    options.split = f.split;
    options.seed = session.seed;
    options.target_ms = f.budget_ms;
    options.fit.residual = !f.no_residual;
    evaluation = Evaluate(data, options);
  }
  const NoiseFloor floor = MeasureNoiseFloor(table);
  std::string disagreement;
  if (table.certificate) {
    Certificate computed;
    computed.splits.push_back(evaluation.report);
    disagreement = CompareCertificates(*table.certificate, computed);
    if (!disagreement.empty())
      LogWarning(StrCat("the certificate of \"", table.name, "\" says otherwise: ", disagreement));
  }
  if (!f.plot.empty())
    WriteFileAtomic(f.plot, ScatterSvg(evaluation, table.name.empty() ? Join(f.data, ", ") : table.name));
  if (session.json) {
    Json json = EvalJson(evaluation, floor);
    json["certificate_agrees"] = table.certificate ? Json(disagreement.empty()) : Json(nullptr);
    session.PrintJson(json);
  } else {
    session.Print(EvalText(evaluation, floor));
  }
  return 0;
}

int Suggest(const PredictorFlags& f, const Session& session) {
  const SearchSpace space = f.space.Load(session);
  if (f.from.empty())
    ThrowUsage("--from is missing: a table whose cost terms guide the choice, for example --from mobile");
  const LatencyModel source(LoadTargetTable(f.from[0], session));
  const ItemSuggestion suggestion = SuggestItems(space, source, f.suggest, /*networks=*/true, session.seed);
  Json json{
      {"schema", "nas.predictor/1"}, {"space", space.name()}, {"blocks", Json::array()}, {"networks", Json::array()}};
  std::string text;
  for (const auto& key : suggestion.blocks) {
    json["blocks"].push_back(ToString(key));
    text += ToString(key) + "\n";
  }
  for (const auto& choice : suggestion.networks) {
    json["networks"].push_back(space.Code(choice));
    text += "network " + space.Code(choice) + "\n";
  }
  if (session.json) {
    session.PrintJson(json);
  } else {
    session.Print(text);
  }
  return 0;
}

/// The few items: a measured table, or a foreign file.
LatencyTable ReadItems(const PredictorFlags& f, const Session& session) {
  if (f.data.size() == 1 && f.import.format.empty() && EndsWith(f.data[0], ".json")) return LoadTable(f.data[0]);
  const ImportedData data = f.import.Read(f.data);
  LatencyTable table;
  table.identity = f.import.Identity(session);
  if (data.batch != 0) table.identity.batch = data.batch;
  if (!data.device.empty()) table.identity.model = data.device;
  if (table.identity.engine == "unknown" && !data.runtime.empty()) table.identity.engine = data.runtime;
  CheckPlausible(data, table.identity);
  for (const auto& row : MergeTwins(data.rows, f.force)) {
    LatencyRow& out = table.rows.emplace_back();
    out.key = ToString(row.key);
    out.stats.mean = row.ms;
    out.stats.std = row.std_ms;
    out.stats.n = row.count;
    out.stats.flags = {"imported_mean"};
  }
  table.nets = EvalDataFromImport(data, table.identity).nets;
  table.provenance = f.provenance;
  if (table.provenance.source.empty()) table.provenance.source = Join(f.data, ", ");
  return table;
}

int TransferVerb(const PredictorFlags& f, const Session& session) {
  if (f.suggest != 0) return Suggest(f, session);
  NeedOut(f);
  if (f.data.empty())
    ThrowUsage("--data is missing: the measured items of the new device (a table, or a file with --as FORMAT)");
  if (f.from.empty()) ThrowUsage("--from is missing: one or several tables of other devices");
  TransferOptions options;
  options.force = f.force;
  if (!f.level.empty()) options.level = ParseTransferLevel(f.level);
  TransferResult result = Transfer(ReadItems(f, session), LoadSources(f.from, session), options);
  for (const auto& warning : result.warnings) LogWarning(warning);
  LatencyTable& table = result.table;
  table.name = NameOf(f);
  table.tool = ToolVersion();
  table.created = Date(f) + "T00:00:00Z";
  table.certificate->date = Date(f);
  SaveTable(table, f.out);
  Json loo = Json::object();
  std::string levels;
  for (const auto& [level, mape] : result.record.loo_mape) {
    loo[level] = mape;
    levels += StrCat(levels.empty() ? "" : ", ", level, " ", Fixed(mape, 2), " %");
  }
  if (session.json) {
    session.PrintJson(Json{{"schema", "nas.predictor/1"},
                           {"out", f.out},
                           {"level", result.record.level},
                           {"source_tables", result.record.source_tables},
                           {"items", result.record.items},
                           {"outside_hull", result.record.outside_hull},
                           {"loo_mape", loo},
                           {"warnings", result.warnings}});
  } else {
    session.Print(StrCat(table.name, ": level ", result.record.level, " from ", Join(result.record.source_tables, ", "),
                         " with ", result.record.items, " items (", result.record.outside_hull,
                         " outside its hull)\nleave-one-out error: ", levels, "\nwritten to ", f.out, "\n"));
  }
  return 0;
}

int Show(const PredictorFlags& f, const Session& session) {
  const LatencyTable table = LoadTargetTable(f.files.at(0), session);
  if (!f.key.empty() && !table.model)
    ThrowInput(StrCat("table \"", table.name, "\" has no model yet; run: nas predictor fit"));
  if (session.json) {
    session.PrintJson(f.key.empty() ? ShowJson(table) : KeyJson(table, ParseBlockKey(f.key)));
  } else {
    session.Print(f.key.empty() ? ShowText(table, session.color) : KeyText(table, ParseBlockKey(f.key), session.color));
  }
  return 0;
}

int Remove(const PredictorFlags& f, const Session& session) {
  const std::string& name = f.files.at(0);
  const std::filesystem::path path = std::filesystem::path(session.cache_dir) / "latency" / (name + ".json");
  std::error_code error;
  if (name.find('/') != std::string::npos || !std::filesystem::is_regular_file(path, error)) {
    ThrowInput(StrCat("no cached table \"", name, "\"; nas predictor list shows which are cached"));
  }
  const FileLock lock(path.parent_path() / ".lock");
  std::filesystem::remove(path, error);
  if (error) ThrowInput(StrCat(path.string(), ": ", error.message()));
  if (session.json) {
    session.PrintJson(Json{{"schema", "nas.predictor/1"}, {"removed", name}});
  } else {
    session.Print(StrCat("removed ", path.string(), "\n"));
  }
  return 0;
}

void AddTableFlags(FlagSet& flags, PredictorFlags* f) {
  flags.Group("The table");
  flags.Add("--out", &f->out, "table file to write");
  flags.Add("--name", &f->name, "name of the table; by default the stem of --out");
  flags.Add("--date", &f->date, "date to write, like 2026-11-22; by default today");
}

void AddProvenanceFlags(FlagSet& flags, PredictorFlags* f) {
  flags.Add("--source", &f->provenance.source, "where the numbers come from; by default the file names");
  flags.Add("--licence", &f->provenance.licence, "of the source");
  flags.AddChoice("--kind", &f->provenance.kind, {"measured", "summed", "predicted"}, "how the numbers were made");
  flags.Add("--notes", &f->provenance.notes, "anything else worth keeping");
}

}  // namespace

Run ConfigurePredictor(FlagSet& flags) {
  auto f = std::make_shared<PredictorFlags>();
  PredictorFlags* p = f.get();

  FlagSet& import = flags.Sub("import", "make a table of somebody else's latency files");
  import.Positional("file", &p->files, "files of one device", true);
  p->import.AddTo(import);
  AddTableFlags(import, p);
  AddProvenanceFlags(import, p);
  import.AddList("--certify", &p->certify, "a split to put into the certificate; repeatable");
  import.AddSwitch("--publish", &p->publish, "leave rows out: coefficients, hull, certificate and provenance only");
  import.AddSwitch("--force", &p->force, "merge twins more than 10 % apart; replace the file at --out");

  FlagSet& fit = flags.Sub("fit", "fit model and calibration of a table anew");
  fit.Positional("table", &p->files, "table file", true);
  AddTableFlags(fit, p);
  fit.AddList("--calibrate", &p->calibrate, "whole networks (nets-jsonl) for a and b");
  fit.AddSwitch("--no-residual", &p->no_residual, "the linear part alone");
  fit.AddList("--certify", &p->certify, "a split to put into the certificate; repeatable");
  fit.AddSwitch("--force", &p->force, "replace the file at --out");
  p->import.AddTo(fit);

  FlagSet& eval = flags.Sub("eval", "error of a table, or of fits on a file, on a split");
  eval.Positional("table", &p->files, "table: name or file", false);
  eval.AddList("--data", &p->data, "foreign file instead of a table; repeatable");
  eval.Add("--split", &p->split,
           "random:N, leave:COL=VAL, leave:COL>=VAL, nets:N, nets:held-out, run:K, device:NAME[:N]");
  eval.AddList("--from", &p->from, "sources of device:NAME; by default all shipped tables but NAME");
  eval.AddSwitch("--no-residual", &p->no_residual, "the linear part alone");
  eval.Add("--plot", &p->plot, "write predicted against measured as SVG");
  eval.AddParsed(
      "--latency", "LATENCY", [p](const std::string& text) { p->budget_ms = ParseMillis(text).value; },
      [p] { return p->budget_ms > 0 ? ToString(Millis{p->budget_ms}) : std::string("quartiles"); },
      "budget of the regret");
  eval.AddSwitch("--force", &p->force, "device:NAME: also between devices that are not comparable");
  p->import.AddTo(eval);

  flags.Sub("list", "every usable target: cached, shipped, aliases, attached phones");
  flags.Sub("remove", "delete a cached table").Positional("name", &p->files, "name of the cached table", true);

  FlagSet& transfer = flags.Sub("transfer", "learn a new device from few measured items");
  transfer.AddList("--from", &p->from, "source table: name or file; repeatable");
  transfer.AddList("--data", &p->data, "measured items: a table file, or a file with --as");
  transfer.Add("--suggest", &p->suggest, "print which N items to measure, and stop");
  transfer.Add("--level", &p->level,
               "scale, affine, prior, ridge or scratch; by default the least leave-one-out error");
  transfer.AddSwitch("--force", &p->force, "also between devices that are not comparable; replace the file at --out");
  transfer.Add("--space", &p->space.space, "--suggest: space whose blocks are to be predicted");
  AddTableFlags(transfer, p);
  AddProvenanceFlags(transfer, p);
  p->import.AddTo(transfer);

  FlagSet& show = flags.Sub("show", "identity, provenance, model, hull and certificate of a table");
  show.Positional("table", &p->files, "table: name or file", true);
  show.Add("--key", &p->key, "one block key in full detail");

  SetExamples(flags,
              "  nas predictor import phone.csv --as csv --class cpu --out phone.json\n"
              "  nas predictor eval --data phone.csv --as csv --split random:100 --json");
  return [f, &flags](const Session& session) {
    const std::string called = flags.Called();
    if (called == "import") return Import(*f, session);
    if (called == "fit") return Fit(*f, session);
    if (called == "eval") return Eval(*f, session);
    if (called == "transfer") return TransferVerb(*f, session);
    if (called == "show") return Show(*f, session);
    if (called == "remove") return Remove(*f, session);
    if (session.json) {
      session.PrintJson(ListJson(session));
    } else {
      session.Print(ListText(session));
    }
    return 0;
  };
}

}  // namespace nas::cli
