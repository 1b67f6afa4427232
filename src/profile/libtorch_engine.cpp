// SPDX-License-Identifier: Apache-2.0
#include "libtorch_engine.h"

#include <unistd.h>

#include <ATen/ATen.h>
#include <ATen/Version.h>
#include <c10/core/InferenceMode.h>
#include <torch/version.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>
#include <utility>
#include <vector>

#include "key_layers.h"
#include "nas/core/error.h"
#include "nas/core/machine.h"
#include "nas/core/rng.h"
#include "nas/core/text.h"
#include "nas/device/interruptions.h"
#include "nas/device/local_identity.h"
#include "nas/device/measuring_run.h"
#include "nas/latency/block_key.h"
#include "nas/latency/latency_table.h"
#include "nas/nn/network.h"
#include "nas/space/architecture.h"

namespace nas::detail {
namespace {

// Uniform in (−1, 1): neither zeros nor denormals, which processors treat differently.
at::Tensor RandomMap(int batch, int channels, int side, std::uint64_t seed) {
  at::Tensor map = at::empty({batch, channels, side, side}, at::kFloat);
  CounterRng rng(seed);
  float* values = map.data_ptr<float>();
  for (std::int64_t i = 0; i < map.numel(); ++i) values[i] = static_cast<float>(2 * rng.Uniform() - 1);
  return map.contiguous(at::MemoryFormat::ChannelsLast);
}

std::int64_t TensorBytes(const Network& network) {
  std::int64_t bytes = 0;
  for (const auto& [name, tensor] : network.NamedTensors()) {
    bytes += tensor.numel() * static_cast<std::int64_t>(tensor.element_size());
  }
  return bytes;
}

Architecture NetworkOfKeys(const std::vector<std::string>& keys, int resolution) {
  Architecture architecture;
  architecture.resolution = resolution;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const std::vector<Layer> layers = LayersOfKey(ParseBlockKey(keys[i]), StrCat("blocks.", i));
    architecture.layers.insert(architecture.layers.end(), layers.begin(), layers.end());
  }
  return architecture;
}

// A whole network, called again and again as an application would.
class NetItemRunner final : public PreparedItem {
 public:
  NetItemRunner(const MeasureItem& item, const RunLayout& layout, int batch)
      : network_(
            Network(item.network ? *item.network : NetworkOfKeys(item.keys, item.resolution), layout.seed).Folded()),
        images_(RandomMap(batch, 3, network_.architecture().resolution, layout.seed)) {}

  double Run(int calls) override {
    const c10::InferenceMode guard;
    double total = 0;
    for (int i = 0; i < calls; ++i) {
      total += TimeUninterrupted([&] {
        const double start = SteadyMs();
        network_.Forward(images_, BnMode::kEval);
        return SteadyMs() - start;
      });
    }
    return total / calls;
  }

 private:
  Network network_;
  at::Tensor images_;
};

// A block between its neighbours. Copies of the chain take turns, so that a copy's weights and input come round behind
// as much other data as in a network. The producer leaves the block's input where a network would leave it.
class BlockItemRunner final : public PreparedItem {
 public:
  BlockItemRunner(const MeasureItem& item, const RunLayout& layout, int batch) {
    const Architecture chain = MakeChain(item, layout.chain);
    Network first = Network(chain, layout.seed).Folded();
    const BlockKey head = ParseBlockKey(item.keys[layout.chain ? 0 : item.timed]);
    const std::int64_t input_bytes = std::int64_t{4} * batch * head.h * head.h * head.cin;
    const std::int64_t footprint = TensorBytes(first) + input_bytes;
    const int copies = layout.chain ? CopiesFor(layout, footprint) : 1;
    for (int i = 1; i < copies; ++i) chains_.push_back(first.Folded());
    chains_.push_back(std::move(first));
    const c10::InferenceMode guard;
    for (int i = 0; i < copies; ++i) {
      inputs_.push_back(RandomMap(batch, head.cin, head.h, MixSeed(layout.seed, static_cast<std::uint64_t>(i))));
    }
  }

  double Run(int calls) override {
    const c10::InferenceMode guard;
    double total = 0;
    for (int i = 0; i < calls; ++i) {
      total += TimeUninterrupted([&] { return RunOnce(); });
    }
    return total / calls;
  }

 private:
  // [adapter to the channels of the first key, layers of all keys]; the adapter makes the network legal and never runs.
  Architecture MakeChain(const MeasureItem& item, bool with_neighbours) {
    const std::size_t first_key = with_neighbours ? 0 : static_cast<std::size_t>(item.timed);
    const std::size_t end_key = with_neighbours ? item.keys.size() : first_key + 1;
    const BlockKey head = ParseBlockKey(item.keys[first_key]);
    Architecture chain;
    chain.resolution = head.h;
    Layer adapter;
    adapter.name = "adapter";
    adapter.op = "conv";
    adapter.in_channels = 3;
    adapter.out_channels = head.cin;
    chain.layers.push_back(adapter);
    for (std::size_t i = first_key; i < end_key; ++i) {
      const std::vector<Layer> layers = LayersOfKey(ParseBlockKey(item.keys[i]), StrCat("blocks.", i));
      if (static_cast<int>(i) == item.timed) first_ = static_cast<int>(chain.layers.size());
      chain.layers.insert(chain.layers.end(), layers.begin(), layers.end());
      if (static_cast<int>(i) == item.timed) last_ = static_cast<int>(chain.layers.size());
    }
    end_ = static_cast<int>(chain.layers.size());
    return chain;
  }

  double RunOnce() {
    const std::size_t copies = chains_.size();
    turn_ = (turn_ + 1) % copies;
    Network& chain = chains_[turn_];
    const at::Tensor input = chain.ForwardLayers(inputs_[turn_], 1, first_, BnMode::kEval);
    const double start = SteadyMs();
    const at::Tensor output = chain.ForwardLayers(input, first_, last_, BnMode::kEval);
    const double ms = SteadyMs() - start;
    chain.ForwardLayers(output, last_, end_, BnMode::kEval);
    return ms;
  }

  std::vector<Network> chains_;
  std::vector<at::Tensor> inputs_;
  std::size_t turn_ = 0;
  int first_ = 0, last_ = 0, end_ = 0;  // layers of the block, and the end of the chain
};

std::string PowerSource() {
  std::ifstream file("/sys/class/power_supply/AC/online");
  char online = '?';
  if (!(file >> online)) return "unknown";
  return online == '1' ? "mains" : "battery";
}

CoreMask MaskFor(const EngineOptions& options) {
  return options.cores.empty() ? FastestCluster() : ParseCoreMask(options.cores);
}

}  // namespace

LibTorchEngine::LibTorchEngine(const EngineOptions& options)
    : options_(options), mask_(MaskFor(options)), pin_(mask_), threads_(options.threads) {
  if (options.device != "cpu") {
    throw Error(ErrorKind::kUnavailable, StrCat("the libtorch engine measures the CPU of this machine, not \"",
                                                options.device, "\"; name a table of that device instead"));
  }
}

Json LibTorchEngine::Identity() const {
  return LocalCpuIdentity({.cores = mask_,
                           .threads = options_.threads,
                           .batch = options_.batch,
                           .precision = "fp32",
                           .engine = "libtorch",
                           .version = TORCH_VERSION,
                           .build = StrCat(ToLower(at::get_cpu_capability()), ",", ToolVersion())});
}

Json LibTorchEngine::Recorded() const {
  const MachineInfo machine = ProbeMachine();
  return Json{{"kernel", machine.kernel}, {"governor", machine.governor},
              {"power", PowerSource()},   {"driver", ""},
              {"agent_hash", ""},         {"emulated", false}};
}

std::int64_t LibTorchEngine::CacheBytes() const {
  const long level3 = sysconf(_SC_LEVEL3_CACHE_SIZE);
  return level3 > 0 ? level3 : std::max(0L, sysconf(_SC_LEVEL2_CACHE_SIZE));
}

std::unique_ptr<PreparedItem> LibTorchEngine::Prepare(const MeasureItem& item, const RunLayout& layout) {
  try {
    if (item.kind == MeasureItem::Kind::kNet) return std::make_unique<NetItemRunner>(item, layout, options_.batch);
    return std::make_unique<BlockItemRunner>(item, layout, options_.batch);
  } catch (const c10::Error& error) {
    ThrowInput(StrCat("LibTorch cannot run ", item.id, ": ", error.what_without_backtrace()));
  }
}

void LibTorchEngine::Sleep(double seconds) { std::this_thread::sleep_for(std::chrono::duration<double>(seconds)); }
double LibTorchEngine::Temperature() const { return CpuTemperature(); }
double LibTorchEngine::Megahertz() const { return CpuMegahertz(CoreIndices(mask_).front()); }

}  // namespace nas::detail
