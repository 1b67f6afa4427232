// SPDX-License-Identifier: Apache-2.0
#include "bench_ranks.h"

#include <algorithm>
#include <array>
#include <cmath>

#include <torch/torch.h>

#include "nas/core/clock.h"
#include "nas/core/machine.h"
#include "nas/core/rng.h"
#include "nas/core/stats.h"
#include "nas/core/text.h"
#include "nas/data/shard.h"
#include "nas/nn/device.h"
#include "nas/nn/supernet.h"
#include "nas/train/gradient_exchange.h"
#include "nas/train/sgd.h"

namespace nas::cli {
namespace {

constexpr int kPaths = 4;
constexpr int kWarmUp = 2;
constexpr int kCountedPaths = 500;
constexpr int kSums = 20;

class RankBench {
 public:
  RankBench(const BenchOptions& options, const Session& session, Communicator& ranks)
      : options_(options),
        ranks_(ranks),
        space_(SearchSpace::Load(options.space, {1.0, options.resolution, 0}, session.space_dirs)),
        batch_(options.batch > 0          ? options.batch
               : space_.resolution() < 64 ? 64
                                          : 16),
        group_(ranks, {ranks.Size(), false}),
        exchange_(group_),
        net_(space_, session.seed, ParseKernelMode(options.kernels)) {
    CounterRng rng(session.seed, /*stream=*/0xbe);
    for (int i = 0; i < kCountedPaths; ++i) choices_.push_back(space_.Sample(rng));
    whole_.images =
        torch::randn({batch_, 3, space_.resolution(), space_.resolution()}).contiguous(at::MemoryFormat::ChannelsLast);
    whole_.labels = torch::randint(space_.classes(), {batch_}, at::kLong);
    const ShardRange own = ShardOf(batch_, ranks.Size(), ranks.Rank());
    part_.images = whole_.images.narrow(0, own.begin, own.size()).clone(at::MemoryFormat::ChannelsLast);
    part_.labels = whole_.labels.narrow(0, own.begin, own.size()).clone();
    part_.whole = batch_;
  }

  std::vector<RankFigure> Run() {
    const int size = ranks_.Size();
    RankFigure divided{"ranks.weight", "images/s", {}};
    RankFigure alone{"ranks.one_process", "images/s", {}};
    RankFigure ratio{"ranks.ratio", "ranks / one process", {}};
    RankFigure compute{"ranks.compute", "ms", {}};
    RankFigure step{"ranks.step", "ms", {}};
    for (int path = 0; path < kPaths; ++path) {
      for (int i = -kWarmUp; i < options_.iters; ++i) {
        const double one = Alone(choices_[static_cast<std::size_t>(path)]);
        const double own = Compute(choices_[static_cast<std::size_t>(path)]);
        const double all = Divided(choices_[static_cast<std::size_t>(path)]);
        if (i < 0) continue;
        alone.values.push_back(batch_ / one);
        divided.values.push_back(batch_ / all);
        ratio.values.push_back(one / all);
        compute.values.push_back(1e3 * own);
        step.values.push_back(1e3 * all);
      }
    }
    const ExchangeStats& stats = exchange_.stats();
    const double bytes = MeanBytes();
    const std::vector<double> small = TimeSums(1);
    const std::vector<double> large = TimeSums(static_cast<std::int64_t>(bytes / sizeof(float)));
    // cluster.md §9: one launch per message, the rest by bytes.
    const double latency = Median(small);
    const double per_sum = Median(large);
    const double buckets = std::max(1.0, std::floor(bytes / (1 << 20)));
    const double t_r = per_sum + (buckets - 1) * latency;
    const double t_c = Median(compute.values) / 1e3;
    const double expected = t_c + std::max(t_r / buckets, t_r - 2.0 / 3 * t_c);
    std::vector<RankFigure> figures{divided, alone, ratio, compute, step};
    const auto one = [&](const char* name, const char* unit, double value) {
      figures.push_back({name, unit, {value}});
    };
    one("ranks.count", "processes", size);
    one("ranks.gradient_bytes", "bytes per step, mean of 500 uniform paths", bytes);
    one("ranks.sent_bytes_per_active_byte", "ratio",
        static_cast<double>(stats.gradient_bytes) / static_cast<double>(std::max<std::int64_t>(1, counted_bytes_)));
    one("ranks.unhidden", "ms per step", 1e3 * stats.unhidden_s / static_cast<double>(stats.steps));
    one("ranks.sum_small", "ms", 1e3 * latency);
    one("ranks.sum_path", "ms", 1e3 * per_sum);
    one("ranks.model_step", "ms", 1e3 * expected);
    one("ranks.step_over_model", "ratio", Median(step.values) / (1e3 * expected));
    return ranks_.Rank() == 0 ? figures : std::vector<RankFigure>();
  }

 private:
  void Learn(const Choice& choice, const at::Tensor& images, const at::Tensor& labels, double share) {
    const at::Tensor logits = net_.Forward(images, choice, BnMode::kTrain);
    (at::cross_entropy_loss(logits, labels, {}, at::Reduction::Mean, -100, /*label_smoothing=*/0.1) * share).backward();
  }

  std::vector<std::pair<std::string, at::Tensor>> Parameters(const Choice& choice) const {
    std::vector<std::pair<std::string, at::Tensor>> parameters;
    for (const PathTensor& tensor : net_.PathTensors(choice)) {
      if (tensor.kind == PathTensor::Kind::kTrained) parameters.emplace_back(tensor.name, tensor.tensor);
    }
    return parameters;
  }

  /// Rank 0 with the threads of all ranks while they wait; seconds of a step on the whole batch.
  double Alone(const Choice& choice) {
    double seconds = 0;
    if (ranks_.Rank() == 0) {
      const ThreadScope threads(options_.threads * ranks_.Size());
      const Stopwatch watch;
      Learn(choice, whole_.images, whole_.labels, 1);
      scratch_.Step(Parameters(choice), /*lr=*/0);
      seconds = watch.Seconds();
    }
    ranks_.Barrier("one process");
    return seconds;
  }

  /// The rank's own part of a step without the others' numbers.
  double Compute(const Choice& choice) {
    const Stopwatch watch;
    Learn(choice, part_.images, part_.labels, 0.5);
    scratch_.Step(Parameters(choice), /*lr=*/0);
    const double seconds = watch.Seconds();
    ranks_.Barrier("own part");
    return seconds;
  }

  double Divided(const Choice& choice) {
    const Stopwatch watch;
    const std::vector<PathTensor> path = net_.PathTensors(choice);
    const std::array<double, 3> control{0, 0, 0};
    exchange_.Begin(path, batch_);
    exchange_.StartShard(group_.first());
    Learn(choice, part_.images, part_.labels, 1.0 / ranks_.Size());
    exchange_.EndShard(group_.first(), control);
    exchange_.Finish();
    std::vector<std::pair<std::string, at::Tensor>> parameters;
    for (const PathTensor& tensor : path) {
      if (tensor.kind != PathTensor::Kind::kTrained) continue;
      parameters.emplace_back(tensor.name, tensor.tensor);
      counted_bytes_ += static_cast<std::int64_t>(tensor.tensor.nbytes());
    }
    sgd_.Step(parameters, /*lr=*/1e-3);
    return watch.Seconds();
  }

  double MeanBytes() const {
    double sum = 0;
    for (const Choice& choice : choices_) {
      for (const auto& named : Parameters(choice)) sum += static_cast<double>(named.second.nbytes());
    }
    return sum / kCountedPaths;
  }

  std::vector<double> TimeSums(std::int64_t numbers) {
    at::Tensor flat = at::zeros({numbers});
    std::vector<double> seconds;
    for (int i = -kWarmUp; i < kSums; ++i) {
      ranks_.Barrier("sum");
      const Stopwatch watch;
      ranks_.AllReduceSum(flat)->Wait();
      if (i >= 0) seconds.push_back(watch.Seconds());
    }
    return seconds;
  }

  BenchOptions options_;
  Communicator& ranks_;
  SearchSpace space_;
  int batch_;
  ShardGroup group_;
  GradientExchange exchange_;
  Supernet net_;
  Sgd sgd_{SgdOptions{}};
  Sgd scratch_{SgdOptions{}};
  std::vector<Choice> choices_;
  Batch whole_, part_;
  std::int64_t counted_bytes_ = 0;
};

}  // namespace

std::vector<RankFigure> MeasureRanks(const BenchOptions& options, const Session& session, Communicator& ranks) {
  const ThreadScope threads(options.threads);
  return RankBench(options, session, ranks).Run();
}

}  // namespace nas::cli
