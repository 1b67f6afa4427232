// SPDX-License-Identifier: Apache-2.0
#include "nas/cluster/slurm_script.h"

#include "core/expect_error.h"
#include "nas/core/error.h"
#include "support/catch_compat.h"

using namespace nas;
using nas::testing::MessageOf;

namespace {

SlurmJob OneRun() {
  SlurmJob job;
  job.name = "nas-a";
  job.nas = "/opt/nas/bin/nas";
  job.resources.nodes = 2;
  job.resources.ranks_per_node = 4;
  job.resources.cpus_per_rank = 8;
  job.resources.gpus_per_node = 4;
  job.runs = {{{"search", "--data", "my photos", "--target", "cpu=5ms", "--no-profile"}, "runs/a"}};
  job.log = "runs/a/slurm-%j.log";
  return job;
}

}  // namespace

TEST_CASE("the script of one run, byte for byte", "[cluster]") {
  REQUIRE(WriteSlurmScript(OneRun()) == R"sh(#!/bin/bash
#SBATCH --job-name=nas-a --nodes=2 --ntasks-per-node=4 --cpus-per-task=8 --gpus-per-node=4 --time=24:00:00
#SBATCH --requeue --signal=USR1@120 --open-mode=append --output=runs/a/slurm-%j.log
export OMP_NUM_THREADS=$SLURM_CPUS_PER_TASK; NAS=/opt/nas/bin/nas
RUN=runs/a; set -- search --data 'my photos' --target 'cpu=5ms' --no-profile
srun --cpus-per-task=$SLURM_CPUS_PER_TASK --kill-on-bad-exit=0 --wait=300 "$NAS" "$@" --threads=$SLURM_CPUS_PER_TASK --out "$RUN" --resume=auto
rc=$?; [ $rc -eq 75 ] || [ $rc -gt 128 ] || exit $rc
"$NAS" status "$RUN" --resumable; [ $? -eq 75 ] && scontrol requeue $SLURM_JOB_ID && sleep 60; exit $rc
)sh");
}

TEST_CASE("an array chooses its run by the task's index; further options come as they are", "[cluster]") {
  SlurmJob job = OneRun();
  job.resources = JobResources{};
  job.resources.mem = "16G";
  job.resources.partition = "gpu";
  job.resources.sbatch_args = {"--account=me", "--comment=a b"};
  job.array = true;
  job.max_parallel = 3;
  job.build = "abc";
  job.runs = {{{"search", "--seed=0"}, "runs/s/0"}, {{"search", "--seed=1"}, "runs/s/1"}};
  job.log = "runs/s/slurm-%A_%a.log";
  const std::string script = WriteSlurmScript(job);
  INFO(script);
  REQUIRE(script.find("#SBATCH --array=0-1%3\n#SBATCH --account=me\n#SBATCH \"--comment=a b\"\n") != std::string::npos);
  REQUIRE(script.find(" --mem=16G --time=24:00:00 --partition=gpu\n") != std::string::npos);
  REQUIRE(script.find("export NAS_SUBMITTED_BUILD=abc\n") != std::string::npos);
  REQUIRE(
      script.find("  0) RUN=runs/s/0; set -- search '--seed=0' ;;\n  1) RUN=runs/s/1; set -- search '--seed=1' ;;\n") !=
      std::string::npos);
  REQUIRE(script.find("gpus") == std::string::npos);
  job.runs[0].args.push_back("--threads=3");
  REQUIRE(WriteSlurmScript(job).find("--threads=$SLURM") == std::string::npos);
}

TEST_CASE("an evaluation has no run folder and is not requeued", "[cluster]") {
  SlurmJob job = OneRun();
  job.runs = {{{"eval", "--run", "runs/a"}, "runs/e"}};
  const std::string script = WriteSlurmScript(job);
  REQUIRE(script.find("--resume") == std::string::npos);
  REQUIRE(script.find("scontrol") == std::string::npos);
}

TEST_CASE("what cannot stand in a script is refused with the flag's name", "[cluster]") {
  SlurmJob job = OneRun();
  job.resources.sbatch_args = {"account=me"};
  REQUIRE(MessageOf(ErrorKind::kUsage, [&] { WriteSlurmScript(job); }).find("--sbatch-arg account=me") !=
          std::string::npos);
  job.resources.sbatch_args = {"--signal=B:USR1@5"};
  REQUIRE(MessageOf(ErrorKind::kUsage, [&] { WriteSlurmScript(job); }).find("--signal") != std::string::npos);
  job.resources.sbatch_args = {"--comment=a\nrm -rf /"};
  REQUIRE(MessageOf(ErrorKind::kUsage, [&] { WriteSlurmScript(job); }).find("line breaks") != std::string::npos);
  job.resources.sbatch_args.clear();
  job.resources.nodes = 0;
  REQUIRE(MessageOf(ErrorKind::kUsage, [&] { WriteSlurmScript(job); }).find("--nodes 0") != std::string::npos);
}

TEST_CASE("limits as sbatch writes them", "[cluster]") {
  REQUIRE(SlurmSeconds("30") == 1800);
  REQUIRE(SlurmSeconds("30:15") == 1815);
  REQUIRE(SlurmSeconds("1:02:03") == 3723);
  REQUIRE(SlurmSeconds("2-1") == 49 * 3600);
  REQUIRE(SlurmSeconds("2-1:30") == 49.5 * 3600);
  REQUIRE(SlurmSeconds("0-0:10:05") == 605);
  REQUIRE_FALSE(SlurmSeconds("UNLIMITED"));
  REQUIRE_FALSE(SlurmSeconds(""));
  for (const char* wrong : {"4h", "1:2:3:4", "-5", "x-1:00", "1::2"}) {
    INFO(wrong);
    REQUIRE(MessageOf(ErrorKind::kUsage, [&] { SlurmSeconds(wrong); }).find("--time") != std::string::npos);
  }
  const auto validate = [](const std::string& limit) {
    JobResources resources;
    resources.time = limit;
    resources.Validate();
  };
  REQUIRE(MessageOf(ErrorKind::kUsage, [&] { validate("3:59"); }).find("at least 4 minutes") != std::string::npos);
  validate("4:00");
}
