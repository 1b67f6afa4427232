// SPDX-License-Identifier: Apache-2.0
#include "run_bench.h"

#include <algorithm>
#include <functional>
#include <memory>

#include <torch/torch.h>

#include <nlohmann/json.hpp>

#include "bench_loader.h"
#include "bench_mbconv.h"
#include "bench_predictor.h"
#include "nas/core/clock.h"
#include "nas/core/error.h"
#include "nas/core/log.h"
#include "nas/core/machine.h"
#include "nas/core/stats.h"
#include "nas/core/subprocess.h"
#include "nas/core/table_printer.h"
#include "nas/core/text.h"
#include "nas/nn/device.h"
#include "nas/nn/supernet.h"
#include "nas/search/path_sampler.h"
#include "nas/train/sgd.h"

namespace nas::cli {
namespace {

constexpr int kPaths = 4;   // random paths per item: costs differ from path to path
constexpr int kWarmUp = 2;  // steps before the first timed one

struct Sample {
  std::string name;
  std::string unit;
  std::vector<double> values;
};

bool Wanted(const BenchOptions& options, const std::string& name) {
  const std::vector<std::string> globs = Split(options.items, ',');
  return std::any_of(globs.begin(), globs.end(), [&](const std::string& glob) { return GlobMatch(Trim(glob), name); });
}

/// The paths that the step items run, the same for one seed.
std::vector<Choice> SamplePaths(const SearchSpace& space, const Session& session) {
  CounterRng rng(session.seed, /*stream=*/0xbe);
  std::vector<Choice> paths;
  for (int i = 0; i < kPaths; ++i) paths.push_back(space.Sample(rng));
  return paths;
}

/// Training steps on random images, of a supernet and of the plain network of one of its paths.
class StepBench {
 public:
  StepBench(const BenchOptions& options, const Session& session)
      : space_(SearchSpace::Load(options.space, {1.0, options.resolution, 0}, session.space_dirs)),
        device_(ResolveDevice(options.device)),
        batch_(options.batch > 0          ? options.batch
               : space_.resolution() < 64 ? 64
                                          : 16),
        supernet_(space_, session.seed, ParseKernelMode(options.kernels)) {
    supernet_.To(device_);
    choices_ = SamplePaths(space_, session);
    images_ = torch::randn({batch_, 3, space_.resolution(), space_.resolution()})
                  .contiguous(at::MemoryFormat::ChannelsLast)
                  .to(device_);
    labels_ = torch::randint(space_.classes(), {batch_}, at::kLong).to(device_);
  }

  int batch() const { return batch_; }
  int paths() const { return kPaths; }

  static std::vector<std::string> Names() {
    return {"plain.step", "supernet.weight", "supernet.two", "supernet.full_v2"};
  }

  /// One step of an item on path number `path`.
  void Step(const std::string& name, int path) {
    const Choice& choice = choices_[static_cast<std::size_t>(path)];
    if (name == "plain.step") return PlainStep(path);
    if (name == "supernet.weight") {
      Loss(supernet_.Forward(images_, choice, BnMode::kTrain)).backward();
      auto parameters = supernet_.FixedParameters();
      for (std::size_t edge = 0; edge < choice.size(); ++edge) {
        const auto& more = supernet_.CandidateParameters(static_cast<int>(edge), choice[edge]);
        parameters.insert(parameters.end(), more.begin(), more.end());
      }
      supernet_sgd_.Step(parameters, /*lr=*/1e-3);
      return;
    }
    const bool two = name == "supernet.two";
    std::vector<EdgeSample> sample;
    for (std::size_t edge = 0; edge < choice.size(); ++edge) {
      sample.push_back({choice[edge], two ? (choice[edge] + 1) % space_.edges()[edge].size() : -1});
    }
    const ArchForward forward = supernet_.ForwardGated(images_, sample, two ? GateMode::kTwo : GateMode::kFullV2);
    Loss(forward.logits).backward();
    forward.gates->ToHost();
  }

 private:
  void PlainStep(int path) {
    if (plain_ == nullptr || plain_path_ != path) {
      plain_ = std::make_unique<Network>(supernet_.Extract(choices_[static_cast<std::size_t>(path)]));
      plain_sgd_ = Sgd(SgdOptions{});
      plain_path_ = path;
    }
    Loss(plain_->Forward(images_, BnMode::kTrain)).backward();
    plain_sgd_.Step(plain_->NamedParameters(), /*lr=*/1e-3);
  }

  at::Tensor Loss(const at::Tensor& logits) const {
    return at::cross_entropy_loss(logits, labels_, {}, at::Reduction::Mean, -100, /*label_smoothing=*/0.1);
  }

  SearchSpace space_;
  at::Device device_;
  int batch_;
  Supernet supernet_;
  Sgd supernet_sgd_{SgdOptions{}};
  std::unique_ptr<Network> plain_;
  Sgd plain_sgd_{SgdOptions{}};
  int plain_path_ = -1;
  std::vector<Choice> choices_;
  at::Tensor images_, labels_;
};

std::vector<std::string> WantedSteps(const BenchOptions& options) {
  std::vector<std::string> names;
  for (const std::string& name : StepBench::Names()) {
    if (Wanted(options, name)) names.push_back(name);
  }
  return names;
}

void MeasureSteps(const BenchOptions& options, const Session& session, std::vector<Sample>* out) {
  const std::vector<std::string> names = WantedSteps(options);
  if (names.empty()) return;
  StepBench bench(options, session);
  std::vector<Sample> speeds;
  for (const std::string& name : names) speeds.push_back({name, "images/s", {}});
  for (int path = 0; path < bench.paths(); ++path) {
    for (int i = -kWarmUp; i < options.iters; ++i) {
      for (std::size_t item = 0; item < names.size(); ++item) {
        const Stopwatch watch;
        bench.Step(names[item], path);
        if (i >= 0) speeds[item].values.push_back(bench.batch() / watch.Seconds());
      }
    }
  }
  out->insert(out->end(), speeds.begin(), speeds.end());
}

/// MiB of resident memory above the start of the step, for the greediest path. Alone in this process.
double PeakMemoryOf(const BenchOptions& options, const Session& session) {
  StepBench bench(options, session);
  double peak = 0;
  for (int path = 0; path < bench.paths(); ++path) {
    // Fresh processes have grown no buffers yet: the first step of the first path shows the full need; later ones add
    // to it.
    ResetPeakResident();
    const std::int64_t before = path == 0 ? ResidentBytes() : 0;
    static std::int64_t start = before;
    bench.Step(options.memory_of, path);
    peak = std::max(peak, static_cast<double>(PeakResidentBytes() - start) / (1 << 20));
  }
  return peak;
}

void MeasureMemory(const BenchOptions& options, const Session& session, std::vector<Sample>* out) {
  for (const std::string& name : WantedSteps(options)) {
    SubprocessOptions child;
    child.argv = {(session.bin_dir / "nas-torch").string(),
                  "bench",
                  "--memory-of",
                  name,
                  "--space",
                  options.space,
                  "--batch",
                  StrCat(options.batch),
                  "--resolution",
                  StrCat(options.resolution),
                  "--device",
                  options.device,
                  "--kernels",
                  options.kernels,
                  "--threads",
                  StrCat(options.threads),
                  "--seed",
                  StrCat(session.seed)};
    const SubprocessResult result = RunSubprocess(child);
    double mib = 0;
    if (result.exit_code != 0 || !ParseDouble(Trim(result.out), &mib)) {
      ThrowInternal(StrCat("measuring the memory of ", name, " ended with ", result.exit_code, ": ", result.err));
    }
    out->push_back({name, "MiB", {mib}});
  }
}

void MeasureLoader(const BenchOptions& options, std::vector<Sample>* out) {
  const auto wanted = [&](const std::string& name) { return Wanted(options, name); };
  for (const LoaderSpeed& speed : MeasureLoaders(wanted, options.data, options.resolution, options.threads)) {
    out->push_back({speed.name, "images/s", speed.images_per_s});
  }
}

void MeasurePredictor(const BenchOptions& options, const Session& session, std::vector<Sample>* out) {
  if (Wanted(options, "predictor.networks")) {
    out->push_back({"predictor.networks", "networks/s", MeasureNetworksPerSecond(session)});
  }
  if (Wanted(options, "predictor.fit")) out->push_back({"predictor.fit", "ms", MeasureFit(session)});
}

/// Milliseconds of each block, fused and not, and their ratio pair by pair.
void MeasureKernels(const BenchOptions& options, std::vector<Sample>* out) {
  const auto wanted = [&](const std::string& name) { return Wanted(options, name); };
  for (const MbconvTimes& times : MeasureMbconv(wanted, options.iters)) {
    Sample ratio{times.name + ".ratio", "torch/fused", {}};
    for (std::size_t i = 0; i < times.fused_ms.size(); ++i) {
      ratio.values.push_back(times.torch_ms[i] / times.fused_ms[i]);
    }
    out->push_back({times.name + ".fused", "ms", times.fused_ms});
    out->push_back({times.name + ".torch", "ms", times.torch_ms});
    out->push_back(std::move(ratio));
  }
}

}  // namespace

int RunBench(const BenchOptions& options, const Session& session, const std::vector<RankFigure>& ranks) {
  const ThreadScope threads(options.threads);
  if (!options.memory_of.empty()) {
    session.Print(StrCat(PeakMemoryOf(options, session)));
    return 0;
  }
  const MachineInfo before = ProbeMachine();
  std::vector<Sample> samples;
  for (const RankFigure& figure : ranks) samples.push_back({figure.name, figure.unit, figure.values});
  if (ranks.empty()) {
    MeasureSteps(options, session, &samples);
    MeasureMemory(options, session, &samples);
    MeasureLoader(options, &samples);
    MeasurePredictor(options, session, &samples);
    MeasureKernels(options, &samples);
  }
  if (samples.empty()) {
    std::vector<std::string> known = StepBench::Names();
    known.insert(known.end(), {"predictor.fit", "predictor.networks"});
    for (const std::string& name : LoaderBenchNames()) known.push_back(name);
    for (const std::string& name : MbconvBenchNames()) known.push_back(name);
    ThrowUsage(StrCat("--items ", options.items, " names nothing", DidYouMean(options.items, known)));
  }
  const double load = ProbeMachine().load_average;
  if (before.load_average > 0.3)
    LogWarning(StrCat("other processes were running (load ", Fixed(before.load_average, 2), "): compare ratios only"));

  Json json{{"schema", "nas.bench/1"}};
  json["machine"] = {{"cpu", before.cpu_model}, {"cores", before.cores},      {"threads", options.threads},
                     {"space", options.space},  {"kernels", options.kernels}, {"load_before", before.load_average},
                     {"load_after", load},      {"time", NowIso8601()}};
  if (!WantedSteps(options).empty()) {
    const SearchSpace space = SearchSpace::Load(options.space, {1.0, options.resolution, 0}, session.space_dirs);
    for (const Choice& path : SamplePaths(space, session)) {
      std::string code;  // a digit per edge
      for (const int op : path) code += StrCat(op);
      json["paths"].push_back(code);
    }
  }
  json["items"] = Json::array();
  TablePrinter table({"item", "unit", "median", "min", "max", "n"});
  for (const Sample& s : samples) {
    const auto [low, high] = std::minmax_element(s.values.begin(), s.values.end());
    const double median = Median(s.values);
    json["items"].push_back({{"name", s.name},
                             {"unit", s.unit},
                             {"value", median},
                             {"median", median},
                             {"min", *low},
                             {"max", *high},
                             {"n", s.values.size()}});
    table.AddRow({s.name, s.unit, Fixed(median, 1), Fixed(*low, 1), Fixed(*high, 1), StrCat(s.values.size())});
  }
  if (session.json) {
    session.PrintJson(json);
  } else {
    session.Print(table.ToString(session.color));
  }
  return 0;
}

}  // namespace nas::cli
