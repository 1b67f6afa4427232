// SPDX-License-Identifier: Apache-2.0
#include <nlohmann/json.hpp>

#include "nas/train/trainer.h"

namespace nas {
namespace {

constexpr const char* kResultSchema = "nas.train/1";

}  // namespace

Json ToJson(const TrainPlan& plan) {
  Json json;
  json["schema"] = "nas.train.plan/1";
  json["name"] = plan.name;
  json["data"] = plan.data;
  json["resolution"] = plan.resolution;
  json["classes"] = plan.classes;
  json["params"] = plan.params;
  json["macs"] = plan.macs;
  json["train_images"] = plan.train_images;
  json["test_images"] = plan.test_images;
  json["epochs"] = plan.epochs;
  json["batch"] = plan.batch;
  json["lr"] = plan.lr;
  json["steps_per_epoch"] = plan.steps_per_epoch;
  json["steps"] = plan.steps();
  json["device"] = plan.device;
  json["precision"] = plan.precision;
  return json;
}

Json ToJson(const TrainResult& result) {
  Json json;
  json["schema"] = kResultSchema;
  json["run"] = result.run;
  json["name"] = result.name;
  json["seed"] = result.seed;
  json["params"] = result.params;
  json["macs"] = result.macs;
  json["epochs"] = result.epochs;
  json["steps"] = result.steps;
  json["train"] = {{"loss", result.train_loss}, {"accuracy", result.train_accuracy}};
  json["top1"] = result.test.top1;
  json["top5"] = result.test.top5;
  json["loss"] = result.test.loss;
  json["images"] = result.test.images;
  json["wall_s"] = result.wall_s;
  json["images_per_s"] = result.images_per_s;
  return json;
}

TrainResult TrainResultFromJson(const JsonDocument& document) {
  ObjectReader reader(document);
  reader.Choice("schema", {kResultSchema});
  constexpr std::int64_t kMost = std::int64_t{1} << 62;
  TrainResult result;
  result.run = reader.String("run");
  result.name = reader.String("name");
  result.seed = reader.Raw("seed").get<std::uint64_t>();
  result.params = reader.Int("params", 0, kMost);
  result.macs = reader.Int("macs", 0, kMost);
  result.epochs = static_cast<int>(reader.Int("epochs", 1, 1 << 30));
  result.steps = reader.Int("steps", 1, kMost);
  ObjectReader train = reader.Object("train");
  result.train_loss = train.Number("loss");
  result.train_accuracy = train.Number("accuracy");
  result.test.top1 = reader.Number("top1");
  result.test.top5 = reader.Number("top5");
  result.test.loss = reader.Number("loss");
  result.test.images = reader.Int("images", 0, kMost);
  result.wall_s = reader.Number("wall_s");
  result.images_per_s = reader.Number("images_per_s");
  return result;
}

}  // namespace nas
