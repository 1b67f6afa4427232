// SPDX-License-Identifier: Apache-2.0
#include "graph_engine.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <optional>
#include <thread>
#include <utility>

#include "nas/core/error.h"
#include "nas/core/machine.h"
#include "nas/core/rng.h"
#include "nas/core/text.h"
#include "nas/core/version.h"
#include "nas/device/interruptions.h"
#include "nas/device/measuring_run.h"

namespace nas::agent {
namespace {

std::vector<BlockKey> Parse(const std::vector<std::string>& keys) {
  std::vector<BlockKey> parsed;
  for (const std::string& key : keys) parsed.push_back(ParseBlockKey(key));
  return parsed;
}

std::shared_ptr<MapBuffer> BufferFor(const MapShape& map, int batch) {
  return std::make_shared<MapBuffer>(batch * map.elements());
}

// A whole network, called again and again as an application would.
class NetRunner final : public PreparedItem {
 public:
  NetRunner(const Backend& backend, const MeasureItem& item, const RunLayout& layout, const EngineOptions& options) {
    const Graph graph = BuildGraph(Parse(item.keys), options.batch, layout.seed);
    const auto input = BufferFor(graph.input(), options.batch);
    FillRandom(*input, layout.seed);
    runner_ = backend.make(graph, input, BufferFor(graph.output(), options.batch), options.threads);
  }

  double Run(int calls) override {
    double total = 0;
    for (int i = 0; i < calls; ++i) {
      total += TimeUninterrupted([&] {
        const double start = SteadyMs();
        runner_->Run();
        return SteadyMs() - start;
      });
    }
    return total / calls;
  }

 private:
  std::unique_ptr<GraphRunner> runner_;
};

// The blocks before, the timed block and the blocks behind it, from one buffer into the next.
struct Chain {
  std::unique_ptr<GraphRunner> before, timed, behind;
};

// A block between its neighbours. Copies of the chain take turns, so that a copy's weights and maps come round behind
// as much other data as in a network. The producer leaves the block's input where a network would leave it.
class BlockRunner final : public PreparedItem {
 public:
  BlockRunner(const Backend& backend, const MeasureItem& item, const RunLayout& layout, const EngineOptions& options) {
    const std::vector<BlockKey> keys = Parse(item.keys);
    const auto at = keys.begin() + item.timed;
    const auto graph = [&](auto first, auto last) -> std::optional<Graph> {
      if (first == last || (!layout.chain && first != at)) return std::nullopt;
      return BuildGraph({first, last}, options.batch, layout.seed);
    };
    const std::optional<Graph> before = graph(keys.begin(), at), behind = graph(at + 1, keys.end());
    const Graph timed = BuildGraph({*at}, options.batch, layout.seed);
    const MapShape first = before ? before->input() : timed.input();
    std::int64_t footprint = timed.call_bytes();
    for (const auto* part : {&before, &behind}) {
      if (*part) footprint += (*part)->call_bytes();
    }
    const int copies = layout.chain ? CopiesFor(layout, footprint) : 1;
    for (int i = 0; i < copies; ++i) {
      Chain chain;
      auto map = BufferFor(first, options.batch);
      FillRandom(*map, MixSeed(layout.seed, static_cast<std::uint64_t>(i)));
      const auto add = [&](const Graph& part) {
        const auto input = std::exchange(map, BufferFor(part.output(), options.batch));
        return backend.make(part, input, map, options.threads);
      };
      if (before) chain.before = add(*before);
      chain.timed = add(timed);
      if (behind) chain.behind = add(*behind);
      chains_.push_back(std::move(chain));
    }
  }

  double Run(int calls) override {
    double total = 0;
    for (int i = 0; i < calls; ++i) {
      total += TimeUninterrupted([&] { return RunOnce(); });
    }
    return total / calls;
  }

 private:
  double RunOnce() {
    turn_ = (turn_ + 1) % chains_.size();
    Chain& chain = chains_[turn_];
    if (chain.before) chain.before->Run();
    const double start = SteadyMs();
    chain.timed->Run();
    const double ms = SteadyMs() - start;
    if (chain.behind) chain.behind->Run();
    return ms;
  }

  std::vector<Chain> chains_;
  std::size_t turn_ = 0;
};

}  // namespace

GraphEngine::GraphEngine(Backend backend, const EngineOptions& options, std::string hash)
    : backend_(std::move(backend)),
      options_(options),
      hash_(std::move(hash)),
      mask_(options.cores.empty() ? FastestCluster() : ParseCoreMask(options.cores)),
      pin_(mask_),
      facts_(ProbeDevice(mask_)) {
  if (options.threads > backend_.most_threads) {
    ThrowUsage(StrCat("--threads ", options.threads, ": the engine ", backend_.name, " runs on ", backend_.most_threads,
                      " thread"));
  }
}

Json GraphEngine::Identity() const {
  std::vector<std::string> build = facts_.machine.features;
  build.push_back(StrCat("nas ", kVersion));
  const std::string vendor = facts_.machine.cpu_vendor, os = facts_.machine.os;
  return Json{{"class", "cpu"},
              {"vendor", vendor.empty() ? "unknown" : vendor},
              {"model", facts_.model},
              {"soc", facts_.soc},
              {"cores", facts_.cores},
              {"core_mask", ToString(mask_)},
              {"threads", options_.threads},
              {"precision", "fp32"},
              {"batch", options_.batch},
              {"os", os.empty() ? "unknown" : os},
              {"engine", backend_.name},
              {"engine_version", backend_.version},
              {"engine_build", Join(build, ",")},
              {"delegate", ""}};
}

Json GraphEngine::Recorded() const {
  return Json{{"kernel", facts_.machine.kernel},
              {"governor", facts_.machine.governor},
              {"power", facts_.power},
              {"driver", ""},
              {"agent_hash", hash_},
              {"emulated", facts_.emulated}};
}

std::int64_t GraphEngine::CacheBytes() const {
  const long level3 = sysconf(_SC_LEVEL3_CACHE_SIZE);
  return level3 > 0 ? level3 : std::max(0L, sysconf(_SC_LEVEL2_CACHE_SIZE));
}

std::unique_ptr<PreparedItem> GraphEngine::Prepare(const MeasureItem& item, const RunLayout& layout) {
  try {
    if (item.kind == MeasureItem::Kind::kNet) return std::make_unique<NetRunner>(backend_, item, layout, options_);
    return std::make_unique<BlockRunner>(backend_, item, layout, options_);
  } catch (const std::bad_alloc&) {
    ThrowInput(StrCat("not enough memory on the device for ", item.id));
  }
}

void GraphEngine::Sleep(double seconds) { std::this_thread::sleep_for(std::chrono::duration<double>(seconds)); }
double GraphEngine::Temperature() const { return CpuTemperature(); }
double GraphEngine::Megahertz() const { return CpuMegahertz(CoreIndices(mask_).front()); }

}  // namespace nas::agent
