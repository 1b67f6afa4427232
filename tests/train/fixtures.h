// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>

#include "nas/core/files.h"
#include "nas/core/json.h"
#include "nas/core/log.h"
#include "nas/space/search_space.h"
#include "nas/train/train_options.h"

namespace nas::testing {

/// A network of the `tiny` space for `classes` classes.
inline Architecture TinyNetwork(int classes = 10, const Choice& choice = {1, 1, 6, 3, 0}) {
  const SearchSpace space = SearchSpace::Load("tiny", {1.0, 0, classes}, {NAS_SOURCE_DIR "/search_spaces"});
  return space.Build(choice);
}

inline std::filesystem::path WriteArchitecture(const std::filesystem::path& path, const Architecture& architecture) {
  WriteFileAtomic(path, PrettyDump(ToJson(architecture)));
  return path;
}

/// A training of seconds: 80 demo pictures, 3 epochs of 5 steps.
inline TrainOptions QuickTraining(const std::filesystem::path& arch, const std::filesystem::path& out) {
  ConfigureLog({.console = LogLevel::kOff, .color = false, .file = ""});  // also lets go of the log of the run before
  TrainOptions options;
  options.arch = arch.string();
  options.data = "demo";
  options.limit_per_class = 8;
  options.epochs = 3;
  options.batch = 16;
  options.eval_every = 3;
  options.out = out.string();
  return options;
}

}  // namespace nas::testing
