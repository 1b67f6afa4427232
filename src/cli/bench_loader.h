// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace nas::cli {

/// Images per second of one loader item, one value per epoch.
struct LoaderSpeed {
  std::string name;
  std::vector<double> images_per_s;
};

/// `loader.train`: the training augmentation; `loader.crop`: random crop, flip and normalisation alone.
std::vector<std::string> LoaderBenchNames();

/// Reads `data` (demo, a folder or its pack, cifar10:DIR) epoch by epoch, decoding each image each time. `resolution` 0
/// is the images' own side, or 224 of large ones. One thread works in the caller's.
std::vector<LoaderSpeed> MeasureLoaders(const std::function<bool(const std::string& name)>& wanted,
                                        const std::string& data, int resolution, int threads);

}  // namespace nas::cli
