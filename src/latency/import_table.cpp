// SPDX-License-Identifier: Apache-2.0
#include "nas/latency/import_table.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "import_rules.h"
#include "nas/core/error.h"
#include "nas/core/stats.h"
#include "nas/core/text.h"
#include "nas/latency/fit.h"
#include "nas/latency/latency_model.h"

namespace nas {
namespace {

constexpr double kMostTwinGap = 0.10;
constexpr double kMostRowFactor = 30;
constexpr double kWarnRowFactor = 3;

struct PlausibleRange {
  double low, high;  // million MACs per ms
};
PlausibleRange RangeOf(const DeviceIdentity& identity) {
  return identity.is_gpu() ? PlausibleRange{1, 30000} : PlausibleRange{0.2, 2000};
}

ImportedRow MergeGroup(const std::vector<ImportedRow>& group, bool force) {
  for (size_t i = 0; i < group.size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      if (group[i].source != group[j].source) continue;
      ThrowAt(group[i].where, StrCat(ToString(group[i].key), " stands twice in \"", group[i].source, "\" (also ",
                                     group[j].where, "); remove one"));
    }
  }
  const auto [least, most] =
      std::minmax_element(group.begin(), group.end(), [](const auto& a, const auto& b) { return a.ms < b.ms; });
  if (!force && most->ms > (1 + kMostTwinGap) * least->ms) {
    ThrowAt(most->where,
            StrCat(ToString(most->key), ": ", most->ms, " ms, but ", least->ms, " ms at ", least->where,
                   ": twins more than 10 % apart are not one device; separate the sources, or merge with --force"));
  }
  const bool counts = std::all_of(group.begin(), group.end(), [](const auto& r) { return r.count > 0; });
  const bool spreads = std::all_of(group.begin(), group.end(), [](const auto& r) { return r.std_ms.has_value(); });
  double weight = 0, sum = 0, squares = 0;
  std::int64_t count = 0;
  for (const auto& row : group) {
    const double w = counts ? static_cast<double>(row.count) : 1;
    weight += w;
    sum += w * row.ms;
    count += row.count;
  }
  const double mean = sum / weight;
  for (const auto& row : group) {
    const double w = counts ? static_cast<double>(row.count) : 1;
    squares += w * (std::pow(row.std_ms.value_or(0), 2) + std::pow(row.ms - mean, 2));
  }
  ImportedRow merged = group.front();
  merged.ms = mean;
  merged.count = counts ? count : 0;
  if (spreads) {
    merged.std_ms = std::sqrt(squares / weight);
  } else {
    merged.std_ms.reset();
  }
  return merged;
}

std::string UnitHint(double mmac_per_ms, PlausibleRange range) {
  const auto fits = [&](double value) { return value >= range.low && value <= range.high; };
  if (fits(mmac_per_ms * 1e3)) return StrCat(Fixed(mmac_per_ms * 1e3, 1), " if µs: --unit us");
  if (fits(mmac_per_ms / 1e3)) return StrCat(Fixed(mmac_per_ms / 1e3, 1), " if s: --unit s");
  return "check unit, batch and class of the device";
}

std::string Short(double value) {
  std::ostringstream out;
  out.precision(2);
  out << value;
  return out.str();
}

double NetMacs(const ImportedNet& net) {
  double macs = 0;
  for (const auto& key : net.keys) macs += BlockMacs(key);
  return macs;
}

SampleStats ImportedStats(double ms, std::optional<double> std_ms, std::int64_t count) {
  SampleStats stats;
  stats.n = count;
  stats.mean = ms;
  stats.std = std_ms;
  stats.flags = {"imported_mean"};
  return stats;
}

void WarnOddRows(const LatencyTable& table, const ImportedData& data, std::vector<std::string>* warnings) {
  const LatencyModel model(table, BlockSource::kModelOnly);
  for (const auto& row : data.rows) {
    const double predicted = model.PredictBlock(row.key).ms;
    const double ratio = row.ms / predicted;
    if (ratio <= kWarnRowFactor && ratio >= 1 / kWarnRowFactor) continue;
    warnings->push_back(StrCat(row.where, ": ", ToString(row.key), " took ", Short(row.ms), " ms, ", Short(ratio),
                               "× what the fitted model says; measure it again if you can"));
  }
}

}  // namespace

std::vector<ImportedRow> MergeTwins(std::vector<ImportedRow> rows, bool force) {
  std::map<std::string, std::vector<ImportedRow>> groups;
  for (auto& row : rows) groups[ToString(row.key)].push_back(std::move(row));
  std::vector<ImportedRow> merged;
  for (auto& [key, group] : groups) {
    // Sums in one order whatever the order of the file.
    std::stable_sort(group.begin(), group.end(), [](const auto& a, const auto& b) { return a.source < b.source; });
    merged.push_back(group.size() == 1 ? group.front() : MergeGroup(group, force));
  }
  return merged;
}

void CheckPlausible(const ImportedData& data, const DeviceIdentity& identity) {
  const double batch = std::max(identity.batch, 1);
  struct Rate {
    double mmac_per_ms;
    const std::string* where;
    std::string what;
  };
  std::vector<Rate> rates;
  for (const auto& row : data.rows) {
    const double macs = BlockMacs(row.key);
    if (macs > 0) rates.push_back({macs * batch / 1e6 / row.ms, &row.where, ToString(row.key)});
  }
  for (const auto& net : data.nets) rates.push_back({NetMacs(net) * batch / 1e6 / net.ms, &net.where, net.name});
  if (rates.empty()) return;
  std::vector<double> values;
  for (const auto& rate : rates) values.push_back(rate.mmac_per_ms);
  const double median = Median(values);
  const PlausibleRange range = RangeOf(identity);
  if (median < range.low || median > range.high) {
    ThrowInput(StrCat(*rates[0].where, " and the rest: ", Short(median), " MMAC/ms is implausible on a ",
                      identity.device_class, "; ", UnitHint(median, range)));
  }
  for (const auto& rate : rates) {
    if (rate.mmac_per_ms <= median * kMostRowFactor && rate.mmac_per_ms >= median / kMostRowFactor) continue;
    ThrowAt(*rate.where, StrCat(rate.what, ": ", Short(rate.mmac_per_ms), " MMAC/ms, the median of the file is ",
                                Short(median), ": more than 30 times apart, so units are mixed; correct the record"));
  }
}

void AppendData(ImportedData other, ImportedData* data) {
  const bool first = data->rows.empty() && data->nets.empty();
  const std::string where = !other.rows.empty()   ? other.rows[0].where
                            : !other.nets.empty() ? other.nets[0].where
                                                  : "file";
  if (!first && (data->device != other.device || data->runtime != other.runtime)) {
    ThrowAt(where, StrCat("device \"", other.device, "\" on \"", other.runtime, "\", but \"", data->device, "\" on \"",
                          data->runtime, "\" before; choose one with --device and --runtime"));
  }
  if (!first && data->batch != 0 && other.batch != 0 && data->batch != other.batch) {
    ThrowAt(where, StrCat("batch ", other.batch, ", but ", data->batch, " before: another batch is another device"));
  }
  data->device = other.device;
  data->runtime = other.runtime;
  if (other.batch != 0) data->batch = other.batch;
  std::move(other.rows.begin(), other.rows.end(), std::back_inserter(data->rows));
  std::move(other.nets.begin(), other.nets.end(), std::back_inserter(data->nets));
}

LatencyTable MakeTable(ImportedData data, const ImportTableOptions& options, std::vector<std::string>* warnings) {
  LatencyTable table;
  table.name = options.name;
  table.created = options.created;
  table.tool = ToolVersion();
  table.identity = options.identity;
  if (data.batch != 0) table.identity.batch = data.batch;
  if (table.identity.model == "unknown" && !data.device.empty()) table.identity.model = data.device;
  if (table.identity.engine == "unknown" && !data.runtime.empty()) table.identity.engine = data.runtime;
  table.provenance = options.provenance;
  CheckPlausible(data, table.identity);
  data.rows = MergeTwins(std::move(data.rows), options.force);
  for (const auto& row : data.rows)
    table.rows.push_back({ToString(row.key), 1, ImportedStats(row.ms, row.std_ms, row.count)});
  for (const auto& net : data.nets) {
    LatencyNet& out = table.nets.emplace_back();
    out.name = net.name;
    out.resolution = net.resolution;
    for (const auto& key : net.keys) out.keys.push_back(ToString(key));
    out.stats = ImportedStats(net.ms, std::nullopt, 0);
  }
  FitTable(table);
  if (warnings != nullptr && !table.rows.empty()) WarnOddRows(table, data, warnings);
  return table;
}

}  // namespace nas
