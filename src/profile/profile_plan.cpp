// SPDX-License-Identifier: Apache-2.0
#include "nas/profile/profile_plan.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <set>
#include <utility>

#include "block_design.h"
#include "nas/core/rng.h"
#include "nas/core/stats.h"
#include "nas/core/text.h"
#include "nas/latency/block_key.h"
#include "nas/space/op_catalogue.h"

namespace nas {
namespace {

enum Stream : std::uint64_t { kHeldOutStream = 101, kCalibrateStream, kContextStream };

constexpr double kMostTilt = 3;
constexpr int kTriesPerNet = 200;

struct Counts {
  int blocks = 0;
  int calibrate = 0;
  int held_out = 0;
};

Counts CountsOf(const std::string& plan) { return plan == "full" ? Counts{120, 25, 30} : Counts{48, 10, 5}; }

ProtocolOptions ProtocolOf(const PlanOptions& options) {
  ProtocolOptions protocol;
  const bool full = options.plan == "full";
  protocol.chain = !options.isolated;
  protocol.order_seed = options.seed;
  protocol.max_seconds = full ? 3 : 1;
  protocol.max_pause_seconds = full ? 120 : 15;
  protocol.deadline_seconds = full ? 1200 : 180;
  protocol.settle_seconds = full ? 3 : 1.5;
  protocol.revisit_seconds = full ? 480 : 75;
  return protocol;
}

std::vector<std::string> NonFree(const std::vector<std::string>& keys) {
  std::vector<std::string> paid;
  for (const std::string& key : keys) {
    if (!key.empty()) paid.push_back(key);
  }
  return paid;
}

// A network tilted towards dear or cheap candidates by a factor of its own, so that the networks cover the space's
// range of latencies as searched networks do, and not only the middle where uniform draws fall.
Choice TiltedChoice(const SearchSpace& space, CounterRng& rng) {
  const double tilt = kMostTilt * (2 * rng.Uniform() - 1);
  Choice choice;
  for (int e = 0; e < static_cast<int>(space.edges().size()); ++e) {
    const int n = space.edges()[e].size();
    double most = 1;
    for (int op = 0; op < n; ++op) most = std::max(most, static_cast<double>(space.macs(e, op).value));
    std::vector<double> weights;
    double sum = 0;
    for (int op = 0; op < n; ++op) {
      weights.push_back(std::exp(tilt * static_cast<double>(space.macs(e, op).value) / most));
      sum += weights.back();
    }
    double left = rng.Uniform() * sum;
    int op = 0;
    while (op + 1 < n && left >= weights[op]) left -= weights[op++];
    choice.push_back(op);
  }
  return choice;
}

// `count` networks with key lists that are not in `seen` yet; fewer when the space has no more.
std::vector<MeasureItem> DrawNets(const SearchSpace& space, const std::string& role, int count, std::uint64_t seed,
                                  std::uint64_t stream, std::set<std::vector<std::string>>& seen) {
  CounterRng rng(seed, stream);
  std::vector<MeasureItem> nets;
  for (int tries = 0; static_cast<int>(nets.size()) < count && tries < kTriesPerNet * count; ++tries) {
    const std::string number = std::to_string(100 + nets.size()).substr(1);
    MeasureItem item = NetItem(StrCat(space.name(), "-", role, "-", number), space.Build(TiltedChoice(space, rng)));
    if (seen.insert(item.keys).second) nets.push_back(std::move(item));
  }
  return nets;
}

// The cheapest network of the space: looking at it often costs little.
Architecture ReferenceNetwork(const SearchSpace& space) {
  Choice choice;
  for (int e = 0; e < static_cast<int>(space.edges().size()); ++e) {
    int best = 0;
    for (int op = 1; op < space.edges()[e].size(); ++op) {
      if (space.macs(e, op).value < space.macs(e, best).value) best = op;
    }
    choice.push_back(best);
  }
  return space.Build(choice);
}

// Bytes that one forward call of a network touches: its weights, and the maps of the block that needs most.
std::int64_t CallBytes(const MeasureItem& net, int batch) {
  double weights = 0, maps = 0;
  for (const std::string& text : net.keys) {
    const BlockKey key = ParseBlockKey(text);
    const double in = double{1} * key.h * key.h, out = double{1} * key.hout * key.hout;
    weights += BlockWeights(key);
    maps = std::max(maps, in * key.cin + out * key.cout + (HasExpand(key) ? in * key.mid : 0) + out * key.mid);
  }
  return static_cast<std::int64_t>(sizeof(float) * (weights + batch * maps));
}

// What comes between two calls of a block in a network that is called again and again: that network's other data.
std::int64_t RotateBytes(const std::vector<MeasureItem>& nets, int batch) {
  std::vector<double> bytes;
  for (const MeasureItem& net : nets) bytes.push_back(static_cast<double>(CallBytes(net, batch)));
  return static_cast<std::int64_t>(Median(bytes));
}

// Every distinct key of the space with the chain in which it first occurs, fixed pieces first.
class BlockCollector {
 public:
  BlockCollector(const SearchSpace& space, std::uint64_t seed) : rng_(seed, kContextStream) {
    for (std::size_t layer = 0; layer < space.base().layers.size(); ++layer) {
      if (!space.IsSearched(static_cast<int>(layer))) Add(space.Build(Surroundings(space)), layer);
    }
    for (std::size_t e = 0; e < space.edges().size(); ++e) {
      for (int op = 0; op < space.edges()[e].size(); ++op) {
        Choice choice = Surroundings(space);
        choice[e] = op;
        Add(space.Build(choice), static_cast<std::size_t>(space.edges()[e].layer));
      }
    }
  }

  std::vector<MeasureItem> items;

 private:
  // Neighbours that do something: any candidate but a skip.
  Choice Surroundings(const SearchSpace& space) {
    Choice choice;
    for (const Edge& edge : space.edges()) {
      int op = 0;
      do {
        op = static_cast<int>(rng_.Below(static_cast<std::uint64_t>(edge.size())));
      } while (op == edge.skip_op && edge.size() > 1);
      choice.push_back(op);
    }
    return choice;
  }

  void Add(const Architecture& architecture, std::size_t layer) {
    const std::vector<std::string> keys = LatencyKeys(architecture);
    const std::string& key = keys[layer];
    if (key.empty() || !seen_.insert(key).second) return;
    MeasureItem item;
    item.id = "block " + key;
    item.kind = MeasureItem::Kind::kBlock;
    item.resolution = architecture.resolution;
    for (std::size_t i = layer; i-- > 0;) {
      if (keys[i].empty()) continue;
      item.keys.push_back(keys[i]);
      break;
    }
    item.timed = static_cast<int>(item.keys.size());
    item.keys.push_back(key);
    for (std::size_t i = layer + 1; i < keys.size(); ++i) {
      if (keys[i].empty()) continue;
      item.keys.push_back(keys[i]);
      break;
    }
    items.push_back(std::move(item));
  }

  CounterRng rng_;
  std::set<std::string> seen_;
};

std::vector<MeasureItem> ChooseItems(const std::vector<MeasureItem>& all, int count) {
  std::vector<MeasureItem> chosen;
  std::vector<int> searched;
  std::vector<BlockKey> keys;
  for (int i = 0; i < static_cast<int>(all.size()); ++i) {
    const BlockKey key = ParseBlockKey(all[i].keys[all[i].timed]);
    if (key.op != BlockOp::kMbconv) {
      chosen.push_back(all[i]);
    } else {
      searched.push_back(i);
      keys.push_back(key);
    }
  }
  for (const int i : detail::ChooseBlocks(keys, count - static_cast<int>(chosen.size()))) {
    chosen.push_back(all[searched[i]]);
  }
  return chosen;
}

}  // namespace

std::vector<MeasureItem> ProfilePlan::Items() const {
  std::vector<MeasureItem> items = blocks;
  items.insert(items.end(), calibrate.begin(), calibrate.end());
  items.insert(items.end(), held_out.begin(), held_out.end());
  return items;
}

double ProfilePlan::expected_seconds() const {
  const auto items = static_cast<double>(blocks.size() + calibrate.size() + held_out.size());
  const double each = protocol.warmup_min_seconds + protocol.min_seconds + 0.1;
  return protocol.settle_seconds + items * each + (items / protocol.reference_every + 2) * protocol.reference_seconds;
}

ProfilePlan MakePlan(const SearchSpace& space, const PlanOptions& options) {
  ProfilePlan plan;
  plan.name = options.plan;
  plan.protocol = ProtocolOf(options);
  const Counts counts = CountsOf(options.plan);
  std::set<std::vector<std::string>> seen;
  plan.reference = NetItem(space.name() + "-reference", ReferenceNetwork(space));
  seen.insert(plan.reference.keys);
  plan.held_out = DrawNets(space, "held-out", options.held_out > 0 ? options.held_out : counts.held_out, options.seed,
                           kHeldOutStream, seen);
  plan.calibrate = DrawNets(space, "calibrate", counts.calibrate - 1, options.seed, kCalibrateStream, seen);
  plan.calibrate.insert(plan.calibrate.begin(), plan.reference);
  const std::vector<MeasureItem> all = BlockCollector(space, options.seed).items;
  plan.space_keys = static_cast<int>(all.size());
  plan.blocks = ChooseItems(all, counts.blocks);
  plan.protocol.rotate_bytes = RotateBytes(plan.calibrate, options.batch);
  return plan;
}

MeasureItem NetItem(const std::string& name, const Architecture& architecture) {
  MeasureItem item = NetItem(name, NonFree(LatencyKeys(architecture)), architecture.resolution);
  item.network = architecture;
  return item;
}

MeasureItem NetItem(const std::string& name, const std::vector<std::string>& keys, int resolution) {
  MeasureItem item;
  item.id = "net " + name;
  item.kind = MeasureItem::Kind::kNet;
  item.keys = keys;
  item.resolution = resolution;
  return item;
}

std::string NetName(const MeasureItem& item) { return item.id.substr(std::string("net ").size()); }

MeasureProtocol StoredProtocol(const ProtocolOptions& options) {
  MeasureProtocol stored;
  stored.mode = options.chain ? "chain" : "isolated";
  stored.min_runs = options.min_runs;
  stored.min_seconds = options.min_seconds;
  stored.ci_half_width = options.ci_half_width;
  stored.max_runs = options.max_runs;
  stored.max_seconds = options.max_seconds;
  stored.warmup = StrCat("two windows of ", options.window, " within ", Fixed(100 * options.warmup_agreement, 0), "%");
  stored.order_seed = static_cast<std::int64_t>(options.order_seed);
  stored.reference_every = options.reference_every;
  return stored;
}

}  // namespace nas
