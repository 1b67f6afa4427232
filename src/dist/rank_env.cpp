// SPDX-License-Identifier: Apache-2.0
#include "nas/dist/rank_env.h"

#include "nas/core/error.h"
#include "nas/core/text.h"

namespace nas {
namespace {

std::string Value(const Environment& environment, const std::string& name) {
  const auto it = environment.find(name);
  return it == environment.end() ? "" : it->second;
}

long long Number(const Environment& environment, const std::string& name, long long low, long long high) {
  const std::string text = Value(environment, name);
  long long number = 0;
  if (!ParseInt(text, &number) || number < low || number > high) {
    ThrowUsage(StrCat(name, "=", text, ": a whole number from ", low, " to ", high, " is needed"));
  }
  return number;
}

constexpr long long kMaxRanks = 65'536;

void ReadRankOf(const Environment& environment, const char* rank, const char* size, RankEnv* out) {
  out->size = static_cast<int>(Number(environment, size, 1, kMaxRanks));
  out->rank = static_cast<int>(Number(environment, rank, 0, kMaxRanks));
  if (out->rank >= out->size) {
    ThrowUsage(StrCat(rank, "=", out->rank, " is not below ", size, "=", out->size, "; ranks count from 0"));
  }
}

RankEnv FromTorchrun(const Environment& environment) {
  RankEnv out;
  out.source = "torchrun";
  ReadRankOf(environment, "RANK", "WORLD_SIZE", &out);
  out.master_addr = Value(environment, "MASTER_ADDR");
  out.master_port = static_cast<int>(Number(environment, "MASTER_PORT", 1, 65'535));
  out.port_given = true;
  out.agent_store = Value(environment, "TORCHELASTIC_USE_AGENT_STORE") == "True";
  if (!Value(environment, "LOCAL_RANK").empty()) {
    out.local_rank = static_cast<int>(Number(environment, "LOCAL_RANK", 0, kMaxRanks));
  }
  std::string job = Value(environment, "TORCHELASTIC_RUN_ID");
  if (job.empty()) job = "run";
  std::string restart = Value(environment, "TORCHELASTIC_RESTART_COUNT");
  out.run_key = StrCat("nas/", job, "/0/", restart.empty() ? "0" : restart);
  return out;
}

RankEnv FromSlurmStep(const Environment& environment, const FirstHost& first_host) {
  constexpr long long kBig = 1LL << 40;
  RankEnv out;
  out.source = "slurm";
  ReadRankOf(environment, "SLURM_PROCID", "SLURM_STEP_NUM_TASKS", &out);
  if (!Value(environment, "SLURM_LOCALID").empty()) {
    out.local_rank = static_cast<int>(Number(environment, "SLURM_LOCALID", 0, kMaxRanks));
  }
  const long long job = Number(environment, "SLURM_JOB_ID", 0, kBig);
  const long long step = Number(environment, "SLURM_STEP_ID", 0, kBig);
  std::string restart = Value(environment, "SLURM_RESTART_COUNT");
  out.run_key = StrCat("nas/", job, "/", step, "/", restart.empty() ? "0" : restart);
  if (out.size == 1) return out;
  out.master_port = SlurmPort(job, step);
  const std::string nodes = Value(environment, "SLURM_STEP_NODELIST");
  if (nodes.empty()) ThrowUsage("SLURM_STEP_NODELIST is not set in a Slurm step; start the ranks with srun");
  out.master_addr = first_host(nodes);
  if (out.master_addr.empty()) ThrowUsage(StrCat("SLURM_STEP_NODELIST=", nodes, " names no host"));
  return out;
}

/// Processes that mpirun has started without telling where they meet would each do the whole run, in one folder.
void RefuseBareMpi(const Environment& environment) {
  for (const char* name : {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE"}) {
    long long size = 0;
    if (!ParseInt(Value(environment, name), &size) || size < 2) continue;
    ThrowUsage(StrCat("mpirun started ", size, " processes (", name,
                      "), but RANK, WORLD_SIZE, MASTER_ADDR and MASTER_PORT are not set; set all four, or start one"));
  }
}

}  // namespace

const std::vector<std::string>& RankVariables() {
  static const std::vector<std::string> names{"RANK",
                                              "WORLD_SIZE",
                                              "LOCAL_RANK",
                                              "MASTER_ADDR",
                                              "MASTER_PORT",
                                              "SLURM_STEP_ID",
                                              "SLURM_PROCID",
                                              "SLURM_STEP_NUM_TASKS",
                                              "SLURM_LOCALID",
                                              "SLURM_STEP_NODELIST",
                                              "SLURM_JOB_ID",
                                              "SLURM_RESTART_COUNT",
                                              "TORCHELASTIC_USE_AGENT_STORE",
                                              "TORCHELASTIC_RUN_ID",
                                              "TORCHELASTIC_RESTART_COUNT",
                                              "OMPI_COMM_WORLD_SIZE",
                                              "PMI_SIZE"};
  return names;
}

int SlurmPort(long long job, long long step) { return static_cast<int>(20'000 + (job + 997 * step) % 12'000); }

RankEnv ParseRankEnv(const Environment& environment, int asked_ranks, const FirstHost& first_host) {
  const std::vector<std::string> four{"RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT"};
  std::vector<std::string> missing;
  for (const std::string& name : four) {
    if (Value(environment, name).empty()) missing.push_back(name);
  }
  RankEnv out;
  if (missing.empty()) {
    out = FromTorchrun(environment);
  } else if (missing.size() < four.size()) {
    ThrowUsage(StrCat("of the launcher's variables RANK, WORLD_SIZE, MASTER_ADDR, MASTER_PORT these are missing: ",
                      Join(missing, ", "), "; set all four or none"));
  } else if (!Value(environment, "SLURM_STEP_ID").empty()) {
    out = FromSlurmStep(environment, first_host);
  } else {
    RefuseBareMpi(environment);
  }
  if (asked_ranks > 0 && out.size > 1 && asked_ranks != out.size) {
    ThrowUsage(StrCat("--ranks ", asked_ranks, ", but the launcher (", out.source, ") started ", out.size,
                      " ranks; leave --ranks out"));
  }
  return out;
}

}  // namespace nas
