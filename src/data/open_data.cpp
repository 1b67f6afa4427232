// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <filesystem>
#include <string_view>
#include <utility>

#include "cifar_binary.h"
#include "class_split.h"
#include "demo_dataset.h"
#include "image_folder.h"
#include "nas/core/error.h"
#include "nas/core/text.h"
#include "nas/data/dataset.h"
#include "seed_streams.h"

namespace nas {
namespace {

std::shared_ptr<const Dataset> LimitPerClass(std::shared_ptr<const Dataset> dataset, std::int64_t limit,
                                             std::uint64_t seed) {
  std::vector<bool> kept(dataset->size());
  const auto by_class = detail::IndicesByClass(*dataset);
  for (std::size_t c = 0; c < by_class.size(); ++c) {
    const auto count = std::min(limit, static_cast<std::int64_t>(by_class[c].size()));
    for (const auto i : detail::ChooseOfClass(by_class[c], count, seed, detail::kLimitSalt, static_cast<int>(c))) {
      kept[i] = true;
    }
  }
  std::vector<std::int64_t> indices;
  for (std::int64_t i = 0; i < dataset->size(); ++i) {
    if (kept[i]) indices.push_back(i);
  }
  return Subset(std::move(dataset), std::move(indices));
}

}  // namespace

DataSplits OpenData(const DataOptions& options) {
  constexpr std::string_view kCifarPrefix = "cifar10:";
  if (options.limit_per_class < 0) {
    ThrowUsage(StrCat("limit per class is ", options.limit_per_class, "; give a number of images, or 0 for all"));
  }
  if (options.spec.empty())
    ThrowInput("the data set is not named; give a folder of class folders, cifar10:DIR or demo");
  DataSplits splits;
  try {
    if (options.spec == "demo") {
      splits = detail::MakeDemoData(options.seed, options.threads);
    } else if (StartsWith(options.spec, kCifarPrefix)) {
      splits = detail::OpenCifarBinary(options.spec.substr(kCifarPrefix.size()));
    } else {
      return detail::OpenImageFolder(options);
    }
  } catch (const std::filesystem::filesystem_error& error) {
    ThrowInput(StrCat("cannot read ", error.path1().string(), " (", error.code().message(), "); check its rights"));
  }
  splits.spec = options.spec;
  if (options.limit_per_class > 0) {
    splits.train = LimitPerClass(splits.train, options.limit_per_class, options.seed);
  }
  return splits;
}

}  // namespace nas
