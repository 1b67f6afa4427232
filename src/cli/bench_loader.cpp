// SPDX-License-Identifier: Apache-2.0
#include "bench_loader.h"

#include "nas/core/clock.h"
#include "nas/data/loader.h"

namespace nas::cli {
namespace {

constexpr int kEpochs = 5;
constexpr int kLargeSide = 224;

}  // namespace

std::vector<std::string> LoaderBenchNames() { return {"loader.train", "loader.crop"}; }

std::vector<LoaderSpeed> MeasureLoaders(const std::function<bool(const std::string& name)>& wanted,
                                        const std::string& data, int resolution, int threads) {
  std::vector<LoaderSpeed> speeds;
  DataSplits splits;
  for (const std::string& name : LoaderBenchNames()) {
    if (!wanted(name)) continue;
    if (splits.train == nullptr) {
      DataOptions data_options;
      data_options.spec = data;
      data_options.threads = threads;
      data_options.decoded_limit_bytes = 0;
      splits = OpenData(data_options);
    }
    LoaderOptions options;
    options.small_images = splits.small_images;
    options.resolution = resolution > 0 ? resolution : splits.small_images ? splits.native_side : kLargeSide;
    options.augmentation = Augmentation::kTrain;
    options.color_jitter = name == "loader.train";
    options.shuffle = true;
    options.threads = threads > 1 ? threads : 0;
    Loader loader(splits.train, options);
    LoaderSpeed speed{name, {}};
    for (int epoch = -1; epoch < kEpochs; ++epoch) {
      const Stopwatch watch;
      loader.Seek(epoch + 1, 0);
      Batch batch;
      std::int64_t images = 0;
      while (loader.Next(&batch)) images += batch.labels.size(0);
      if (epoch >= 0) speed.images_per_s.push_back(static_cast<double>(images) / watch.Seconds());
    }
    speeds.push_back(std::move(speed));
  }
  return speeds;
}

}  // namespace nas::cli
