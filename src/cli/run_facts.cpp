// SPDX-License-Identifier: Apache-2.0
#include "run_facts.h"

#include "nas/core/error.h"
#include "nas/core/run_folder.h"
#include "nas/core/text.h"
#include "nas/search/search_result.h"

namespace nas::cli {
namespace {

namespace fs = std::filesystem;

void AddAccuracy(const Json& result, const std::string& how, std::vector<PassportMetric>* metrics) {
  for (const char* name : {"top1", "top5"}) {
    if (!result.contains(name)) continue;
    metrics->push_back({name, result[name].get<double>(), "share", how, result.value("images", std::int64_t{0}), ""});
  }
}

std::vector<PassportMetric> MetricsOfSearch(const JsonDocument& document, const std::string& folder) {
  std::vector<PassportMetric> metrics;
  for (const TargetResult& t : SearchResultFromJson(document).targets) {
    if (t.folder != folder) continue;
    AddAccuracy({{"top1", t.top1}, {"top5", t.top5}, {"images", t.images}},
                "inherited supernet weights, BN statistics recalibrated on training images, whole test set", &metrics);
    if (t.unit != "ms") continue;
    metrics.push_back({"predicted", t.predicted, "ms", "by the latency table of the run", 0, t.target});
    if (t.measured) {
      metrics.push_back({"measured", *t.measured, "ms",
                         "timed on the table's device after the search, in proportion to the table's reference network",
                         0, t.target});
    }
  }
  return metrics;
}

}  // namespace

RunFacts ReadRunFacts(const std::string& run, const std::string& target) {
  RunFacts facts;
  facts.folder = RunFolder::NetworkFolder(run, target);
  const Json config = RunFolder::ReadConfig(run);
  // A training records what its data came to be, a search only what was asked.
  for (const char* part : {"options", "plan"}) {
    if (!config.contains(part) || !config[part].is_object()) continue;
    facts.data = config[part].value("data", facts.data);
    facts.seed = config[part].value("seed", facts.seed);
  }
  if (config.contains("data") && config["data"].is_object()) {
    facts.data_listing = config["data"].value("listing", std::string());
  }
  const JsonDocument environment = JsonDocument::Load((fs::path(run) / "env.json").string());
  facts.config_hash = environment.root().value("config_hash", std::string());

  const fs::path result_file = fs::path(run) / "result.json";
  if (!fs::exists(result_file)) return facts;
  const JsonDocument result = JsonDocument::Load(result_file.string());
  if (result.root().value("schema", std::string()) == "nas.search/1") {
    facts.metrics = MetricsOfSearch(result, facts.folder.filename().string());
  } else {
    AddAccuracy(result.root(), "trained from scratch or on, whole test set", &facts.metrics);
  }
  return facts;
}

}  // namespace nas::cli
