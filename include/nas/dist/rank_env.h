// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace nas {

/// Where this process stands among the ranks of a job, and where they meet.
struct RankEnv {
  int rank = 0;
  int size = 1;
  int local_rank = -1;      ///< among the ranks of this machine; −1 = to be found out
  std::string master_addr;  ///< host of rank 0; "" = this process is alone
  int master_port = 0;
  bool port_given = false;   ///< by the user or launcher: no other one may be taken
  bool agent_store = false;  ///< the launcher hosts the store, and rank 0 is a client, too
  std::string source;        ///< "torchrun", "slurm", "" = alone
  std::string run_key;       ///< prefix of the store's keys: `nas/<job>/<step>/<restart>`

  bool alone() const { return size == 1; }
};

using Environment = std::map<std::string, std::string>;

/// First host of a Slurm node list (`scontrol show hostnames`); asked only where Slurm's variables are used.
using FirstHost = std::function<std::string(const std::string& nodelist)>;

/// Reads the variables of torchrun (RANK, WORLD_SIZE, MASTER_ADDR, MASTER_PORT), else those of a Slurm step
/// (cluster.md §2; a batch shell has SLURM_PROCID but no step, and is no rank), else a single process. Pure.
/// `asked_ranks`: `--ranks`, 0 = not given. Throws kUsage: some of the four variables missing, a value that is no
/// number, RANK ≥ WORLD_SIZE, `--ranks` that contradicts the launcher.
RankEnv ParseRankEnv(const Environment& environment, int asked_ranks, const FirstHost& first_host);

/// The names that `ParseRankEnv` reads.
const std::vector<std::string>& RankVariables();

/// Port of a Slurm step below Linux's ephemeral ports: 20000 + (job + 997·step) mod 12000.
int SlurmPort(long long job, long long step);

}  // namespace nas
