// SPDX-License-Identifier: Apache-2.0
// Device, protocol, events, reproduction: the part of the page for those who check.
#include <nlohmann/json.hpp>

#include "json_look.h"
#include "markup.h"
#include "nas/core/text.h"
#include "nas/core/units.h"
#include "nas/latency/latency_model.h"
#include "nas/space/op_catalogue.h"
#include "reproduce.h"
#include "run_charts.h"
#include "run_section.h"

namespace nas::detail {
namespace {

class FactList {
 public:
  void Add(const std::string& name, const std::string& value) {
    if (!value.empty() && value != "unknown")
      html_ += StrCat("<dt>", Escaped(name), "</dt><dd>", Escaped(value), "</dd>");
  }
  std::string Html() const { return StrCat("<dl class=facts>", html_, "</dl>"); }

 private:
  std::string html_;
};

std::string Number(double value, const char* unit) { return Fixed(value, 1) + unit; }

void AddTable(const RunRecord& run, const TargetRecord& target, Page* page) {
  const LatencyTable& table = target.model->table();
  const DeviceIdentity& d = table.identity;
  FactList device;
  device.Add("table", table.name);
  device.Add("device", d.is_gpu() ? d.gpu : d.model);
  device.Add("chip", d.soc == "none" ? "" : d.soc);
  device.Add("cores", d.cores);
  device.Add("threads", d.threads > 0 ? StrCat(d.threads) : "");
  device.Add("precision", d.precision);
  device.Add("batch", d.batch > 0 ? StrCat(d.batch) : "");
  device.Add("system", d.os);
  device.Add("engine", StrCat(d.engine, d.engine_version == "unknown" ? "" : " " + d.engine_version,
                              d.delegate.empty() ? "" : ", " + d.delegate));
  device.Add("frequency governor", table.recorded.governor);
  device.Add("made", table.created);
  device.Add("source", table.provenance.source);
  device.Add("licence", table.provenance.licence);
  device.Add("kind", table.provenance.kind + (table.recorded.emulated ? ", emulated" : ""));
  FactList protocol;
  if (table.protocol) {
    const MeasureProtocol& p = *table.protocol;
    protocol.Add("mode", p.mode == "chain" ? "blocks between their neighbours" : p.mode);
    protocol.Add("runs per item", StrCat(p.min_runs, " to ", p.max_runs, ", until the median's 95 % interval is ± ",
                                         Number(100 * p.ci_half_width, " %")));
    protocol.Add("warm-up", p.warmup);
    protocol.Add("reference network", StrCat("every ", p.reference_every, " items"));
  }
  for (const MeasureRun& m : table.runs) {
    protocol.Add(StrCat("run ", m.run), StrCat(m.start, ", ", SecondsToString(m.seconds), ", reference drifted by ",
                                               Number(100 * m.reference_drift, " %")));
  }
  protocol.Add("measured", StrCat(table.rows.size(), " blocks, ", table.nets.size(), " whole networks"));
  if (table.calibration && table.calibration->form != "none") {
    protocol.Add("correction to whole networks", StrCat(table.calibration->form, ", a ", Fixed(table.calibration->a, 3),
                                                        ", from ", table.calibration->nets, " networks"));
  } else {
    protocol.Add("correction to whole networks", "none: uncalibrated");
  }
  if (table.certificate) {
    const Certificate& c = *table.certificate;
    if (c.within_run) protocol.Add("noise floor", Number(100 * *c.within_run, " %"));
    for (const SplitReport& s : c.splits) {
      protocol.Add("error on " + s.split,
                   StrCat(Fixed(s.mape, 1), " % mean over ", s.n, ", ", Fixed(100 * s.within_10pct, 0),
                          " % within 10 %", s.spearman ? StrCat(", rank correlation ", Fixed(*s.spearman, 3)) : ""));
    }
  }
  page->Add("<div class=pair>");
  page->AddChart(PredictionChart(run, target));
  page->Add(StrCat("<div class=device><h4>Device</h4>", device.Html(), "<h4>How it was measured</h4>", protocol.Html(),
                   "</div></div>"));
}

std::string CandidateLabel(const RunRecord& run, int edge, int op) {
  if (!run.space || edge < 0 || edge >= static_cast<int>(run.space->edges().size())) return StrCat("op ", op);
  const Edge& e = run.space->edges()[edge];
  if (op < 0 || op >= e.size()) return StrCat("op ", op);
  return StrCat(FindOp(e.candidates[op].op).Label(e.candidates[op]), " of ", e.name);
}

}  // namespace

void AddDevices(const RunRecord& run, Page* page) {
  bool any = false;
  for (const TargetRecord& target : run.targets) {
    if (target.model == nullptr) continue;
    if (!any) page->Add("<section><h2>Latency: device and predictor</h2>");
    any = true;
    if (run.targets.size() > 1) page->Add(StrCat("<h3>", Escaped(target.label), "</h3>"));
    AddTable(run, target, page);
  }
  if (any) page->Add("</section>");
}

void AddEvents(const RunRecord& run, Page* page) {
  if (run.alarms.empty() && run.prunes.empty()) return;
  page->Add("<section><h2>What happened on the way</h2>");
  if (!run.alarms.empty()) {
    std::string html = "<ul class=alarms>";
    for (const AlarmRecord& alarm : run.alarms) {
      html += StrCat("<li>", alarm.epoch >= 0 ? StrCat("<b>epoch ", alarm.epoch, "</b> ") : "", Escaped(alarm.text));
    }
    page->Add(html + "</ul>");
  }
  if (!run.prunes.empty()) {
    std::int64_t bytes = 0;
    std::string table =
        "<table><thead><tr><th class=n>epoch<th>dropped<th class=n>p<th class=n>left<th class=n>freed</thead><tbody>";
    for (const PruneRecord& prune : run.prunes) {
      bytes += prune.bytes;
      table += StrCat("<tr><td class=n>", prune.epoch, "<td>", Escaped(CandidateLabel(run, prune.edge, prune.op)),
                      "<td class=n>", Fixed(100 * prune.p, 2), " %<td class=n>", prune.left, "<td class=n>",
                      ToString(Bytes{prune.bytes}));
    }
    page->Add(StrCat("<details><summary>", run.prunes.size(), " candidates were dropped for good, ",
                     ToString(Bytes{bytes}), " freed</summary><div class=scroll>", table,
                     "</tbody></table></div></details>"));
  }
  page->Add("</section>");
}

void AddReproduction(const RunRecord& run, Page* page) {
  const Json& env = *run.environment;
  const Json& machine = LookObject(env, "machine");
  const Json& data = LookObject(*run.config, "data");
  FactList facts;
  facts.Add("run folder", run.path.string());
  facts.Add("started", LookText(env, "started"));
  facts.Add("wall time", WallTime(run));
  if (const auto speed = LookNumber(*run.result, "images_per_s")) facts.Add("speed", Fixed(*speed, 0) + " images/s");
  if (const auto peak = LookNumber(*run.result, "peak_memory_mib")) facts.Add("peak memory", Fixed(*peak, 0) + " MiB");
  facts.Add("seed", StrCat(static_cast<std::int64_t>(LookNumber(LookObject(*run.config, "options"), "seed", 0))));
  facts.Add("search space", run.space ? StrCat(run.space->name(), ", ", run.space->edges().size(), " edges, 10^",
                                               Fixed(run.space->log10_architectures(), 1), " networks")
                                      : "");
  if (!data.empty()) {
    facts.Add("data",
              StrCat(LookText(data, "spec"), ", ", LookInt(data, "train_images"), " images train weights, ",
                     LookInt(data, "carve_out_images"), " the architecture, ", LookInt(data, "test_images"), " test"));
    facts.Add("data listing", LookText(data, "listing"));
  }
  facts.Add("configuration hash", LookText(env, "config_hash"));
  facts.Add("LibTorch", LookText(env, "libtorch") + LookText(LookObject(env, "versions"), "libtorch"));
  facts.Add("nas", LookText(env, "nas") + LookText(LookObject(env, "versions"), "nas"));
  facts.Add("revision",
            LookText(env, "git") + LookText(env, "revision") + LookText(LookObject(env, "versions"), "git"));
  facts.Add("machine", StrCat(LookText(machine, "cpu"), ", ", LookInt(machine, "cores"), " cores, ",
                              ToString(Bytes{static_cast<std::int64_t>(LookNumber(machine, "memory", 0))}), ", ",
                              LookText(machine, "os")));
  page->Add(StrCat("<section><h2>Do it again</h2><pre class=command><code>", Escaped(ReproduceCommand(run)),
                   "</code></pre>", facts.Html(), "<details><summary>config.json</summary><pre><code>",
                   Escaped(PrettyDump(*run.config)),
                   "</code></pre></details><details><summary>env.json</summary><pre><code>", Escaped(PrettyDump(env)),
                   "</code></pre></details></section>"));
}

}  // namespace nas::detail
