// SPDX-License-Identifier: Apache-2.0
#include "nas/train/evaluator.h"

#include <torch/torch.h>

#include "nas/core/error.h"
#include "nas/core/log.h"
#include "nas/core/text.h"
#include "nas/data/dataset.h"
#include "nas/data/loader.h"
#include "nas/nn/device.h"
#include "nas/nn/network.h"
#include "nas/train/network_setup.h"
#include "network_source.h"

namespace nas {
namespace {

Accuracy EvaluateNetwork(const EvalOptions& options, Progress* progress, const StopFlag* stop) {
  options.Validate();
  const detail::NetworkSource source = detail::ReadNetworkSource(options.arch, options.run, options.target);
  const ThreadScope threads(options.threads);
  const at::Device device = ResolveDevice(options.device);
  Network network(source.architecture, /*seed=*/0);
  LoadWeights(network, options.weights.empty() ? source.weights : std::filesystem::path(options.weights),
              /*may_differ_in_classifier=*/false);

  DataOptions data_options;
  data_options.spec = !options.data.empty() ? options.data : source.is_run ? source.data : "demo";
  // The run's own seed: another one could carve training images of the run into the test set.
  data_options.seed = source.is_run ? source.data_seed : options.seed;
  data_options.threads = options.threads;
  const DataSplits data = OpenData(data_options);
  for (const std::string& note : data.notes) LogInfo(note);
  if (data.test->classes() != source.architecture.classes()) {
    ThrowInput(StrCat(data.spec, " has ", data.test->classes(), " classes, the network ", source.architecture.name,
                      " tells ", source.architecture.classes(), " apart; give the data it was trained on with --data"));
  }

  LoaderOptions loading;
  loading.resolution = source.architecture.resolution;
  loading.small_images = data.small_images;
  loading.batch = options.batch > 0 ? options.batch : loading.resolution < 128 ? 250 : 64;
  loading.threads = options.threads;
  Loader loader(data.test, loading);
  network.To(device);
  std::int64_t done = 0;
  const auto forward = [&](const at::Tensor& images) {
    if (stop != nullptr && stop->requested())
      throw Error(ErrorKind::kInterrupted, "stopped before the evaluation was done");
    if (progress != nullptr) {
      progress->Update({.phase = "eval",
                        .done = static_cast<double>(done),
                        .total = static_cast<double>(data.test->size()),
                        .fields = {},
                        .seconds_left = -1});
    }
    done += images.size(0);
    return network.Forward(images, BnMode::kEval);
  };
  return Evaluate(forward, loader, device);
}

}  // namespace

Accuracy RunEval(const EvalOptions& options, Progress* progress, const StopFlag* stop) {
  try {
    return EvaluateNetwork(options, progress, stop);
  } catch (const c10::Error& error) {
    ThrowInternal(StrCat("LibTorch: ", error.what_without_backtrace()));
  }
}

}  // namespace nas
