// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>

#include <nlohmann/json.hpp>

#include "nas/core/json.h"
#include "nas/nn/safetensors.h"

namespace nas {

/// Everything a run needs to go on bit for bit: tensors by name and small values as JSON.
struct Checkpoint {
  NamedTensorList tensors;  ///< names prefixed by owner: "weights/…", "momentum/…", "ema/…"
  Json state;               ///< counters, alphas (as exact hex or shortest round-trip), λ, config hash, …

  /// The tensors whose name starts with `prefix`, which is cut off.
  NamedTensorList Under(const std::string& prefix) const;
  void Add(const std::string& prefix, const NamedTensorList& tensors);
};

/// Checkpoints of one run in a folder: `step-<n>.safetensors`, written through temp file, fsync and rename; the last
/// two are kept.
class CheckpointStore {
 public:
  explicit CheckpointStore(std::filesystem::path folder) : folder_(std::move(folder)) {}
  void Save(const Checkpoint& checkpoint, std::int64_t step);
  /// The newest readable one; a damaged newest falls back to the one before with a warning. nullopt when the folder has
  /// none. Throws kInput when there are checkpoints and none can be read, naming file and fault.
  std::optional<Checkpoint> LoadLatest() const;
  /// Path of the newest checkpoint, "" = none.
  std::filesystem::path Latest() const;

 private:
  std::filesystem::path folder_;
};

}  // namespace nas
