// SPDX-License-Identifier: Apache-2.0
#include "nas/train/train_options.h"

#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "core/expect_error.h"
#include "nas/train/eval_options.h"
#include "support/catch_compat.h"

namespace nas {
namespace {

using testing::MessageOf;

TrainOptions Legal() {
  TrainOptions options;
  options.arch = "arch.json";
  return options;
}

TEST_CASE("options out of range are usage errors that name the flag and the value") {
  CHECK_NOTHROW(Legal().Validate());
  const std::vector<std::pair<std::function<void(TrainOptions&)>, std::string>> cases = {
      {[](auto& o) { o.arch.clear(); }, "--arch"},
      {[](auto& o) { o.run = "runs/a"; }, "--run"},
      {[](auto& o) { o.target = "cpu"; }, "--target cpu"},
      {[](auto& o) { o.epochs = -3; }, "--epochs -3"},
      {[](auto& o) { o.epochs = 5, o.warmup_epochs = 5; }, "--warmup-epochs 5"},
      {[](auto& o) { o.batch = 1; }, "--batch 1"},
      {[](auto& o) { o.lr = -0.5; }, "--lr -0.5"},
      {[](auto& o) { o.momentum = 1; }, "--momentum 1"},
      {[](auto& o) { o.weight_decay = -1; }, "--weight-decay -1"},
      {[](auto& o) { o.label_smoothing = 1; }, "--label-smoothing 1"},
      {[](auto& o) { o.dropout = 2; }, "--dropout 2"},
      {[](auto& o) { o.augmentation = "stong"; }, "strong"},
      {[](auto& o) { o.ema = 1; }, "--ema 1"},
      {[](auto& o) { o.eval_every = 0; }, "--eval-every 0"},
      {[](auto& o) { o.precision = "fp16"; }, "--precision \"fp16\""},
      {[](auto& o) { o.resolution = 4; }, "--resolution 4"},
      {[](auto& o) { o.threads = 0; }, "--threads 0"},
      {[](auto& o) { o.limit_per_class = -1; }, "--limit-per-class -1"},
      {[](auto& o) { o.resume = "yes"; }, "--out"},
      {[](auto& o) { o.resume = "yes", o.out = std::string("runs/a"), o.force = true; }, "--force"},
  };
  for (const auto& [change, part] : cases) {
    TrainOptions options = Legal();
    change(options);
    const std::string message = MessageOf(ErrorKind::kUsage, [&] { options.Validate(); });
    INFO(part << " in: " << message);
    CHECK(message.find(part) != std::string::npos);
  }
}

TEST_CASE("flags of the run folder give its mode") {
  TrainOptions options = Legal();
  CHECK(options.mode() == RunMode::kNew);
  options.force = true;
  CHECK(options.mode() == RunMode::kForce);
  options.force = false;
  options.resume = "yes";
  CHECK(options.mode() == RunMode::kResume);
  options.resume = "auto";
  CHECK(options.mode() == RunMode::kResumeOrNew);
}

TEST_CASE("options survive their JSON form, and unknown keys do not") {
  TrainOptions options = Legal();
  options.weights = "w.safetensors";
  options.epochs = 7;
  options.lr = 0.1 + 0.2;
  options.ema = 0.999;
  options.augmentation = "none";
  options.seed = ~std::uint64_t{0};
  Json json = ToJson(options);
  const TrainOptions back = TrainOptionsFromJson(JsonDocument::Parse(json.dump(), "config.json"), "");
  CHECK(ToJson(back) == json);
  CHECK(back.lr == options.lr);
  CHECK(back.seed == options.seed);
  json["epoch"] = 3;
  const std::string message =
      MessageOf(ErrorKind::kInput, [&] { TrainOptionsFromJson(JsonDocument::Parse(json.dump(), "config.json"), ""); });
  CHECK(message.find("epoch") != std::string::npos);
}

TEST_CASE("the default batch grows with the number of images") {
  CHECK(DefaultBatch(50000, /*gpu=*/false) == 128);
  CHECK(DefaultBatch(4096, false) == 128);
  CHECK(DefaultBatch(4095, false) == 64);
  CHECK(DefaultBatch(1024, false) == 32);
  CHECK(DefaultBatch(1023, false) == 16);
  CHECK(DefaultBatch(20, false) == 8);
  CHECK(DefaultBatch(1281167, false) == 128);
  CHECK(DefaultBatch(1281167, true) == 256);
}

TEST_CASE("an evaluation needs exactly one network, with weights") {
  EvalOptions options;
  CHECK(MessageOf(ErrorKind::kUsage, [&] { options.Validate(); }).find("--arch") != std::string::npos);
  options.arch = "arch.json";
  CHECK(MessageOf(ErrorKind::kUsage, [&] { options.Validate(); }).find("--weights") != std::string::npos);
  options.weights = "w";
  CHECK_NOTHROW(options.Validate());
  options.run = "runs/a";
  CHECK(MessageOf(ErrorKind::kUsage, [&] { options.Validate(); }).find("--run") != std::string::npos);
}

}  // namespace
}  // namespace nas
