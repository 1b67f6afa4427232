// SPDX-License-Identifier: Apache-2.0
#include "nas/dist/rank_env.h"

#include <utility>

#include "core/expect_error.h"
#include "support/catch_compat.h"

using namespace nas;
using nas::testing::MessageOf;

namespace {

void Set(Environment* environment, const std::string& name, std::string value) {
  environment->insert_or_assign(name, std::move(value));
}

std::string NoHost(const std::string&) { return ""; }

Environment Torchrun() {
  return {{"RANK", "3"}, {"WORLD_SIZE", "4"}, {"MASTER_ADDR", "node1"}, {"MASTER_PORT", "29500"}, {"LOCAL_RANK", "1"}};
}

Environment SlurmStep() {
  return {{"SLURM_STEP_ID", "2"}, {"SLURM_PROCID", "5"},       {"SLURM_STEP_NUM_TASKS", "8"},
          {"SLURM_LOCALID", "1"}, {"SLURM_JOB_ID", "20000"},   {"SLURM_STEP_NODELIST", "node[3-4]"},
          {"SLURM_NTASKS", "99"}, {"SLURM_RESTART_COUNT", "1"}};
}

std::string Refusal(const Environment& environment, int asked = 0) {
  return MessageOf(ErrorKind::kUsage, [&] { ParseRankEnv(environment, asked, NoHost); });
}

bool Contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("torchrun's variables are taken as they stand", "[dist]") {
  Environment environment = Torchrun();
  Set(&environment, "TORCHELASTIC_USE_AGENT_STORE", "True");
  Set(&environment, "TORCHELASTIC_RUN_ID", "x");
  Set(&environment, "TORCHELASTIC_RESTART_COUNT", "2");
  const RankEnv ranks = ParseRankEnv(environment, 0, NoHost);
  REQUIRE(ranks.rank == 3);
  REQUIRE(ranks.size == 4);
  REQUIRE(ranks.local_rank == 1);
  REQUIRE(ranks.master_addr == "node1");
  REQUIRE(ranks.master_port == 29500);
  REQUIRE(ranks.port_given);
  REQUIRE(ranks.agent_store);
  REQUIRE(ranks.run_key == "nas/x/0/2");
  environment.erase("LOCAL_RANK");
  REQUIRE(ParseRankEnv(environment, 4, NoHost).local_rank == -1);
}

TEST_CASE("each missing variable is named", "[dist]") {
  for (const char* name : {"RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT"}) {
    Environment environment = Torchrun();
    environment.erase(name);
    REQUIRE(Contains(Refusal(environment), std::string("missing: ") + name + ";"));
  }
}

TEST_CASE("values that are no ranks are refused", "[dist]") {
  Environment environment = Torchrun();
  Set(&environment, "RANK", "4");
  REQUIRE(Contains(Refusal(environment), "RANK=4 is not below WORLD_SIZE=4"));
  Set(&environment, "RANK", "two");
  REQUIRE(Contains(Refusal(environment), "RANK=two"));
  Set(&environment, "RANK", "-1");
  REQUIRE(Contains(Refusal(environment), "RANK=-1"));
  environment = Torchrun();
  Set(&environment, "MASTER_PORT", "70000");
  REQUIRE(Contains(Refusal(environment), "MASTER_PORT=70000"));
  REQUIRE(Contains(Refusal(Torchrun(), 2), "--ranks 2, but the launcher (torchrun) started 4"));
}

TEST_CASE("a Slurm step gives ranks, a batch shell does not", "[dist]") {
  std::string asked;
  const RankEnv ranks = ParseRankEnv(SlurmStep(), 0, [&](const std::string& nodes) {
    asked = nodes;
    return std::string("node3");
  });
  REQUIRE(asked == "node[3-4]");
  REQUIRE(ranks.rank == 5);
  REQUIRE(ranks.size == 8);
  REQUIRE(ranks.local_rank == 1);
  REQUIRE(ranks.master_addr == "node3");
  REQUIRE(ranks.master_port == 20'000 + (20'000 + 2 * 997) % 12'000);
  REQUIRE(ranks.run_key == "nas/20000/2/1");
  REQUIRE_FALSE(ranks.port_given);

  Environment shell = SlurmStep();
  shell.erase("SLURM_STEP_ID");
  Set(&shell, "SLURM_PROCID", "0");
  REQUIRE(ParseRankEnv(shell, 0, NoHost).alone());

  Environment one = SlurmStep();
  Set(&one, "SLURM_STEP_NUM_TASKS", "1");
  Set(&one, "SLURM_PROCID", "0");
  REQUIRE(ParseRankEnv(one, 4, NoHost).alone());  // --ranks starts them here

  REQUIRE(Contains(Refusal(SlurmStep()), "names no host"));
}

TEST_CASE("torchrun inside srun: the launcher's variables win; nothing at all is a single process", "[dist]") {
  Environment both = SlurmStep();
  for (const auto& [name, value] : Torchrun()) both.insert_or_assign(name, value);
  REQUIRE(ParseRankEnv(both, 0, NoHost).source == "torchrun");
  const RankEnv alone = ParseRankEnv({}, 0, NoHost);
  REQUIRE(alone.alone());
  REQUIRE(alone.rank == 0);
}

TEST_CASE("mpirun without the four variables is refused: each process would do the whole run", "[dist]") {
  Environment environment{{"OMPI_COMM_WORLD_SIZE", "2"}};
  REQUIRE(Contains(Refusal(environment), "mpirun started 2 processes"));
  REQUIRE(Contains(Refusal({{"PMI_SIZE", "3"}}), "PMI_SIZE"));
  REQUIRE(ParseRankEnv({{"OMPI_COMM_WORLD_SIZE", "1"}}, 0, NoHost).size == 1);
  for (const auto& [name, value] : Torchrun()) Set(&environment, name, value);
  REQUIRE(ParseRankEnv(environment, 0, NoHost).size == 4);
  Environment step = SlurmStep();
  Set(&step, "SLURM_STEP_NUM_TASKS", "1");
  Set(&step, "SLURM_PROCID", "0");
  Set(&step, "PMI_SIZE", "2");
  REQUIRE(ParseRankEnv(step, 0, NoHost).size == 1);
}

TEST_CASE("ports of Slurm steps lie below the ephemeral ones", "[dist]") {
  for (long long job = 0; job < 30'000; job += 77) {
    const int port = SlurmPort(job, job % 7);
    REQUIRE(port >= 20'000);
    REQUIRE(port < 32'000);
  }
  REQUIRE(SlurmPort(1, 0) != SlurmPort(1, 1));
}
