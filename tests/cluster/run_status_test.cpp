// SPDX-License-Identifier: Apache-2.0
#include "nas/cluster/run_status.h"

#include <unistd.h>

#include <nlohmann/json.hpp>

#include "core/expect_error.h"
#include "nas/cluster/run_journal.h"
#include "nas/core/files.h"
#include "support/catch_compat.h"

using namespace nas;
using nas::testing::MessageOf;

namespace {

StatusInputs Inputs(const std::string& said, double age, const std::string& queue_state) {
  StatusInputs in;
  in.now = 1000;
  in.is_run = true;
  in.job = "12";
  in.queue_known = true;
  if (!said.empty()) {
    in.file =
        std::make_shared<const Json>(Json{{"state", said}, {"time", 1000 - age}, {"exit", nullptr}, {"job", "12"}});
  }
  if (!queue_state.empty()) in.queue = QueueEntry{"12", queue_state, "BeginTime", "2026-11-24T10:00:00", ""};
  return in;
}

std::string StateOf(const StatusInputs& in) { return DecideStatus("runs/a", in).state; }

void WriteStatus(const std::filesystem::path& run, const Json& status) {
  WriteFileAtomic(run / "status.json", status.dump());
}

double Now() { return static_cast<double>(::time(nullptr)); }

}  // namespace

TEST_CASE("file x queue gives the state", "[cluster]") {
  struct Row {
    const char* said;
    double age;
    const char* queue;
    const char* state;
  };
  const Row rows[] = {{"", 0, "PENDING", "queued"},
                      {"", 0, "RUNNING", "starting"},
                      {"", 0, "", "lost"},
                      {"running", 5, "RUNNING", "running"},
                      {"running", 121, "RUNNING", "stalled"},
                      {"running", 5, "PENDING", "requeued"},
                      {"running", 5, "", "lost"},
                      {"checkpointed", 5, "", "stopped"},
                      {"checkpointed", 5, "PENDING", "requeued"},
                      {"failed", 5, "RUNNING", "failed"},
                      {"finished", 5, "RUNNING", "finished"},
                      {"failed", 5, "", "failed"},
                      {"checkpointed", 5, "RUNNING", "stopping"}};
  for (const Row& row : rows) {
    INFO(row.said << " x " << row.queue);
    REQUIRE(StateOf(Inputs(row.said, row.age, row.queue)) == row.state);
  }
}

TEST_CASE("a run without a batch job: the process and the age of its file decide", "[cluster]") {
  StatusInputs in = Inputs("running", 5, "");
  in.queue_known = false;
  REQUIRE(StateOf(in) == "running");
  in.process_lives = false;
  REQUIRE(StateOf(in) == "lost");
  in = Inputs("running", 500, "");
  in.queue_known = false;
  REQUIRE(StateOf(in) == "lost");
  in.process_lives = true;
  REQUIRE(StateOf(in) == "stalled");
}

TEST_CASE("what was lost or stopped says how to go on; a start time is shown", "[cluster]") {
  REQUIRE(DecideStatus("runs/a", Inputs("running", 5, "")).detail == "go on with: nas submit --resume runs/a");
  REQUIRE(DecideStatus("runs/a", Inputs("checkpointed", 5, "")).detail == "go on with: nas submit --resume runs/a");
  const RunStatus requeued = DecideStatus("runs/a", Inputs("checkpointed", 5, "PENDING"));
  REQUIRE(requeued.detail == "BeginTime, starts 2026-11-24T10:00:00");
  const Json json = ToJson(requeued);
  REQUIRE(json.value("schema", "") == "nas.status/1");
  REQUIRE(json["queue"]["state"] == "PENDING");
  REQUIRE(json["queue"]["start"] == "2026-11-24T10:00:00");
  REQUIRE(json["heartbeat_age_s"] == 5.0);
}

TEST_CASE("resumable: checkpointed or dead, and nothing that forbids it", "[cluster]") {
  const TempDir run;
  REQUIRE_FALSE(Resumable(run.path(), "12"));  // nothing was ever submitted here
  LogSubmission(run.path(), {"search"}, "slurm", "12", "");
  REQUIRE(Resumable(run.path(), "12"));
  WriteStatus(run.path(), {{"state", "checkpointed"}, {"job", "12"}, {"time", Now()}});
  REQUIRE(Resumable(run.path(), "12"));
  WriteStatus(run.path(), {{"state", "running"}, {"job", "12"}, {"time", Now()}});
  REQUIRE(Resumable(run.path(), "12"));  // killed: its own job asks
  REQUIRE_FALSE(Resumable(run.path(), "13"));
  WriteStatus(run.path(), {{"state", "running"}, {"job", "12"}, {"time", Now() - 300}});
  REQUIRE(Resumable(run.path(), "13"));
  WriteStatus(run.path(), {{"state", "failed"}, {"job", "12"}, {"time", Now()}});
  REQUIRE_FALSE(Resumable(run.path(), "12"));
  WriteStatus(run.path(), {{"state", "checkpointed"}, {"job", "12"}, {"time", Now()}});

  SECTION("cancelled") {
    MarkCancelled(run.path());
    REQUIRE_FALSE(Resumable(run.path(), "12"));
    ClearCancelled(run.path());
    REQUIRE(Resumable(run.path(), "12"));
  }
  SECTION("finished") {
    WriteFileAtomic(run.path() / "result.json", "{}");
    REQUIRE_FALSE(Resumable(run.path(), "12"));
  }
  SECTION("the guard") {
    for (int k = 1; k <= 3; ++k) {
      Incarnation start;
      start.number = k;
      start.job = "12";
      LogStart(run.path(), start);
    }
    REQUIRE(MessageOf(ErrorKind::kInternal, [&] { Resumable(run.path(), "12"); }).find("3 times in a row") !=
            std::string::npos);
  }
}

TEST_CASE("jobs are found by number, sweeps by folder", "[cluster]") {
  const TempDir dir;
  LogSubmission(dir.path() / "runs" / "a", {"search"}, "slurm", "12", "");
  LogSubmission(dir.path() / "runs" / "s" / "0-seed0", {"search"}, "slurm", "13_0", "");
  LogSubmission(dir.path() / "runs" / "s" / "1-seed1", {"search"}, "slurm", "13_1", "");
  REQUIRE(FindRuns("12", dir.path() / "runs").runs == std::vector{dir.path() / "runs" / "a"});
  REQUIRE(FindRuns("13", dir.path() / "runs").runs.size() == 2);
  REQUIRE(FindRuns("13_1", dir.path() / "runs").runs.size() == 1);
  REQUIRE(MessageOf(ErrorKind::kInput, [&] { LookAtRuns({dir.path() / "none"}, nullptr); }).find("neither a run") !=
          std::string::npos);
}
