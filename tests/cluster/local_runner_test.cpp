// SPDX-License-Identifier: Apache-2.0
#include "nas/cluster/local_runner.h"

#include <thread>

#include "cluster/test_programs.h"
#include "nas/cluster/job_log.h"
#include "nas/core/text.h"
#include "support/catch_compat.h"

using namespace nas;

namespace {

std::vector<SweepPoint> Points(const std::filesystem::path& sweep, int n) {
  std::vector<SweepPoint> points = ExpandSweep({ParseSweepAxis(StrCat("seed=0..", n - 1))}, {"search"}, sweep);
  for (const SweepPoint& point : points) LogSubmission(point.run, point.args, "local", "", "");
  return points;
}

/// A `nas` that says what it was given in its run folder; `body` decides how it ends ($RUN: the folder).
std::string Program(const TempDir& dir, const std::string& body) {
  const std::string path = (dir.path() / "nas").string();
  test::WriteProgram(
      path,
      StrCat("#!/bin/bash\nwhile [ $# -gt 0 ]; do [ \"$1\" = --out ] && RUN=$2; all=\"${all:-} $1\"; shift; done\n",
             "echo \"$all\" >>$RUN/starts\n", body, "\n"));
  return path;
}

std::string Starts(const SweepPoint& point) { return ReadFile(std::filesystem::path(point.run) / "starts"); }

}  // namespace

TEST_CASE("a list runs through; run again it skips what is finished", "[cluster]") {
  const TempDir dir;
  const auto points = Points(dir.path() / "s", 3);
  LocalRunnerOptions options;
  options.nas = Program(dir, "[ -e $RUN/fail ] && { rm $RUN/fail; exit 3; }; echo {} >$RUN/result.json");
  options.max_parallel = 2;
  options.cores = 5;
  options.poll_s = 0.01;
  WriteFileAtomic(std::filesystem::path(points[1].run) / "fail", "");
  auto outcomes = RunLocally(points, options);
  REQUIRE(outcomes[0].exit == 0);
  REQUIRE(outcomes[1].exit == 3);
  REQUIRE(outcomes[2].exit == 0);
  REQUIRE(ExitOf(outcomes) == 3);
  REQUIRE(Starts(points[0]) == StrCat(" search --seed=0 --threads=2 --out ", points[0].run, " --resume=auto\n"));

  outcomes = RunLocally(points, options);
  REQUIRE(ExitOf(outcomes) == 0);
  REQUIRE(Split(Starts(points[0]), '\n').size() == 2);  // one line: not started again
  REQUIRE(Split(Starts(points[1]), '\n').size() == 3);
}

TEST_CASE("75 and kills go on; a run that dies at the same checkpoint each time does not", "[cluster]") {
  const TempDir dir;
  const auto points = Points(dir.path() / "s", 1);
  LocalRunnerOptions options;
  options.poll_s = 0.01;
  SECTION("stopped, killed, finished") {
    options.nas = Program(
        dir, "n=$(wc -l <$RUN/starts); [ $n = 1 ] && exit 75; [ $n = 2 ] && kill -9 $$; echo {} >$RUN/result.json");
    REQUIRE(ExitOf(RunLocally(points, options)) == 0);
    REQUIRE(Split(Starts(points[0]), '\n').size() == 4);
  }
  SECTION("dies each time") {
    options.nas = Program(dir, R"(n=$(wc -l <$RUN/starts)
echo "{\"event\":\"start\",\"incarnation\":$n,\"job\":\"local:1\",\"host\":\"h\",\"checkpoint_step\":-1}" >>$RUN/jobs.jsonl
kill -9 $$)");
    std::string told;
    options.tell = [&](const std::string& text) { told += text + "\n"; };
    REQUIRE(ExitOf(RunLocally(points, options)) == 137);
    REQUIRE(Split(Starts(points[0]), '\n').size() == 4);
    REQUIRE(told.find("3 times in a row") != std::string::npos);
  }
}

TEST_CASE("a stop reaches the runs, and what has not begun stays", "[cluster]") {
  const TempDir dir;
  const auto points = Points(dir.path() / "s", 2);
  StopFlag stop;
  LocalRunnerOptions options;
  options.nas =
      Program(dir, "trap 'echo stopped >$RUN/stopped; exit 75' USR1; echo >$RUN/ready; while :; do sleep 0.05; done");
  options.stop = &stop;
  options.poll_s = 0.01;
  std::thread asker([&] {
    test::Eventually(60, [&] { return std::filesystem::exists(std::filesystem::path(points[0].run) / "ready"); });
    stop.Request();
  });
  const auto outcomes = RunLocally(points, options);
  asker.join();
  REQUIRE(outcomes[0].exit == 75);
  REQUIRE(outcomes[1].exit == -1);
  REQUIRE(ExitOf(outcomes) == 75);
  REQUIRE(std::filesystem::exists(std::filesystem::path(points[0].run) / "stopped"));
}

TEST_CASE("a run that is cancelled while others run does not start any more", "[cluster]") {
  const TempDir dir;
  const auto points = Points(dir.path() / "s", 3);
  LocalRunnerOptions options;
  options.nas = Program(dir, StrCat("touch ", points[1].run, "/cancel; echo {} >$RUN/result.json"));
  options.poll_s = 0.01;
  const auto outcomes = RunLocally(points, options);
  REQUIRE(outcomes[0].exit == 0);
  REQUIRE(outcomes[1].exit == -1);
  REQUIRE(outcomes[2].exit == 0);
  REQUIRE_FALSE(std::filesystem::exists(std::filesystem::path(points[1].run) / "starts"));
}
