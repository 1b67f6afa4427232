// SPDX-License-Identifier: Apache-2.0
#include "nas/profile/local_table.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <optional>
#include <set>

#include "measure_items.h"
#include "nas/core/clock.h"
#include "nas/core/error.h"
#include "nas/core/files.h"
#include "nas/core/log.h"
#include "nas/core/text.h"
#include "nas/device/item_meter.h"
#include "table_builder.h"

namespace nas {
namespace {

namespace fs = std::filesystem;

constexpr double kReferenceDrift = 0.03;  // §6: beyond it a cached table is measured anew

std::unique_ptr<Engine> Open(const LocalTableOptions& options, const ProfileHooks& hooks) {
  EngineOptions engine;
  engine.threads = options.threads;
  engine.batch = options.batch;
  engine.device = options.device;
  engine.seed = options.seed;
  engine.agent = hooks.agent;
  return detail::OpenEngine(hooks, options.engine, engine);
}

ProfilePlan QuickPlan(const SearchSpace& space, std::uint64_t seed, int batch) {
  PlanOptions options;
  options.seed = seed;
  options.batch = batch;
  ProfilePlan plan = MakePlan(space, options);
  plan.protocol.allow_noisy = true;
  return plan;
}

// Items of the plan that the table has no row of.
std::vector<MeasureItem> MissingItems(const LatencyTable& table, const ProfilePlan& plan) {
  std::set<std::string> keys;
  std::set<std::vector<std::string>> nets;
  for (const LatencyRow& row : table.rows) keys.insert(row.key);
  for (const LatencyNet& net : table.nets) nets.insert(net.keys);
  std::vector<MeasureItem> missing;
  for (const MeasureItem& item : plan.Items()) {
    const bool block = item.kind == MeasureItem::Kind::kBlock;
    if (block ? !keys.contains(item.keys[item.timed]) : !nets.contains(item.keys)) missing.push_back(item);
  }
  return missing;
}

void Scale(ItemResult& result, double factor) {
  for (double* ms : {&result.min, &result.p10, &result.p25, &result.median, &result.p75, &result.p90, &result.p99,
                     &result.mean, &result.std, &result.mad, &result.ci[0], &result.ci[1]}) {
    *ms *= factor;
  }
}

// The reference network of a table, timed now, and how its speed compares with the table's.
class ReferenceLook {
 public:
  ReferenceLook(Engine& engine, const LatencyNet& stored, const ProtocolOptions& protocol)
      : engine_(engine),
        protocol_(protocol),
        prepared_(engine.Prepare(NetItem(stored.name, stored.keys, stored.resolution), LayoutFor(engine, protocol))),
        gauge_(engine, *prepared_, protocol_) {
    gauge_.Settle(protocol_.settle_seconds);
    ratio_ = InProportion(ItemMeter(engine_, protocol_, &gauge_).Measure(stored.name, *prepared_)).median /
             stored.stats.Value();
  }

  /// Time of the reference now over its time in the table.
  double ratio() const { return ratio_; }

  /// Times an item at the quiet speed of now.
  ItemResult Measure(const MeasureItem& item) {
    const auto prepared = engine_.Prepare(item, LayoutFor(engine_, protocol_));
    return InProportion(ItemMeter(engine_, protocol_, &gauge_).Measure(item.id, *prepared));
  }

 private:
  // Divided by what the reference took beside the item over its quiet level, as the rows of a table are.
  ItemResult InProportion(ItemResult result) const {
    if (result.reference_ms > 0) Scale(result, gauge_.level() / result.reference_ms);
    return result;
  }

  Engine& engine_;
  ProtocolOptions protocol_;
  std::unique_ptr<PreparedItem> prepared_;
  QuietGauge gauge_;
  double ratio_ = 1;
};

void CheckNotStopped(const MeasuringReport& report) {
  if (report.stopped)
    throw Error(ErrorKind::kInterrupted, "stopped while this machine was being measured; nothing is kept");
}

LatencyTable ProfileNow(Engine& engine, const SearchSpace& space, const ProfilePlan& plan, const ProfileHooks& hooks) {
  LogInfo(StrCat("measuring this machine for ", space.name(), ": ", plan.Items().size(), " items, about ",
                 Fixed(plan.expected_seconds() / 60, 0), " min"));
  LatencyTable table = detail::NewTable(
      engine,
      StrCat("local-", detail::ReadIdentity(engine).engine, "-", DeviceId(detail::ReadIdentity(engine)).substr(0, 8)),
      plan, space);
  std::map<std::string, ItemResult> results;
  const std::string start = NowIso8601();
  const MeasuringReport report =
      detail::MeasureItems(engine, plan.protocol, plan.reference, plan.Items(), hooks, results, nullptr);
  if (hooks.progress != nullptr) hooks.progress->Finish();
  CheckNotStopped(report);
  detail::AddRun(table, plan, results, report, /*run=*/1, start);
  const std::string missing = detail::MissingForFit(table, plan);
  if (!missing.empty()) {
    throw Error(ErrorKind::kUnavailable, StrCat("this machine is too slow or too busy for a profile in ",
                                                Fixed(plan.protocol.deadline_seconds, 0), " s: ", missing,
                                                "; end other programs, or run nas profile-device --full"));
  }
  if (!report.too_noisy.empty())
    LogWarning(StrCat("this machine is noisy (", report.too_noisy, "): intervals are wider"));
  detail::FitAndCertify(table, !report.too_noisy.empty());
  return table;
}

// Measures what the plan has and the table lacks. False when the machine is no longer as fast as the table says.
bool AddMissing(Engine& engine, LatencyTable& table, const ProfilePlan& plan, const std::vector<MeasureItem>& missing,
                const ProfileHooks& hooks) {
  const LatencyNet* stored = detail::FindReference(table, "");
  if (stored == nullptr) return false;
  const MeasureItem reference = NetItem(stored->name, stored->keys, stored->resolution);
  const double ratio = ReferenceLook(engine, *stored, plan.protocol).ratio();
  if (std::abs(ratio - 1) > kReferenceDrift) {
    LogInfo(StrCat("this machine runs at ", Fixed(100 / ratio, 0), " % of the speed of its cached profile"));
    return false;
  }
  int run = 1;
  for (const MeasureRun& earlier : table.runs) run = std::max(run, earlier.run + 1);
  LogInfo(StrCat("measuring ", missing.size(), " items that the profile of this machine lacks"));
  std::map<std::string, ItemResult> results;
  const std::string start = NowIso8601();
  const MeasuringReport report =
      detail::MeasureItems(engine, plan.protocol, reference, missing, hooks, results, nullptr);
  if (hooks.progress != nullptr) hooks.progress->Finish();
  CheckNotStopped(report);
  detail::AddRun(table, plan, results, report, run, start);
  if (!detail::MissingForFit(table, plan).empty()) return false;
  if (!report.too_noisy.empty())
    LogWarning(StrCat("this machine is noisy (", report.too_noisy, "): intervals are wider"));
  detail::FitAndCertify(table, !report.too_noisy.empty());
  return true;
}

std::optional<LatencyTable> LoadCached(const std::string& path, const std::string& id) {
  if (!fs::exists(path)) return std::nullopt;
  try {
    LatencyTable table = LoadTable(path);
    if (table.id() == id) return table;
    LogWarning(StrCat(path, " is the profile of another device; measuring anew"));
  } catch (const Error& error) {
    LogWarning(StrCat(error.what(), "; measuring anew"));
  }
  return std::nullopt;
}

}  // namespace

std::string LocalTablePath(const std::string& cache_dir, const std::string& id) {
  return (fs::path(cache_dir) / "latency" / (id + ".json")).string();
}

LatencyTable GetLocalTable(const SearchSpace& space, const std::string& cache_dir, const LocalTableOptions& options,
                           const ProfileHooks& hooks) {
  const std::unique_ptr<Engine> engine = Open(options, hooks);
  const std::string id = DeviceId(detail::ReadIdentity(*engine));
  const std::string path = LocalTablePath(cache_dir, id);
  MakeDirectory(fs::path(path).parent_path());
  const FileLock lock(path + ".lock");
  std::optional<LatencyTable> cached = LoadCached(path, id);
  if (options.no_profile) {
    if (cached) return *cached;
    throw Error(ErrorKind::kUnavailable, StrCat("this machine has no profile yet (", path,
                                                "); leave --no-profile out, or name a table by --target"));
  }
  const ProfilePlan plan = QuickPlan(space, options.seed, options.batch);
  if (cached) {
    const std::vector<MeasureItem> missing = MissingItems(*cached, plan);
    if (missing.empty()) return *cached;
    if (AddMissing(*engine, *cached, plan, missing, hooks)) {
      SaveTable(*cached, path);
      return *cached;
    }
  }
  const LatencyTable table = ProfileNow(*engine, space, plan, hooks);
  SaveTable(table, path);
  return table;
}

bool IsLocalTable(const LatencyTable& table, const LocalTableOptions& options, const ProfileHooks& hooks,
                  std::string* why) {
  const auto differences = CompareIdentities(detail::ReadIdentity(*Open(options, hooks)), table.identity);
  if (why != nullptr) *why = ToString(differences);
  return differences.empty();
}

ItemResult MeasureNetwork(const Architecture& architecture, const LatencyTable& table, const LocalTableOptions& options,
                          const ProfileHooks& hooks) {
  const std::unique_ptr<Engine> engine = Open(options, hooks);
  const MeasureItem item = NetItem(architecture.name.empty() ? "network" : architecture.name, architecture);
  ProtocolOptions protocol;
  protocol.max_seconds = 5;
  protocol.order_seed = options.seed;
  const LatencyNet* stored = detail::FindReference(table, architecture.space);
  if (stored == nullptr) {
    const auto prepared = engine->Prepare(item, LayoutFor(*engine, protocol));
    return ItemMeter(*engine, protocol, nullptr).Measure(item.id, *prepared);
  }
  ReferenceLook look(*engine, *stored, protocol);
  ItemResult result = look.Measure(item);
  Scale(result, 1 / look.ratio());
  return result;
}

}  // namespace nas
