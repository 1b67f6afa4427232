// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "nas/core/files.h"
#include "nas/core/subprocess.h"

namespace nas::test {

/// A program made of lines of shell.
void WriteProgram(const std::filesystem::path& path, const std::string& text);

/// The built `nas` in a folder of its own, beside a part for computing that only pretends: it counts steps, writes
/// checkpoints and results as a search does, and stops on USR1 with 75. Its speed is the variable FAKE_STEP_S.
class FakeInstallation {
 public:
  FakeInstallation();
  std::string nas() const { return (dir_.path() / "bin" / "nas").string(); }
  const std::filesystem::path& path() const { return dir_.path(); }
  /// Runs `nas` in this folder with more environment.
  SubprocessResult Run(const std::vector<std::string>& arguments,
                       const std::vector<std::string>& environment = {}) const;

 private:
  TempDir dir_;
};

/// Fake sbatch, squeue, scancel and scontrol, which write down what they were called with. Files in the folder say
/// what they answer: `sbatch.err` (refuses), `squeue.out`, `squeue.err`.
class FakeSlurm {
 public:
  FakeSlurm();
  const std::filesystem::path& path() const { return dir_.path(); }
  /// `PATH=<folder>:…` for `env`.
  std::string environment() const;
  std::string calls() const;
  void Answer(const std::string& file, const std::string& text) const;

 private:
  TempDir dir_;
};

/// A Slurm of one node, started for as long as this object lives.
class OneNodeSlurm {
 public:
  OneNodeSlurm();
  ~OneNodeSlurm();
  OneNodeSlurm(const OneNodeSlurm&) = delete;
  OneNodeSlurm& operator=(const OneNodeSlurm&) = delete;
  /// Why there is none here (not root, not installed), "" = it can be started.
  static std::string Missing();
  std::string environment() const { return "SLURM_CONF=" + (dir_.path() / "slurm.conf").string(); }
  const std::string& fault() const { return fault_; }
  SubprocessResult Run(const std::vector<std::string>& argv) const;

 private:
  TempDir dir_;
  std::string fault_;
};

/// Asks every tenth of a second, up to `seconds`; false when it did not become true.
bool Eventually(double seconds, const std::function<bool()>& condition);

}  // namespace nas::test
