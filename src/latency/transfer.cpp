// SPDX-License-Identifier: Apache-2.0
#include "nas/latency/transfer.h"

#include <algorithm>
#include <cmath>

#include "block_fit.h"
#include "merged_rows.h"
#include "nas/core/error.h"
#include "nas/core/stats.h"
#include "nas/core/text.h"
#include "nas/latency/features.h"
#include "nas/latency/hull.h"
#include "transfer_level.h"

namespace nas {
namespace {

constexpr double kLevelGain = 0.95;       // a higher level must lower the leave-one-out error by 5 %
constexpr double kUnknownLooSigma = 0.3;  // a single item says nothing about the error
constexpr TransferLevel kLevels[] = {TransferLevel::kScale, TransferLevel::kAffine, TransferLevel::kPrior,
                                     TransferLevel::kRidge, TransferLevel::kScratch};

struct Judged {
  TransferLevel level = TransferLevel::kScale;
  size_t source = 0;  ///< the one that gives s
  double mape = 0;    ///< leave-one-out, percent
  double rms = 0;     ///< leave-one-out, of ln t
};

double LogErrorsToMape(const std::vector<double>& errors) {
  double sum = 0;
  for (double e : errors) sum += 100 * std::abs(std::expm1(e)) / static_cast<double>(errors.size());
  return sum;
}

double LogErrorsToRms(const std::vector<double>& errors) {
  double sum = 0;
  for (double e : errors) sum += e * e / static_cast<double>(errors.size());
  return std::sqrt(sum);
}

TransferItems MakeItems(const std::vector<BlockSample>& blocks, const std::vector<TransferSource>& sources) {
  TransferItems items;
  items.blocks = blocks;
  items.source_ms.resize(blocks.size());
  for (const auto& source : sources) {
    const MbconvPredictor predictor(source.model);
    for (size_t i = 0; i < blocks.size(); ++i) items.source_ms[i].push_back(predictor.PredictMs(blocks[i].key));
  }
  return items;
}

/// `sources` with number `first` in front.
std::vector<TransferSource> InFront(std::vector<TransferSource> sources, size_t first) {
  std::rotate(sources.begin(), sources.begin() + static_cast<std::ptrdiff_t>(first),
              sources.begin() + static_cast<std::ptrdiff_t>(first) + 1);
  return sources;
}

/// Leave-one-out error of every allowed level; of each level the source that does best with it.
std::vector<Judged> JudgeLevels(const std::vector<BlockSample>& blocks, const std::vector<TransferSource>& sources,
                                const FitOptions& options) {
  std::vector<std::vector<TransferSource>> orders;
  std::vector<TransferItems> items;
  for (size_t s = 0; s < sources.size(); ++s) {
    orders.push_back(InFront(sources, s));
    items.push_back(MakeItems(blocks, orders.back()));
  }
  std::vector<Judged> judged;
  for (TransferLevel level : kLevels) {
    if (static_cast<int>(blocks.size()) < LeastItems(level)) continue;
    const size_t tried = level == TransferLevel::kScratch ? 1 : sources.size();
    for (size_t s = 0; s < tried; ++s) {
      const std::vector<double> errors = LeaveOneOutErrors(level, items[s], orders[s], options);
      const Judged one{level, s, LogErrorsToMape(errors), LogErrorsToRms(errors)};
      if (s == 0) {
        judged.push_back(one);
      } else if (one.mape < judged.back().mape) {
        judged.back() = one;
      }
    }
  }
  return judged;
}

Judged ChooseLevel(const std::vector<Judged>& judged, std::optional<TransferLevel> forced, size_t items) {
  if (forced) {
    for (const auto& one : judged) {
      if (one.level == *forced) return one;
    }
    ThrowInput(StrCat("level ", ToString(*forced), " needs at least ", LeastItems(*forced),
                      " measured blocks, but there are ", items, "; measure more, or choose a lower level"));
  }
  Judged best = judged.front();
  for (const auto& one : judged) {
    if (one.mape <= kLevelGain * best.mape) best = one;
  }
  return best;
}

/// Heads from the new device's own rows; pieces without one come from the source by the factor of the blocks.
void TransferHeads(const std::vector<BlockSample>& all, const ModelParams& source, double factor, bool gpu,
                   ModelParams* model) {
  model->head = FitHeads(all, gpu);
  for (auto& own : model->head) {
    const std::string& op = own.first;
    HeadParams& head = own.second;
    if (head.rows > 0) continue;
    const auto known =
        std::find_if(source.head.begin(), source.head.end(), [&](const auto& h) { return h.first == op; });
    if (known == source.head.end() || known->second.rows == 0) continue;
    head = known->second;
    for (double& w : head.w) w *= factor;
    head.rows = 1;  // scaled: its interval says so
  }
}

SampledHull UnionHull(const SampledHull& a, const SampledHull& b) {
  const auto join = [](const SampledHull::Range& x, const SampledHull::Range& y) -> SampledHull::Range {
    if (!x) return y;
    if (!y) return x;
    return std::array<double, 2>{std::min((*x)[0], (*y)[0]), std::max((*x)[1], (*y)[1])};
  };
  const auto merge = [](auto x, const auto& y) {
    x.insert(x.end(), y.begin(), y.end());
    std::sort(x.begin(), x.end());
    x.erase(std::unique(x.begin(), x.end()), x.end());
    return x;
  };
  SampledHull hull;
  hull.h = join(a.h, b.h);
  hull.cin = join(a.cin, b.cin);
  hull.cout = join(a.cout, b.cout);
  hull.mid = join(a.mid, b.mid);
  hull.resolution = join(a.resolution, b.resolution);
  hull.k_s = merge(a.k_s, b.k_s);
  hull.se_act = merge(a.se_act, b.se_act);
  hull.ops = merge(a.ops, b.ops);
  return hull;
}

int CountOutside(const std::vector<BlockSample>& blocks, const SampledHull& hull) {
  return static_cast<int>(std::count_if(blocks.begin(), blocks.end(), [&](const BlockSample& block) {
    return !JudgeExtrapolation(hull, block.key, 0).reasons.empty();
  }));
}

double MedianFactor(const TransferItems& items) {
  std::vector<double> ratios;
  for (size_t i = 0; i < items.blocks.size(); ++i) ratios.push_back(items.blocks[i].ms / items.source_ms[i][0]);
  return Median(ratios);
}

std::string CheckIdentities(const LatencyTable& items, const std::vector<LatencyTable>& sources, bool force,
                            std::vector<std::string>* warnings) {
  std::string forced;
  for (const auto& source : sources) {
    if (!source.model) ThrowInput(StrCat("table \"", source.name, "\" has no model yet; run: nas predictor fit"));
    const std::string obstacles = TransferObstacles(items.identity, source, warnings);
    if (obstacles.empty()) continue;
    if (!force) {
      ThrowInput(StrCat("table \"", source.name, "\" is not comparable with the new device: ", obstacles,
                        "; choose another source, or --force to transfer all the same"));
    }
    forced += StrCat(forced.empty() ? "" : "; ", source.name, ": ", obstacles);
  }
  return forced;
}

}  // namespace

std::string_view ToString(TransferLevel level) {
  switch (level) {
    case TransferLevel::kScale:
      return "scale";
    case TransferLevel::kAffine:
      return "affine";
    case TransferLevel::kPrior:
      return "prior";
    case TransferLevel::kRidge:
      return "ridge";
    case TransferLevel::kScratch:
      return "scratch";
  }
  return "";
}

TransferLevel ParseTransferLevel(std::string_view word) {
  std::vector<std::string> names;
  for (TransferLevel level : kLevels) {
    if (word == ToString(level)) return level;
    names.emplace_back(ToString(level));
  }
  ThrowUsage(StrCat("unknown transfer level \"", word, "\"", DidYouMean(word, names)));
}

int LeastItems(TransferLevel level) {
  constexpr int kLeast[] = {1, 5, 8, 10, 20};
  return kLeast[static_cast<int>(level)];
}

std::string TransferObstacles(const DeviceIdentity& items, const LatencyTable& source,
                              std::vector<std::string>* warnings) {
  static const std::vector<std::string> decisive = {"class",  "precision", "threads", "core_mask",
                                                    "engine", "delegate",  "batch"};
  const bool same_chip = items.soc == source.identity.soc && items.model == source.identity.model;
  std::vector<IdentityDifference> obstacles;
  std::vector<std::string> unknown;
  for (const auto& difference : CompareIdentities(items, source.identity)) {
    if (std::find(decisive.begin(), decisive.end(), difference.field) == decisive.end()) continue;
    if (difference.unknown) {
      unknown.push_back(difference.field);
    } else if (difference.field != "core_mask" || same_chip) {  // masks name clusters of one chip only
      obstacles.push_back(difference);
    }
  }
  // "unknown" on both sides is no difference, and no knowledge either.
  if (items.threads == 0 && source.identity.threads == 0) unknown.push_back("threads");
  if (items.precision == "unknown" && source.identity.precision == "unknown") unknown.push_back("precision");
  if (!unknown.empty()) {
    warnings->push_back(StrCat("source \"", source.name, "\": not known to agree: ", Join(unknown, ", ")));
  }
  return obstacles.empty() ? "" : ToString(obstacles);
}

TransferResult Transfer(const LatencyTable& items, const std::vector<LatencyTable>& sources,
                        const TransferOptions& options) {
  if (sources.empty()) ThrowUsage("a transfer needs at least one source table: --from NAME");
  TransferResult result;
  result.record.forced = CheckIdentities(items, sources, options.force, &result.warnings);
  std::vector<BlockSample> all, blocks;
  std::vector<BlockKey> keys;
  for (const auto& row : MergeRuns(items.rows, ModelParams{}.sigma_run)) {
    all.push_back(row.sample);
    keys.push_back(row.sample.key);
    if (row.sample.key.op == BlockOp::kMbconv) blocks.push_back(row.sample);
  }
  if (blocks.empty())
    ThrowInput(StrCat("table \"", items.name, "\" has no mbconv rows to learn from; measure some blocks"));
  std::vector<TransferSource> models;
  for (const auto& source : sources) models.push_back({source.name, *source.model});

  const std::vector<Judged> judged = JudgeLevels(blocks, models, options.fit);
  const Judged chosen = ChooseLevel(judged, options.level, blocks.size());
  const std::vector<TransferSource> ordered = InFront(models, chosen.source);
  const TransferItems transfer_items = MakeItems(blocks, ordered);
  ModelParams model = FitLevel(chosen.level, transfer_items, ordered, options.fit);
  AttachSources(ordered, &model);
  model.sigma_model = blocks.size() < 2 ? kUnknownLooSigma : std::max(chosen.rms, 1e-6);
  TransferHeads(all, ordered[0].model, MedianFactor(transfer_items), items.identity.is_gpu(), &model);
  const SampledHull own = BuildHull(keys, {});
  model.hull = chosen.level == TransferLevel::kScratch ? own : UnionHull(own, ordered[0].model.hull);

  TransferRecord& record = result.record;
  record.level = ToString(chosen.level);
  record.items = static_cast<int>(blocks.size());
  record.outside_hull = CountOutside(blocks, ordered[0].model.hull);
  const size_t used = chosen.level == TransferLevel::kRidge     ? ordered.size()
                      : chosen.level == TransferLevel::kScratch ? 0
                                                                : 1;
  for (size_t i = 0; i < used; ++i) record.source_tables.push_back(ordered[i].name);
  for (const auto& one : judged) record.loo_mape.emplace_back(std::string(ToString(one.level)), one.mape);
  if (record.outside_hull > 0) {
    result.warnings.push_back(StrCat(record.outside_hull, " of ", blocks.size(), " items lie outside what \"",
                                     ordered[0].name, "\" has sampled: its word on them is an extrapolation"));
  }
  result.table = items;
  result.table.model = std::move(model);
  result.table.calibration = Calibration{};
  Certificate certificate;
  certificate.tool = ToolVersion();
  certificate.transfer = record;
  result.table.certificate = certificate;
  CalibrateTable(result.table);
  return result;
}

}  // namespace nas
