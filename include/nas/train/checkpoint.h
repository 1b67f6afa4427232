// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <optional>

#include <nlohmann/json.hpp>

#include "nas/core/json.h"
#include "nas/dist/communicator.h"
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

/// Rank 0's checkpoint on all ranks: no crowd at the file system, no stale caches.
Checkpoint ShareCheckpoint(Communicator& ranks, Checkpoint checkpoint);

/// Checkpoints of one run in a folder: `step-<n>.safetensors`, written through temp file, fsync and rename; the last
/// two are kept.
class CheckpointStore {
 public:
  /// `fence`: asked once a file is written and before it gets its name; throws when the run belongs to somebody else.
  explicit CheckpointStore(std::filesystem::path folder, std::function<void()> fence = nullptr)
      : folder_(std::move(folder)), fence_(std::move(fence)) {}
  void Save(const Checkpoint& checkpoint, std::int64_t step);
  /// The newest readable one; a damaged newest falls back to the one before with a warning. nullopt when the folder has
  /// none. Throws kInput when there are checkpoints and none can be read, naming file and fault.
  std::optional<Checkpoint> LoadLatest() const;
  /// Path of the newest checkpoint, "" = none.
  std::filesystem::path Latest() const;

 private:
  std::filesystem::path folder_;
  std::function<void()> fence_;
};

}  // namespace nas
