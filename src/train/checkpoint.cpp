// SPDX-License-Identifier: Apache-2.0
#include "nas/train/checkpoint.h"

#include <fcntl.h>
#include <unistd.h>

#include <torch/torch.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string_view>
#include <vector>

#include "nas/core/error.h"
#include "nas/core/files.h"
#include "nas/core/hash.h"
#include "nas/core/log.h"
#include "nas/core/text.h"

namespace nas {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view kPrefix = "step-";
constexpr std::string_view kUnnamed = ".tmp-";
constexpr std::string_view kSuffix = ".safetensors";
constexpr std::string_view kSchema = "nas.checkpoint/1";
constexpr std::size_t kKept = 2;

struct Saved {
  std::int64_t step = 0;
  fs::path path;
};

/// Checkpoints in a folder, newest first.
std::vector<Saved> List(const fs::path& folder) {
  std::vector<Saved> saved;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    const std::string name = it->path().filename().string();
    if (!StartsWith(name, kPrefix) || !EndsWith(name, kSuffix)) continue;
    long long step = 0;
    const std::string_view digits(name.data() + kPrefix.size(), name.size() - kPrefix.size() - kSuffix.size());
    if (ParseInt(digits, &step)) saved.push_back({step, it->path()});
  }
  std::sort(saved.begin(), saved.end(), [](const Saved& a, const Saved& b) { return a.step > b.step; });
  return saved;
}

/// A name is safe once its folder is.
void SyncFolder(const fs::path& folder) {
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;
  ::fsync(fd);
  ::close(fd);
}

/// Hash of state and tensors, so that a flipped bit is told from a good checkpoint. Tensors: on the CPU, contiguous.
std::string Fingerprint(const NamedTensorList& tensors, const std::string& state) {
  std::string parts = Hash128Hex(state);
  for (const auto& [name, tensor] : tensors) {
    parts += StrCat(name, ":", Hash128Hex({static_cast<const char*>(tensor.const_data_ptr()), tensor.nbytes()}), ";");
  }
  return Hash128Hex(parts);
}

Checkpoint Load(const fs::path& path) {
  SafetensorsFile file = ReadSafetensors(path);
  const auto& metadata = file.metadata;
  const auto schema = metadata.find("nas.schema");
  if (schema == metadata.end() || schema->second != kSchema || !metadata.contains("nas.state") ||
      !metadata.contains("nas.hash")) {
    ThrowInput(StrCat(path.string(), " is not a checkpoint of this program (schema ", kSchema, ")"));
  }
  const std::string& state = metadata.at("nas.state");
  if (Fingerprint(file.tensors, state) != metadata.at("nas.hash")) {
    ThrowInput(StrCat(path.string(), " is damaged: its content does not have the hash that was written with it"));
  }
  Checkpoint checkpoint;
  checkpoint.state = Json::parse(state);
  checkpoint.tensors = std::move(file.tensors);
  return checkpoint;
}

}  // namespace

NamedTensorList Checkpoint::Under(const std::string& prefix) const {
  NamedTensorList found;
  for (const auto& [name, tensor] : tensors) {
    if (StartsWith(name, prefix)) found.emplace_back(name.substr(prefix.size()), tensor);
  }
  return found;
}

void Checkpoint::Add(const std::string& prefix, const NamedTensorList& added) {
  for (const auto& [name, tensor] : added) tensors.emplace_back(prefix + name, tensor);
}

Checkpoint ShareCheckpoint(Communicator& ranks, Checkpoint checkpoint) {
  if (ranks.Size() == 1) return checkpoint;
  const torch::NoGradGuard no_grad;
  Json list = Json::array();
  for (const auto& [name, tensor] : checkpoint.tensors) {
    list.push_back({name, static_cast<int>(tensor.scalar_type()), tensor.sizes().vec()});
  }
  const Json heading =
      Json::parse(BroadcastText(ranks, Json{{"state", checkpoint.state}, {"tensors", list}}.dump(), 0));
  if (ranks.Rank() != 0) {
    checkpoint.state = heading.at("state");
    checkpoint.tensors.clear();
  }
  for (std::size_t i = 0; i < heading.at("tensors").size(); ++i) {
    const Json& entry = heading.at("tensors")[i];
    const auto type = static_cast<at::ScalarType>(entry.at(1).get<int>());
    at::Tensor flat = ranks.Rank() == 0 ? checkpoint.tensors[i].second.detach().cpu().contiguous()
                                        : at::empty(entry.at(2).get<std::vector<std::int64_t>>(), type);
    ranks.Broadcast(flat, 0);
    if (ranks.Rank() != 0) checkpoint.tensors.emplace_back(entry.at(0).get<std::string>(), flat);
  }
  return checkpoint;
}

void CheckpointStore::Save(const Checkpoint& checkpoint, std::int64_t step) {
  const torch::NoGradGuard no_grad;
  MakeDirectory(folder_);
  NamedTensorList on_host;
  on_host.reserve(checkpoint.tensors.size());
  for (const auto& [name, tensor] : checkpoint.tensors) on_host.emplace_back(name, tensor.detach().cpu().contiguous());
  const std::string state = checkpoint.state.dump();
  const fs::path path = folder_ / StrCat(kPrefix, step, kSuffix);
  const fs::path unnamed = folder_ / StrCat(kUnnamed, step);
  std::error_code error;
  WriteSafetensors(
      unnamed, on_host,
      {{"nas.schema", std::string(kSchema)}, {"nas.state", state}, {"nas.hash", Fingerprint(on_host, state)}});
  try {
    if (fence_) fence_();
  } catch (...) {
    fs::remove(unnamed, error);
    throw;
  }
  fs::rename(unnamed, path, error);
  if (error) ThrowInput(StrCat("cannot write ", path.string(), ": ", error.message()));
  SyncFolder(folder_);

  // Only now that the new one is safe. Later steps belong to a future that was given up (a damaged newest, see
  // LoadLatest).
  std::error_code ignored;
  std::size_t kept = 0;
  for (const Saved& saved : List(folder_)) {
    if (saved.step <= step && kept++ < kKept) continue;
    fs::remove(saved.path, ignored);
  }
}

std::optional<Checkpoint> CheckpointStore::LoadLatest() const {
  std::string first_fault;
  for (const Saved& saved : List(folder_)) {
    try {
      Checkpoint checkpoint = Load(saved.path);
      if (!first_fault.empty()) LogWarning(StrCat(first_fault, "; going on from ", saved.path.string()));
      return checkpoint;
    } catch (const Error& error) {
      if (first_fault.empty()) first_fault = error.what();
    } catch (const Json::exception&) {
      if (first_fault.empty()) first_fault = StrCat(saved.path.string(), " is damaged: its state is not JSON");
    }
  }
  if (!first_fault.empty()) {
    ThrowInput(StrCat(first_fault, "; no other checkpoint can be read: remove ", folder_.string(), " to start anew"));
  }
  return std::nullopt;
}

fs::path CheckpointStore::Latest() const {
  const std::vector<Saved> saved = List(folder_);
  return saved.empty() ? fs::path() : saved.front().path;
}

}  // namespace nas
