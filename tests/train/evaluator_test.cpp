// SPDX-License-Identifier: Apache-2.0
#include "nas/train/evaluator.h"

#include <nlohmann/json.hpp>
#include <string>

#include "core/expect_error.h"
#include "nas/train/network_setup.h"
#include "nas/train/trainer.h"
#include "support/aten_test.h"
#include "train/fixtures.h"

namespace nas {
namespace {

using testing::MessageOf;
using testing::QuickTraining;
using testing::TinyNetwork;
using testing::WriteArchitecture;

bool Contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

TEST_CASE("an evaluation says what the training said, from the run and from its files") {
  TempDir temp;
  TrainOptions train = QuickTraining(WriteArchitecture(temp.path() / "a.json", TinyNetwork()), temp.path() / "run");
  train.seed = 5;
  train.ema = GENERATE(0.0, 0.9);
  train.epochs = 2;
  const TrainResult trained = RunTrain(train, {});

  EvalOptions options;
  options.run = train.out;
  const Accuracy by_run = RunEval(options);
  CHECK(ToJson(by_run) == ToJson(trained.test));

  EvalOptions by_file;
  by_file.arch = (temp.path() / "run" / "arch.json").string();
  by_file.weights = (temp.path() / "run" / "weights.safetensors").string();
  by_file.seed = 5;
  by_file.batch = 37;  // running statistics: the batch does not matter
  const Accuracy other_batch = RunEval(by_file);
  CHECK(other_batch.images == trained.test.images);
  CHECK(other_batch.top1 == Approx(trained.test.top1).margin(2e-3));
  CHECK(other_batch.loss == Approx(trained.test.loss).epsilon(1e-4));
}

TEST_CASE("an evaluation refuses what does not fit") {
  TempDir temp;
  const Architecture architecture = TinyNetwork(7);
  EvalOptions options;
  options.arch = WriteArchitecture(temp.path() / "a.json", architecture).string();
  options.weights = (temp.path() / "w.safetensors").string();
  CHECK(Contains(MessageOf(ErrorKind::kInput, [&] { RunEval(options); }), "w.safetensors"));
  WriteWeights(options.weights, architecture, Network(architecture, 1).NamedTensors(), {});
  const std::string classes = MessageOf(ErrorKind::kInput, [&] { RunEval(options); });
  CHECK(Contains(classes, "10 classes"));
  CHECK(Contains(classes, "7"));

  StopFlag stop;
  stop.Request();
  const Architecture ten = TinyNetwork();
  WriteArchitecture(options.arch, ten);
  WriteWeights(options.weights, ten, Network(ten, 1).NamedTensors(), {});
  CHECK(Contains(MessageOf(ErrorKind::kInterrupted, [&] { RunEval(options, nullptr, &stop); }), "stopped"));
}

}  // namespace
}  // namespace nas
