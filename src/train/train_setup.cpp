// SPDX-License-Identifier: Apache-2.0
#include "train_setup.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "nas/core/error.h"
#include "nas/core/hash.h"
#include "nas/core/log.h"
#include "nas/core/rng.h"
#include "nas/core/text.h"
#include "nas/nn/device.h"
#include "nas/train/network_setup.h"
#include "network_source.h"

namespace nas::detail {
namespace {

constexpr int kDefaultEpochs = 60;
constexpr int kDemoEpochs = 24;
constexpr double kBaseLr = 0.05;  // of 256 images (proxyless.md §9)
constexpr double kLeastLr = 0.005;
constexpr std::uint64_t kLoaderStream = 1;

/// Image side from which an evaluation batch is kept small.
constexpr int kLargeSide = 128;

Augmentation AugmentationOf(const TrainSetup& setup) {
  const std::string& word = setup.options.augmentation;
  if (word == "none") return Augmentation::kEval;
  if (word == "strong" || (word == "auto" && !setup.data.small_images)) return Augmentation::kStrong;
  return Augmentation::kTrain;
}

LoaderOptions Loading(const TrainSetup& setup) {
  LoaderOptions loader;
  loader.resolution = setup.architecture.resolution;
  loader.small_images = setup.data.small_images;
  // One thread feeds small decoded images several times over; photographs need the processors that the steps leave
  // idle.
  loader.threads = setup.data.small_images ? 1 : setup.options.threads;
  return loader;
}

}  // namespace

LoaderOptions TrainSetup::TrainLoader() const {
  LoaderOptions loader = Loading(*this);
  loader.batch = plan.batch;
  loader.augmentation = AugmentationOf(*this);
  loader.shuffle = true;
  // BN has no variance over a single image.
  loader.drop_last = data.train->size() % plan.batch == 1;
  loader.seed = MixSeed(options.seed, kLoaderStream);
  return loader;
}

LoaderOptions TrainSetup::TestLoader() const {
  LoaderOptions loader = Loading(*this);
  loader.batch = architecture.resolution < kLargeSide ? 250 : 64;
  return loader;
}

LrSchedule TrainSetup::Schedule() const {
  return {.base = plan.lr, .total_steps = plan.steps(), .warmup_steps = plan.steps_per_epoch * options.warmup_epochs};
}

TrainSetup PrepareTrain(const TrainOptions& options) {
  options.Validate();
  TrainSetup setup;
  setup.options = options;
  const NetworkSource source = ReadNetworkSource(options.arch, options.run, options.target);
  setup.device = ResolveDevice(options.device);

  DataOptions data;
  data.spec = !options.data.empty() ? options.data : source.is_run ? source.data : "demo";
  data.limit_per_class = options.limit_per_class;
  data.seed = options.seed;
  data.threads = options.threads;
  setup.data = OpenData(data);
  const std::int64_t images = setup.data.train->size();
  if (images < 2) ThrowInput(StrCat(data.spec, " has ", images, " training image; give at least 2"));

  setup.architecture = WithClasses(source.architecture, setup.data.train->classes());
  if (options.resolution > 0) setup.architecture.resolution = options.resolution;
  if (options.dropout >= 0) setup.architecture.layers.back().dropout = options.dropout;

  TrainPlan& plan = setup.plan;
  plan.name = setup.architecture.name;
  plan.data = data.spec;
  plan.resolution = setup.architecture.resolution;
  plan.classes = setup.architecture.classes();
  plan.macs = CountMacs(setup.architecture).value;
  plan.params = CountParams(setup.architecture);
  plan.train_images = images;
  plan.test_images = setup.data.test->size();
  plan.epochs = options.epochs > 0 ? options.epochs : data.spec == "demo" ? kDemoEpochs : kDefaultEpochs;
  if (options.warmup_epochs >= plan.epochs) {
    ThrowUsage(StrCat("--warmup-epochs ", options.warmup_epochs, " leaves nothing of the ", plan.epochs,
                      " epochs; give fewer"));
  }
  plan.batch = options.batch > 0 ? options.batch : DefaultBatch(images, setup.device.is_cuda());
  plan.lr = options.lr > 0 ? options.lr : std::max(kLeastLr, kBaseLr * plan.batch / 256);
  plan.steps_per_epoch = images / plan.batch + (images % plan.batch > 1 ? 1 : 0);
  plan.device = setup.device.str();
  plan.precision = options.precision == "auto" ? "fp32" : options.precision;
  return setup;
}

Network MakeNetwork(const TrainSetup& setup, bool load_weights) {
  Network network(setup.architecture, setup.options.seed, ParseKernelMode(setup.options.kernels));
  if (load_weights && !setup.options.weights.empty()) {
    const std::string notice = LoadWeights(network, setup.options.weights, /*may_differ_in_classifier=*/true);
    if (!notice.empty()) LogWarning(notice);
  }
  network.To(setup.device);
  return network;
}

Json TrainConfig(const TrainOptions& options) {
  Json config;
  config["schema"] = "nas.train.config/1";
  config["options"] = ToJson(options);
  return config;
}

Json TrainConfig(const TrainSetup& setup) {
  Json config = TrainConfig(setup.options);
  Json plan = ToJson(setup.plan);
  plan.erase("schema");
  // What "auto" became is frozen by the run, not derived anew when it goes on elsewhere.
  if (setup.options.device == "auto") plan["device"] = "auto";
  if (setup.options.precision == "auto") plan["precision"] = "auto";
  plan["arch_hash"] = Hash128Hex(CanonicalDump(ToJson(setup.architecture)));
  plan["data_hash"] = setup.data.listing_hash;
  config["plan"] = std::move(plan);
  return config;
}

}  // namespace nas::detail
