// SPDX-License-Identifier: Apache-2.0
#include "nas/cluster/job_log.h"

#include "nas/core/files.h"
#include "nas/core/text.h"
#include "support/catch_compat.h"

using namespace nas;

namespace {

Incarnation Start(int number, std::int64_t checkpoint) {
  Incarnation start;
  start.number = number;
  start.job = "12";
  start.host = "node1";
  start.checkpoint_step = checkpoint;
  return start;
}

void Checkpoint(const std::filesystem::path& run, int step) {
  MakeDirectory(run / "checkpoints");
  WriteFileAtomic(run / "checkpoints" / StrCat("step-", step, ".safetensors"), "");
}

}  // namespace

TEST_CASE("the log gives back submissions, starts and ends; a line cut short is passed over", "[cluster]") {
  const TempDir run;
  REQUIRE(ReadJobLog(run.path()).incarnations.empty());
  LogSubmission(run.path(), {"search", "--data", "demo"}, "slurm", "12_3", "s/job.sbatch");
  LogStart(run.path(), Start(1, -1));
  LogEnd(run.path(), 1, 75, "stopped");
  LogStart(run.path(), Start(2, 40));
  AppendLine(run.path() / "jobs.jsonl", "{\"event\": \"start\", \"incar");
  const JobLog log = ReadJobLog(run.path());
  REQUIRE(log.args == std::vector<std::string>{"search", "--data", "demo"});
  REQUIRE(log.last_job() == "12_3");
  REQUIRE(log.script == "s/job.sbatch");
  REQUIRE(log.incarnations.size() == 2);
  REQUIRE(log.incarnations[0].exit == 75);
  REQUIRE(log.incarnations[0].cause == "stopped");
  REQUIRE_FALSE(log.incarnations[1].exit);
  REQUIRE(log.incarnations[1].checkpoint_step == 40);
}

TEST_CASE("the guard holds after three dead starts without a newer checkpoint", "[cluster]") {
  const TempDir run;
  const auto guard = [&] { return RestartGuard(run.path(), ReadJobLog(run.path())); };
  Checkpoint(run.path(), 10);
  LogStart(run.path(), Start(1, 10));
  LogStart(run.path(), Start(2, 10));
  LogEnd(run.path(), 2, 1, "out of memory");
  REQUIRE(guard().empty());
  LogStart(run.path(), Start(3, 10));
  REQUIRE(guard().find("out of memory") != std::string::npos);
  REQUIRE(guard().find("killed") != std::string::npos);

  SECTION("a newer checkpoint lifts it") {
    Checkpoint(run.path(), 20);
    REQUIRE(guard().empty());
  }
  SECTION("a stop on request is no failure") {
    LogEnd(run.path(), 3, 75, "stopped");
    REQUIRE(guard().empty());
  }
  SECTION("a new submission is a new chance") {
    LogSubmission(run.path(), {"search"}, "slurm", "13", "");
    REQUIRE(guard().empty());
  }
}

TEST_CASE("the newest checkpoint is that of the highest step", "[cluster]") {
  const TempDir run;
  REQUIRE(NewestCheckpointStep(run.path()) == -1);
  Checkpoint(run.path(), 9);
  Checkpoint(run.path(), 100);
  WriteFileAtomic(run.path() / "checkpoints" / "step-500.tmp", "");
  REQUIRE(NewestCheckpointStep(run.path()) == 100);
}
