// SPDX-License-Identifier: Apache-2.0
#include "predictor_report.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "nas/core/table_printer.h"
#include "nas/core/text.h"
#include "nas/core/units.h"
#include "nas/latency/features.h"

namespace nas::cli {
namespace {

std::string Percent(double share, int digits = 0) { return Fixed(100 * share, digits) + " %"; }

std::string OrUnknown(const std::optional<double>& value, const char* unit, double factor, int digits) {
  return value ? Fixed(*value * factor, digits) + unit : "unknown";
}

std::string RangeText(const SampledHull::Range& range) {
  return range ? StrCat((*range)[0], "…", (*range)[1]) : "unknown";
}

std::string HullText(const SampledHull& hull) {
  std::vector<std::string> kernels, kinds;
  for (const auto& [k, s] : hull.k_s) kernels.push_back(StrCat("k", k, "s", s));
  for (const auto& [se, act] : hull.se_act) kinds.push_back(act + (se != 0 ? "+SE" : ""));
  return StrCat("sampled    h ", RangeText(hull.h), ", cin ", RangeText(hull.cin), ", cout ", RangeText(hull.cout),
                ", mid ", RangeText(hull.mid), ", resolution ", RangeText(hull.resolution), "\n           ",
                Join(kernels, " "), "; ", Join(kinds, " "), "; ", Join(hull.ops, " "), "\n");
}

std::string CalibrationText(const Calibration& c) {
  if (c.form == "none") return "uncalibrated (no whole networks): T = S\n";
  const std::string error =
      StrCat(" on ", c.nets, " networks, ", Percent(c.sigma_cal, 1), " off, q ", Fixed(c.q, 2), "\n");
  if (c.form == "launch_bound") {
    return StrCat("T = ((", Fixed(c.a, 4), "·S)^", c.p, " + (", Fixed(c.c0, 4), " + ", Fixed(c.c1, 4), "·launches)^",
                  c.p, ")^(1/", c.p, ")", error);
  }
  return StrCat("T = ", Fixed(c.a, 4), "·S + ", Fixed(c.b, 4), " ms", error);
}

Json NoiseJson(const NoiseFloor& floor) {
  const auto value = [](const std::optional<double>& v) { return v ? Json(*v) : Json(nullptr); };
  return Json{{"within_run", value(floor.within_run)}, {"between_runs", value(floor.between_runs)}};
}

}  // namespace

std::string FitText(const LatencyTable& table, bool color) {
  const ModelParams& model = *table.model;
  std::string text = StrCat(table.name, ": ", table.rows.size(), " rows, ", table.nets.size(), " networks\n");
  if (model.transfer) {
    text += StrCat("model      ", model.transfer->level, " of ", Join(model.transfer->names, ", "), "\n");
  } else {
    TablePrinter weights({"cost term", "ms per unit"});
    for (size_t j = 0; j < model.w.size(); ++j) {
      if (model.w[j] > 0) weights.AddRow({model.features[j], Fixed(model.w[j], 6)});
    }
    text += weights.ToString(color);
  }
  text += StrCat(model.inferred() ? "networks   " : "blocks     ", Percent(model.sigma_model, 2),
                 " leave-one-out error (RMS)");
  if (model.residual) {
    text += StrCat(", residual with ", model.residual->centres.size(), " centres, length ", model.residual->length,
                   ", λ ", model.residual->lambda);
  }
  return text + "\nnetworks   " + CalibrationText(table.calibration.value_or(Calibration{})) + HullText(model.hull);
}

Json FitJson(const LatencyTable& table) {
  const ModelParams& model = *table.model;
  const Calibration calibration = table.calibration.value_or(Calibration{});
  Json weights = Json::object();
  for (size_t j = 0; j < model.w.size(); ++j) weights[model.features[j]] = model.w[j];
  return Json{{"schema", "nas.predictor/1"},
              {"table", table.name},
              {"rows", table.rows.size()},
              {"nets", table.nets.size()},
              {"w", weights},
              {"residual", model.residual.has_value()},
              {"sigma_model", model.sigma_model},
              {"calibration",
               {{"form", calibration.form},
                {"a", calibration.a},
                {"b", calibration.b},
                {"nets", calibration.nets},
                {"sigma_cal", calibration.sigma_cal},
                {"q", calibration.q}}}};
}

std::string EvalText(const SplitReport& r, const NoiseFloor& floor) {
  std::string text =
      StrCat("split ", r.split, ", n = ", r.n, ", noise floor ", OrUnknown(floor.within_run, " %", 100, 1),
             " in a run, ", OrUnknown(floor.between_runs, " %", 100, 1), " between runs\n");
  text += StrCat("MAPE ", Fixed(r.mape, 2), " %");
  if (r.mape_interval)
    text += StrCat(" (95 %: ", Fixed((*r.mape_interval)[0], 2), "…", Fixed((*r.mape_interval)[1], 2), ")");
  text += StrCat("   median ", Fixed(r.median_ape, 2), " %   p95 ", Fixed(r.p95_ape, 2), " %   max ",
                 Fixed(r.max_ape, 2), " %   bias ", Fixed(r.bias, 4), "\nRMSE ", Fixed(r.rmse_ms, 3), " ms");
  if (r.rmse_pct) text += StrCat(" (", Fixed(*r.rmse_pct, 2), " % of the mean)");
  text += StrCat("   within 5 %: ", Percent(r.within_5pct), "   within 10 %: ", Percent(r.within_10pct), "\nSpearman ",
                 OrUnknown(r.spearman, "", 1, 4), "   Kendall ", OrUnknown(r.kendall, "", 1, 4));
  if (r.regret) {
    text += StrCat("   chosen to fit that truly do: ", Percent(r.regret->share_met), ", worst overshoot ",
                   Fixed(r.regret->worst_overshoot_pct, 1), " %");
  }
  text += StrCat("\n95 % interval: covers ", OrUnknown(r.coverage_95, " %", 100, 0), ", mean half width ",
                 OrUnknown(r.mean_width_pct, " %", 1, 1), "   extrapolated ",
                 OrUnknown(r.extrapolated_share, " %", 100, 0), "\n");
  if (!r.baselines.empty()) text += "rivals:";
  for (const auto& [name, b] : r.baselines) {
    text += StrCat("   ", name, " ", Fixed(b.mape, 2), " %");
    if (b.spearman) text += StrCat(" (Spearman ", Fixed(*b.spearman, 4), ")");
  }
  return text + "\n";
}

std::string EvalText(const Evaluation& evaluation, const NoiseFloor& floor) {
  std::string text = EvalText(evaluation.report, floor);
  if (evaluation.transfer) {
    const TransferRecord& t = *evaluation.transfer;
    text += StrCat("level ", t.level, " from ", Join(t.source_tables, ", "), " with ", t.items, " items, ",
                   t.outside_hull, " outside its hull\n");
  }
  for (const auto& flag : FlagSummary(evaluation)) text += StrCat("flagged: ", flag, "\n");
  return text;
}

Json EvalJson(const Evaluation& evaluation, const NoiseFloor& floor) {
  Json json{{"schema", "nas.predictor/1"}};
  json.update(SplitToJson(evaluation.report));
  json["noise_floor"] = NoiseJson(floor);
  json["flags"] = FlagSummary(evaluation);
  if (evaluation.transfer) {
    json["level"] = evaluation.transfer->level;
    json["source_tables"] = evaluation.transfer->source_tables;
    json["outside_hull"] = evaluation.transfer->outside_hull;
    json["warnings"] = evaluation.warnings;
  }
  return json;
}

std::string ShowText(const LatencyTable& table, bool color) {
  const DeviceIdentity& d = table.identity;
  std::string text = StrCat(
      table.name, " (", table.id(), "), made ", table.created, " by ", table.tool, "\ndevice     ", d.device_class,
      ", ", d.vendor, " ", d.model, ", threads ", d.threads == 0 ? "unknown" : std::to_string(d.threads), ", batch ",
      d.batch, ", precision ", d.precision, ", engine ", d.engine, " ", d.engine_version, "\nfrom       ",
      table.provenance.source, " (", table.provenance.kind, "; licence: ", table.provenance.licence, ")\n");
  if (table.recorded.emulated) text += "EMULATED: the times mean nothing\n";
  if (table.model) text += FitText(table, color);
  if (!table.certificate) return text + "no certificate\n";
  const Certificate& c = *table.certificate;
  text += StrCat("certificate of ", c.date, "\n");
  for (const auto& split : c.splits) text += EvalText(split, {c.within_run, c.between_runs});
  if (c.transfer) {
    text += StrCat("transferred: ", c.transfer->level, " from ", Join(c.transfer->source_tables, ", "), " with ",
                   c.transfer->items, " items, ", c.transfer->outside_hull, " outside its hull",
                   c.transfer->forced.empty() ? "" : "; FORCED despite ", c.transfer->forced, "\n");
  }
  return text;
}

Json ShowJson(const LatencyTable& table) {
  Json json = Json::parse(TableToText(table));
  Json shown{{"schema", "nas.predictor/1"}, {"rows", table.rows.size()}, {"nets", table.nets.size()}};
  for (const char* key : {"name", "created", "tool", "device", "model", "calibration", "certificate", "provenance"})
    shown[key] = json[key];
  return shown;
}

namespace {

struct KeyDetail {
  BlockPrediction blended, model;
  std::optional<LatencyRow> row;
};

KeyDetail Detail(const LatencyTable& table, const BlockKey& key) {
  KeyDetail detail;
  detail.blended = LatencyModel(table).PredictBlock(key);
  detail.model = LatencyModel(table, BlockSource::kModelOnly).PredictBlock(key);
  for (const auto& row : table.rows) {
    if (row.key == ToString(key)) detail.row = row;
  }
  return detail;
}

}  // namespace

std::string KeyText(const LatencyTable& table, const BlockKey& key, bool color) {
  const KeyDetail detail = Detail(table, key);
  std::string text =
      StrCat(ToString(key), " on ", table.name, ": ", Fixed(detail.blended.ms, 4), " ms ± ",
             Percent(1.96 * detail.blended.sigma, 1), " (", detail.blended.measured ? "measured" : "model", ")\n");
  if (detail.row) {
    const SampleStats& s = detail.row->stats;
    text += StrCat("measured   ", Fixed(s.Value(), 4), " ms", s.std ? StrCat(", std ", Fixed(*s.std, 4)) : "", ", n ",
                   s.n > 0 ? std::to_string(s.n) : "unknown", "\n");
  }
  text += StrCat("model      ", Fixed(detail.model.ms, 4), " ms ± ", Percent(1.96 * detail.model.sigma, 1), "\n");
  for (const auto& flag : detail.blended.flags) text += StrCat("note       ", flag, "\n");
  text += StrCat("MACs       ", CountToString(static_cast<std::int64_t>(BlockMacs(key))), "\n");
  if (key.op == BlockOp::kMbconv && !table.model->transfer) {
    TablePrinter terms({"cost term", "amount", "ms"});
    const PhiVector phi = Phi(key, table.model->channel_multiple);
    for (int j = 0; j < kPhiSize; ++j) {
      if (phi[j] > 0) terms.AddRow({PhiNames()[j], Fixed(phi[j], 6), Fixed(phi[j] * table.model->w[j], 4)});
    }
    text += terms.ToString(color);
  }
  return text;
}

Json KeyJson(const LatencyTable& table, const BlockKey& key) {
  const KeyDetail detail = Detail(table, key);
  Json json{{"schema", "nas.predictor/1"},
            {"table", table.name},
            {"key", ToString(key)},
            {"latency_ms", detail.blended.ms},
            {"sigma", detail.blended.sigma},
            {"source", detail.blended.measured ? "measured" : "model"},
            {"model_ms", detail.model.ms},
            {"measured_ms", detail.row ? Json(detail.row->stats.Value()) : Json(nullptr)},
            {"flags", detail.blended.flags},
            {"macs", BlockMacs(key)},
            {"launches", detail.blended.launches}};
  return json;
}

}  // namespace nas::cli
