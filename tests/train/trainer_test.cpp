// SPDX-License-Identifier: Apache-2.0
#include "nas/train/trainer.h"

#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/expect_error.h"
#include "nas/core/rng.h"
#include "nas/core/text.h"
#include "nas/nn/safetensors.h"
#include "nas/train/checkpoint.h"
#include "nas/train/network_setup.h"
#include "support/aten_test.h"
#include "train/fixtures.h"

namespace nas {
namespace {

namespace fs = std::filesystem;
using testing::MessageOf;
using testing::QuickTraining;
using testing::TinyNetwork;
using testing::WriteArchitecture;

bool Contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

/// Asks for a stop once so many steps are done.
class StopAt final : public Progress {
 public:
  StopAt(double step, StopFlag* flag) : step_(step), flag_(flag) {}
  void Update(const ProgressState& state) override {
    ++updates;
    if (state.done >= step_) flag_->Request();
  }
  void Finish() override {}
  int updates = 0;

 private:
  double step_;
  StopFlag* flag_;
};

void RunUntil(TrainOptions options, double step) {
  StopFlag flag;
  StopAt progress(step, &flag);
  const std::string message =
      MessageOf(ErrorKind::kCheckpointed, [&] { RunTrain(options, {.progress = &progress, .stop = &flag}); });
  INFO(message);
  REQUIRE(Contains(message, "--resume"));
  REQUIRE(progress.updates > 0);
}

/// Lines of metrics.jsonl of one kind, without what depends on the clock.
std::vector<Json> Events(const fs::path& run, const std::string& kind) {
  std::vector<Json> events;
  for (const std::string& line : Split(Trim(ReadFile(run / "metrics.jsonl")), '\n')) {
    Json event = Json::parse(line);
    if (event.at("event") != kind) continue;
    event.erase("t");
    event.erase("images_per_s");
    events.push_back(std::move(event));
  }
  return events;
}

NamedTensorList WeightsOf(const fs::path& run) { return ReadSafetensors(run / "weights.safetensors").tensors; }

void CheckEqual(const NamedTensorList& a, const NamedTensorList& b) {
  REQUIRE(a.size() == b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    INFO(a[i].first);
    REQUIRE(a[i].first == b[i].first);
    REQUIRE(at::equal(a[i].second, b[i].second));
  }
}

TEST_CASE("a training writes its run folder, and its result is there again at once") {
  TempDir temp;
  const fs::path arch = WriteArchitecture(temp.path() / "a.json", TinyNetwork());
  TrainOptions options = QuickTraining(arch, temp.path() / "run");
  const TrainResult result = RunTrain(options, {});
  CHECK(result.steps == 15);
  CHECK(result.epochs == 3);
  CHECK(result.test.images > 0);
  CHECK(result.images_per_s > 0);
  CHECK(result.params == CountParams(TinyNetwork()));
  for (const char* name : {"config.json", "env.json", "metrics.jsonl", "nas.log", "result.json", "arch.json",
                           "net.config", "weights.safetensors", "checkpoints"}) {
    INFO(name);
    CHECK(fs::exists(temp.path() / "run" / name));
  }
  CHECK(LoadArchitecture((temp.path() / "run" / "arch.json").string()) == TinyNetwork());
  CHECK(Events(temp.path() / "run", "start").size() == 1);
  const std::vector<Json> epochs = Events(temp.path() / "run", "epoch");
  REQUIRE(epochs.size() == 3);
  CHECK_FALSE(epochs[0].contains("test"));
  CHECK(epochs[2].at("test").at("top1") == result.test.top1);
  CHECK(epochs[2].at("loss") == result.train_loss);
  CHECK(epochs[1].at("lr").get<double>() < epochs[0].at("lr").get<double>());
  CHECK(Events(temp.path() / "run", "end").at(0).at("exit") == 0);

  const Json config = RunFolder::ReadConfig(temp.path() / "run");
  CHECK(config.at("plan").at("device") == "cpu");
  CHECK(config.at("plan").at("precision") == "fp32");
  CHECK(config.at("plan").at("lr").get<double>() == 0.005);

  const auto written = fs::last_write_time(temp.path() / "run" / "weights.safetensors");
  options.resume = "yes";
  CHECK(ToJson(RunTrain(options, {})) == ToJson(result));
  CHECK(fs::last_write_time(temp.path() / "run" / "weights.safetensors") == written);

  options.resume.clear();
  CHECK(Contains(MessageOf(ErrorKind::kInput, [&] { RunTrain(options, {}); }), "--force"));
  options.force = true;
  options.epochs = 1;
  CHECK(RunTrain(options, {}).steps == 5);
}

TEST_CASE("a run that is stopped anywhere and resumed gives the bits of one that was not") {
  TempDir temp;
  Architecture architecture = TinyNetwork();
  architecture.layers.back().dropout = 0.3;
  const fs::path arch = WriteArchitecture(temp.path() / "a.json", architecture);
  TrainOptions options = QuickTraining(arch, temp.path() / "straight");
  options.ema = 0.9;
  options.warmup_epochs = 1;
  options.eval_every = 1;
  options.batch = 15;  // the last batch of an epoch has 5 images: 6 steps
  const TrainResult straight = RunTrain(options, {});
  REQUIRE(straight.steps == 18);

  CounterRng rng(GENERATE(1, 2));
  options.out = (temp.path() / "stopped").string();
  options.resume = "auto";
  double step = 0;
  for (int stop = 0; stop < 3; ++stop) {
    step += static_cast<double>(1 + rng.Below(5));
    RunUntil(options, step);
  }
  RunUntil(options, 18 - 6);  // an epoch's end, before the next begins
  const TrainResult resumed = RunTrain(options, {});
  CheckEqual(WeightsOf(temp.path() / "straight"), WeightsOf(temp.path() / "stopped"));
  CHECK(Events(temp.path() / "straight", "epoch") == Events(temp.path() / "stopped", "epoch"));
  CHECK(resumed.steps == straight.steps);
  CHECK(ToJson(resumed.test) == ToJson(straight.test));
  CHECK(Events(temp.path() / "stopped", "end").size() == 1);

  const auto a = CheckpointStore(temp.path() / "straight" / "checkpoints").LoadLatest();
  const auto b = CheckpointStore(temp.path() / "stopped" / "checkpoints").LoadLatest();
  REQUIRE(a.has_value());
  REQUIRE(b.has_value());
  CheckEqual(a->tensors, b->tensors);
}

TEST_CASE("a run killed between checkpoints goes on from the last one, even when that is damaged") {
  TempDir temp;
  const fs::path arch = WriteArchitecture(temp.path() / "a.json", TinyNetwork());
  TrainOptions options = QuickTraining(arch, temp.path() / "straight");
  RunTrain(options, {});
  options.out = (temp.path() / "killed").string();
  RunUntil(options, 12);  // checkpoints at 10 (an epoch's end) and 12
  const fs::path newest = CheckpointStore(temp.path() / "killed" / "checkpoints").Latest();
  REQUIRE(newest.filename() == "step-12.safetensors");
  fs::resize_file(newest, fs::file_size(newest) - 1);
  // What came after the checkpoint that is left: a line of it, and one cut short.
  std::ofstream(temp.path() / "killed" / "metrics.jsonl", std::ios::app) << "{\"event\": \"epoch\"}\n{\"ev";
  options.resume = "yes";
  RunTrain(options, {});
  CheckEqual(WeightsOf(temp.path() / "straight"), WeightsOf(temp.path() / "killed"));
  CHECK(Events(temp.path() / "straight", "epoch") == Events(temp.path() / "killed", "epoch"));
}

TEST_CASE("another configuration, data set or architecture does not go on with a run") {
  TempDir temp;
  const fs::path arch = WriteArchitecture(temp.path() / "a.json", TinyNetwork());
  TrainOptions options = QuickTraining(arch, temp.path() / "run");
  RunUntil(options, 3);
  options.resume = "yes";
  TrainOptions other = options;
  other.epochs = 4;
  other.weight_decay = 0;
  const std::string message = MessageOf(ErrorKind::kInput, [&] { RunTrain(other, {}); });
  CHECK(Contains(message, "options.epochs 3 → 4"));
  CHECK(Contains(message, "options.weight_decay"));

  WriteArchitecture(arch, TinyNetwork(10, {0, 0, 0, 0, 0}));
  CHECK(Contains(MessageOf(ErrorKind::kInput, [&] { RunTrain(options, {}); }), "plan.arch_hash"));
  WriteArchitecture(arch, TinyNetwork());
  options.checkpoint_every_s = 0;  // how, not what
  CHECK_NOTHROW(RunTrain(options, {}));
}

TEST_CASE("bf16 computes in half precision, and keeps its weights in full") {
  TempDir temp;
  TrainOptions options = QuickTraining(WriteArchitecture(temp.path() / "a.json", TinyNetwork()), temp.path() / "bf16");
  options.epochs = 1;
  options.precision = "bf16";
  const TrainResult half = RunTrain(options, {});
  options.precision = "fp32";
  options.out = (temp.path() / "fp32").string();
  const TrainResult full = RunTrain(options, {});
  CHECK(half.train_loss != full.train_loss);
  CHECK(half.train_loss == Approx(full.train_loss).epsilon(0.05));
  for (const auto& [name, tensor] : WeightsOf(temp.path() / "bf16")) {
    INFO(name);
    CHECK(tensor.scalar_type() != at::kBFloat16);
  }
}

TEST_CASE("a few pictures are learnt by heart") {
  TempDir temp;
  const fs::path arch = WriteArchitecture(temp.path() / "a.json", TinyNetwork());
  TrainOptions options = QuickTraining(arch, temp.path() / "run");
  options.limit_per_class = 4;
  options.epochs = 40;
  options.eval_every = 40;
  options.batch = 20;
  options.lr = 0.1;
  options.augmentation = "none";
  options.label_smoothing = 0;
  options.weight_decay = 0;
  const TrainResult result = RunTrain(options, {});
  CHECK(result.train_accuracy > 0.95);
  CHECK(result.train_loss < 0.5);
}

TEST_CASE("a divergence is named, with the last good checkpoint") {
  TempDir temp;
  const fs::path arch = WriteArchitecture(temp.path() / "a.json", TinyNetwork());
  TrainOptions options = QuickTraining(arch, temp.path() / "run");
  options.lr = 1e9;
  options.warmup_epochs = 2;
  const std::string message = MessageOf(ErrorKind::kTraining, [&] { RunTrain(options, {}); });
  INFO(message);
  CHECK(Contains(message, "diverged at step"));
  CHECK(Contains(message, "checkpoint"));
  REQUIRE(Events(temp.path() / "run", "alarm").size() == 1);
  CHECK(Events(temp.path() / "run", "end").at(0).at("exit") == ExitCode(ErrorKind::kTraining));
  CHECK_FALSE(fs::exists(temp.path() / "run" / "result.json"));
}

TEST_CASE("weights that hold no number diverge at step 1, with no checkpoint to name") {
  TempDir temp;
  const Architecture architecture = TinyNetwork();
  const fs::path arch = WriteArchitecture(temp.path() / "a.json", architecture);
  Network network(architecture, 1);
  NamedTensorList tensors;
  for (const auto& [name, tensor] : network.NamedTensors()) tensors.emplace_back(name, tensor.detach().clone());
  tensors[0].second.fill_(std::numeric_limits<float>::quiet_NaN());
  WriteWeights(temp.path() / "w.safetensors", architecture, tensors, {});
  TrainOptions options = QuickTraining(arch, temp.path() / "run");
  options.weights = (temp.path() / "w.safetensors").string();
  const std::string message = MessageOf(ErrorKind::kTraining, [&] { RunTrain(options, {}); });
  CHECK(Contains(message, "diverged at step 1 "));
  CHECK(Contains(message, "last good checkpoint: none"));
}

TEST_CASE("training goes on from weights of another run") {
  TempDir temp;
  const fs::path arch = WriteArchitecture(temp.path() / "a.json", TinyNetwork());
  TrainOptions options = QuickTraining(arch, temp.path() / "first");
  options.epochs = 8;
  options.eval_every = 8;
  options.lr = 0.05;
  const TrainResult first = RunTrain(options, {});
  TrainOptions next = options;
  next.arch.clear();
  next.run = options.out;
  next.data.clear();  // the run's own
  next.weights = (temp.path() / "first" / "weights.safetensors").string();
  next.out = (temp.path() / "next").string();
  next.epochs = 1;
  next.lr = 0.005;
  CHECK(RunTrain(next, {}).train_loss < Events(temp.path() / "first", "epoch").at(0).at("loss").get<double>());
  CHECK(RunFolder::ReadConfig(temp.path() / "next").at("plan").at("data") == "demo");
  (void)first;
}

TEST_CASE("a refused start leaves nothing behind") {
  TempDir temp;
  const fs::path out = temp.path() / "run";
  TrainOptions options = QuickTraining(temp.path() / "missing.json", out);
  CHECK(Contains(MessageOf(ErrorKind::kInput, [&] { RunTrain(options, {}); }), "missing.json"));
  options.arch = WriteArchitecture(temp.path() / "a.json", TinyNetwork()).string();
  options.data = (temp.path() / "no-data").string();
  CHECK(Contains(MessageOf(ErrorKind::kInput, [&] { RunTrain(options, {}); }), "no-data"));
  options.data = "demo";
  options.weights = (temp.path() / "no-weights").string();
  CHECK(Contains(MessageOf(ErrorKind::kInput, [&] { RunTrain(options, {}); }), "no-weights"));
  CHECK_FALSE(fs::exists(out));
}

TEST_CASE("the plan says what a training would be and writes nothing") {
  TempDir temp;
  TrainOptions options = QuickTraining(WriteArchitecture(temp.path() / "a.json", TinyNetwork()), temp.path() / "run");
  options.batch = 79;  // 80 images: a rest of one is left out, BN has no variance over it
  const TrainPlan plan = PlanTrain(options);
  CHECK(plan.train_images == 80);
  CHECK(plan.steps_per_epoch == 1);
  CHECK(plan.steps() == 3);
  CHECK(plan.params == CountParams(TinyNetwork()));
  CHECK(plan.macs == CountMacs(TinyNetwork()).value);
  CHECK(plan.lr == Approx(0.05 * 79 / 256));
  CHECK_FALSE(fs::exists(temp.path() / "run"));
  options.batch = 0;
  options.epochs = 0;
  CHECK(PlanTrain(options).epochs == 24);
  CHECK(PlanTrain(options).batch == 8);
  options.resolution = 64;
  CHECK(PlanTrain(options).macs > 3 * plan.macs);
}

}  // namespace
}  // namespace nas
