// SPDX-License-Identifier: Apache-2.0
// The commands as called, by fakes first on PATH.
#include <cstdlib>

#include "cluster/test_programs.h"
#include "core/expect_error.h"
#include "nas/cluster/scheduler.h"
#include "support/catch_compat.h"

using namespace nas;
using nas::testing::MessageOf;

namespace {

bool Contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

/// PATH of this process for the length of a test.
class PathScope {
 public:
  explicit PathScope(const std::string& path) : before_(std::getenv("PATH")) { ::setenv("PATH", path.c_str(), 1); }
  ~PathScope() { ::setenv("PATH", before_.c_str(), 1); }

 private:
  std::string before_;
};

}  // namespace

TEST_CASE("Slurm's commands: arguments given, answers read, refusals passed on", "[cluster]") {
  const test::FakeSlurm fake;
  const PathScope path(fake.environment().substr(5));
  const auto slurm = MakeSlurmScheduler();

  REQUIRE(slurm->Submit("runs/a b/job.sbatch", {"--array=3,5"}) == "100");
  fake.Answer("squeue.out", "12_1|RUNNING|None|2026-11-24T10:00:00|node1\n12_[2-4%2]|PENDING|Resources|N/A|\n");
  const auto entries = slurm->Query("12");
  REQUIRE(entries.size() == 2);
  REQUIRE(entries[0].nodes == "node1");
  REQUIRE(entries[0].reason.empty());
  REQUIRE(entries[1].start.empty());
  slurm->Signal("12_1", "USR1");
  slurm->Cancel("12");
  REQUIRE(fake.calls() ==
          "sbatch --parsable --array=3,5 runs/a b/job.sbatch\nsqueue -h -j 12 -o %i|%T|%r|%S|%N\n"
          "scancel --signal=USR1 12_1\nscancel 12\n");

  fake.Answer("squeue.err", "slurm_load_jobs error: Invalid job id specified\n");
  REQUIRE(slurm->Query("12").empty());
  fake.Answer("squeue.err", "slurm_load_jobs error: Unable to contact slurm controller (connect failure)\n");
  REQUIRE(
      Contains(MessageOf(ErrorKind::kUnavailable, [&] { slurm->Query("12"); }), "Unable to contact slurm controller"));
  fake.Answer("sbatch.err",
              "sbatch: error: invalid partition specified: x\nsbatch: error: Batch job submission failed: Invalid "
              "partition name specified\n");
  REQUIRE(Contains(MessageOf(ErrorKind::kInput, [&] { slurm->Submit("j", {}); }),
                   "sbatch refused j: Batch job submission failed: Invalid partition name specified"));
  fake.Answer("scancel.err", "scancel: error: Kill job error on job id 12: Invalid job id specified\n");
  REQUIRE_NOTHROW(slurm->Cancel("12"));
}

TEST_CASE("no Slurm: the sentence names --local", "[cluster]") {
  const PathScope path("/nonexistent");
  REQUIRE(Contains(MessageOf(ErrorKind::kUnavailable, [] { MakeSlurmScheduler()->Query("1"); }), "--local"));
}

TEST_CASE("a task is found by its id or within the range of a pending array", "[cluster]") {
  const std::vector<QueueEntry> entries{
      {"12_1", "RUNNING", "", "", ""}, {"12_[2-4,9%2]", "PENDING", "", "", ""}, {"7", "RUNNING", "", "", ""}};
  REQUIRE(FindEntry(entries, "12_1")->state == "RUNNING");
  REQUIRE(FindEntry(entries, "12_3")->state == "PENDING");
  REQUIRE(FindEntry(entries, "12_9")->state == "PENDING");
  REQUIRE(FindEntry(entries, "12_5") == nullptr);
  REQUIRE(FindEntry(entries, "13_3") == nullptr);
  REQUIRE(FindEntry(entries, "7")->state == "RUNNING");
}
