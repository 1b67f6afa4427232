// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

namespace nas {

/// `rendezvous.json` in the run folder: the port where rank 0 really listens, when the one that all ranks had worked
/// out for themselves was taken (cluster.md §2). Holds for one start only: an older one's file says nothing.
class RendezvousFile {
 public:
  /// `key`: of this start, `RankEnv::run_key`. Nothing is read or written yet.
  RendezvousFile(std::filesystem::path run, std::string key) : run_(std::move(run)), key_(std::move(key)) {}

  const std::filesystem::path& run() const { return run_; }
  std::filesystem::path path() const { return run_ / "rendezvous.json"; }
  /// Makes the folder where it is not there yet. Throws kInput when the file cannot be written.
  void Publish(int port) const;
  /// 0 = this start has published none (yet).
  int Port() const;

 private:
  std::filesystem::path run_;
  std::string key_;
};

}  // namespace nas
