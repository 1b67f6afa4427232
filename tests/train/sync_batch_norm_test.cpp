// SPDX-License-Identifier: Apache-2.0
// BN over the images of all ranks is the BN of one process with the whole batch. The ranks are threads of this program.
#include "support/torch_test.h"

#include <array>
#include <cmath>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <thread>

#include "core/expect_error.h"
#include "nas/core/error.h"
#include "nas/data/shard.h"
#include "nas/nn/supernet.h"
#include "nas/space/search_space.h"
#include "nas/train/gradient_exchange.h"
#include "nas/train/synced_statistics.h"
#include "support/partial_communicator.h"

using namespace nas;
using nas::testing::MessageOf;

namespace {

/// What the ranks have laid down, by kind of call and number of the call.
class Table {
 public:
  explicit Table(std::size_t ranks) : ranks_(ranks) {}
  std::size_t ranks() const { return ranks_; }
  void Put(char kind, int call, int rank, const at::Tensor& tensor) {
    const std::lock_guard lock(mutex_);
    auto& row = laid_[{kind, call}];
    row.resize(ranks_);
    row[static_cast<std::size_t>(rank)] = tensor.clone();
    changed_.notify_all();
  }
  std::vector<at::Tensor> All(char kind, int call) {
    std::unique_lock lock(mutex_);
    auto& row = laid_[{kind, call}];
    changed_.wait(lock, [&] {
      if (row.size() < ranks_) return false;
      for (const at::Tensor& tensor : row) {
        if (!tensor.defined()) return false;
      }
      return true;
    });
    return row;
  }

 private:
  std::size_t ranks_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::pair<char, int>, std::vector<at::Tensor>> laid_;
};

class ThreadRank : public nas::test::PartialCommunicator {
 public:
  ThreadRank(Table& table, int rank) : PartialCommunicator(rank, static_cast<int>(table.ranks())), table_(table) {}
  std::unique_ptr<Pending> AllReduceSum(at::Tensor& flat) override {
    struct Sum : Pending {
      Table& table;
      int call;
      at::Tensor flat;
      Sum(Table& all, int number, at::Tensor mine) : table(all), call(number), flat(std::move(mine)) {}
      void Wait() override {
        const auto parts = table.All('s', call);
        flat.zero_();
        for (const at::Tensor& part : parts) flat.add_(part);
      }
    };
    table_.Put('s', sums_, Rank(), flat);
    return std::make_unique<Sum>(table_, sums_++, flat);
  }
  void AllGather(const at::Tensor& mine, at::Tensor& all) override {
    table_.Put('g', gathered_, Rank(), mine);
    const auto rows = table_.All('g', gathered_++);
    for (std::size_t r = 0; r < rows.size(); ++r) all[static_cast<std::int64_t>(r)].copy_(rows[r]);
  }

 private:
  Table& table_;
  int sums_ = 0;
  int gathered_ = 0;
};

void OnRanks(int ranks, const std::function<void(Communicator&)>& work) {
  Table table(static_cast<std::size_t>(ranks));
  std::vector<std::thread> threads;
  for (int rank = 0; rank < ranks; ++rank) {
    threads.emplace_back([&, rank] {
      ThreadRank seat(table, rank);
      work(seat);
    });
  }
  for (std::thread& thread : threads) thread.join();
}

SearchSpace Tiny() {
  return SearchSpace::Load("tiny", {1.0, 16, 10}, {std::string(NAS_SOURCE_DIR) + "/search_spaces"});
}

struct Net : Supernet {
  Net(const SearchSpace& space, at::ScalarType type, KernelMode kernels) : Supernet(space, /*seed=*/3, kernels) {
    To(type);
  }
};

Batch RandomBatch(std::int64_t images, std::uint64_t seed, at::ScalarType type) {
  auto generator = at::make_generator<at::CPUGeneratorImpl>(seed);
  Batch batch;
  batch.images = at::randn({images, 3, 16, 16}, generator, at::TensorOptions(at::kDouble))
                     .to(type)
                     .contiguous(at::MemoryFormat::ChannelsLast);
  batch.labels = at::arange(images, at::kLong).remainder(10);
  batch.whole = images;
  return batch;
}

void Backward(Supernet& net, const Choice& choice, const Batch& batch, double share) {
  (at::cross_entropy_loss(net.Forward(batch.images, choice, BnMode::kTrain), batch.labels) * share).backward();
}

/// One rank's part of a step up to the gradients.
void DividedStep(Supernet& net, const ShardGroup& group, GradientExchange& exchange, const Batch& batch,
                 const Choice& choice, bool synced) {
  SyncedStatistics statistics(group.ranks(), synced);
  exchange.Begin(net.PathTensors(choice), batch.whole);
  exchange.StartShard(group.first());
  const MicroBatch piece = group.Pieces(batch).at(0);
  {
    const SyncBatchNormScope scope(statistics.For(batch.whole));
    if (piece.share > 0) Backward(net, choice, piece.batch, piece.share);
  }
  exchange.EndShard(group.first(), std::array<double, 1>{0});
  exchange.Finish();
}

/// This rank's images of a whole batch.
Batch PartOf(const Batch& whole, const ShardGroup& group) {
  const ShardRange range = ShardOf(whole.whole, group.options().shards, group.first());
  Batch part = whole;
  part.images = whole.images.narrow(0, range.begin, range.size());
  part.labels = whole.labels.narrow(0, range.begin, range.size());
  return part;
}

using Values = std::map<std::string, at::Tensor>;

Values Gradients(const Supernet& net, const Choice& choice) {
  Values gradients;
  for (const PathTensor& tensor : net.PathTensors(choice)) {
    if (tensor.kind == PathTensor::Kind::kTrained) gradients[tensor.name] = tensor.tensor.grad().clone();
  }
  return gradients;
}

Values AllTensors(const Supernet& net) {
  Values values;
  for (const auto& [name, tensor] : net.NamedTensors()) values[name] = tensor.detach().clone();
  return values;
}

/// All tensors as one vector.
double RelativeDistance(const Values& a, const Values& b) {
  double difference = 0;
  double size = 0;
  for (const auto& [name, tensor] : a) {
    difference += (tensor - b.at(name)).to(at::kDouble).pow(2).sum().item<double>();
    size += tensor.to(at::kDouble).pow(2).sum().item<double>();
  }
  return std::sqrt(difference / size);
}

void Descend(Supernet& net, const Choice& choice, double lr) {
  const at::NoGradGuard no_grad;
  for (const PathTensor& tensor : net.PathTensors(choice)) {
    if (tensor.kind != PathTensor::Kind::kTrained) continue;
    at::Tensor value = tensor.tensor;
    value.sub_(value.grad(), lr);
    value.mutable_grad().reset();
  }
}

Choice ChoiceOf(const SearchSpace& space, int step) {
  Choice choice;
  for (std::size_t e = 0; e < space.edges().size(); ++e) {
    choice.push_back((step + static_cast<int>(e)) % static_cast<int>(space.edges()[e].candidates.size()));
  }
  return choice;
}

}  // namespace

TEST_CASE("fifty float64 steps with BN over all ranks are those of one plain process", "[train]") {
  constexpr int kSteps = 50;
  constexpr double kLr = 0.05;
  const SearchSpace space = Tiny();
  const int ranks = GENERATE(2, 3);
  const auto batch_of = [](int step) {
    return RandomBatch(step % 2 == 0 ? 16 : 9, static_cast<std::uint64_t>(step), at::kDouble);
  };
  Net plain(space, at::kDouble, KernelMode::kTorch);
  for (int step = 0; step < kSteps; ++step) {
    const Choice choice = ChoiceOf(space, step);
    Backward(plain, choice, batch_of(step), 1);
    Descend(plain, choice, kLr);
  }
  std::vector<Values> ends(static_cast<std::size_t>(ranks));
  OnRanks(ranks, [&](Communicator& seat) {
    Net net(space, at::kDouble, KernelMode::kTorch);
    const ShardGroup group(seat, {ranks, false});
    GradientExchange exchange(group);
    for (int step = 0; step < kSteps; ++step) {
      const Choice choice = ChoiceOf(space, step);
      DividedStep(net, group, exchange, PartOf(batch_of(step), group), choice, /*synced=*/true);
      Descend(net, choice, kLr);
    }
    ends[static_cast<std::size_t>(seat.Rank())] = AllTensors(net);
  });
  REQUIRE(RelativeDistance(AllTensors(plain), ends[0]) <= 1e-10);
  for (const auto& [name, tensor] : ends[0]) {
    INFO(name);
    REQUIRE(tensor.equal(ends.back().at(name)));
  }
}

TEST_CASE("a float32 gradient with BN over all ranks is that of one plain process; with own BN it is not", "[train]") {
  const SearchSpace space = Tiny();
  const Choice choice = ChoiceOf(space, 1);
  const KernelMode kernels = GENERATE(KernelMode::kAuto, KernelMode::kTorch);
  const Batch batch = RandomBatch(16, 5, at::kFloat);
  Net plain(space, at::kFloat, kernels);
  Backward(plain, choice, batch, 1);
  for (const bool synced : {true, false}) {
    Values gradients;
    OnRanks(2, [&](Communicator& seat) {
      Net net(space, at::kFloat, kernels);
      const ShardGroup group(seat, {2, false});
      GradientExchange exchange(group);
      DividedStep(net, group, exchange, PartOf(batch, group), choice, synced);
      if (seat.Rank() == 0) gradients = Gradients(net, choice);
    });
    const double distance = RelativeDistance(Gradients(plain, choice), gradients);
    INFO(distance);
    REQUIRE((synced ? distance <= 1e-5 : distance > 1e-2));
  }
}

TEST_CASE("gates of an architecture step with BN over all ranks add up to those of one plain process", "[train]") {
  const SearchSpace space = Tiny();
  const GateMode mode = GENERATE(GateMode::kTwo, GateMode::kFull, GateMode::kFullV2);
  std::vector<EdgeSample> sample;
  for (const int op : ChoiceOf(space, 0)) sample.push_back({op, mode == GateMode::kTwo ? (op == 0 ? 1 : 0) : -1});
  const Batch batch = RandomBatch(9, 6, at::kDouble);
  const auto gates_of = [&](Supernet& net, const Batch& part, double share) {
    const ArchForward forward = net.ForwardGated(part.images, sample, mode);
    (at::cross_entropy_loss(forward.logits, part.labels) * share).backward();
    return forward.gates->ToHost();
  };
  Net plain(space, at::kDouble, KernelMode::kTorch);
  const auto expected = gates_of(plain, batch, 1);
  std::vector<std::vector<std::vector<double>>> parts(2);
  OnRanks(2, [&](Communicator& seat) {
    Net net(space, at::kDouble, KernelMode::kTorch);
    const Values before = AllTensors(net);
    const ShardGroup group(seat, {2, false});
    SyncedStatistics statistics(seat, /*on=*/true);
    const SyncBatchNormScope scope(statistics.For(batch.whole));
    const MicroBatch piece = group.Pieces(PartOf(batch, group)).at(0);
    parts[static_cast<std::size_t>(seat.Rank())] = gates_of(net, piece.batch, piece.share);
    // Probes move no statistics.
    if (RelativeDistance(before, AllTensors(net)) != 0) parts[0].clear();
  });
  REQUIRE(parts[0].size() == expected.size());
  for (std::size_t e = 0; e < expected.size(); ++e) {
    for (std::size_t op = 0; op < expected[e].size(); ++op) {
      REQUIRE(parts[0][e][op] + parts[1][e][op] == Approx(expected[e][op]).epsilon(1e-9).margin(1e-12));
    }
  }
}

TEST_CASE("a last batch without images for some rank keeps to each rank's own BN, and nobody waits", "[train]") {
  const SearchSpace space = Tiny();
  const Choice choice = ChoiceOf(space, 0);
  const Batch batch = RandomBatch(3, 7, at::kDouble);
  Net plain(space, at::kDouble, KernelMode::kTorch);
  Backward(plain, choice, batch, 1);
  Values gradients;
  OnRanks(2, [&](Communicator& seat) {
    Net net(space, at::kDouble, KernelMode::kTorch);
    const ShardGroup group(seat, {2, false});
    GradientExchange exchange(group);
    DividedStep(net, group, exchange, PartOf(batch, group), choice, /*synced=*/true);
    if (seat.Rank() == 1) gradients = Gradients(net, choice);
  });
  REQUIRE(RelativeDistance(Gradients(plain, choice), gradients) < 1e-12);
}

TEST_CASE("BN over all ranks needs one shard per rank", "[train]") {
  RankOptions options;
  options.shards = 4;
  SyncedStatistics::Check(options, 2);
  options.sync_bn = true;
  SyncedStatistics::Check(options, 4);
  const std::string message = MessageOf(ErrorKind::kInput, [&] { SyncedStatistics::Check(options, 2); });
  REQUIRE(message.find("--ranks 4") != std::string::npos);
}
