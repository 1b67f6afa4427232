// SPDX-License-Identifier: Apache-2.0
#include "nas/cluster/run_journal.h"

#include <unistd.h>

#include <chrono>
#include <thread>

#include <nlohmann/json.hpp>

#include "cluster/test_programs.h"
#include "core/expect_error.h"
#include "nas/cluster/job_log.h"
#include "nas/cluster/run_status.h"
#include "nas/core/files.h"
#include "support/catch_compat.h"

using namespace nas;
using nas::testing::MessageOf;

namespace {

JobIdentity Job(const std::string& job) {
  JobIdentity identity;
  identity.job = job;
  identity.beat_s = 0.02;
  identity.watch_s = 0.4;
  return identity;
}

ProgressState Look() {
  ProgressState look;
  look.phase = "search";
  look.done = 30;
  look.total = 120;
  look.fields = {{"epoch", "3/12"}, {"loss", "1.250"}, {"acc", "43.5 %"},
                 {"img/s", "512"},  {"cpu", "221 us"}, {"macs", "1.2 M"}};
  look.seconds_left = 90;
  return look;
}

bool Contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("status.json tells what the run last reported, and how it ended", "[cluster]") {
  const TempDir run;
  RunJournal journal(nullptr, Job("12"));
  REQUIRE_FALSE(std::filesystem::exists(run.path() / "status.json"));
  journal.Open(run.path());
  journal.Update(Look());
  REQUIRE(test::Eventually(10, [&] { return (*ReadStatusFile(run.path()))["step"] == 30.0; }));
  const Json status = *ReadStatusFile(run.path());
  REQUIRE(status["schema"] == "nas.status/1");
  REQUIRE(status["state"] == "running");
  REQUIRE(status["job"] == "12");
  REQUIRE(status["epoch"] == 3.0);
  REQUIRE(status["epochs"] == 12.0);
  REQUIRE(status["loss"] == 1.25);
  REQUIRE(status["accuracy"].get<double>() == Approx(0.435));
  REQUIRE(status["progress"] == 0.25);
  REQUIRE(status["expected_ms"]["cpu"].get<double>() == Approx(0.221));
  REQUIRE_FALSE(status["expected_ms"].contains("macs"));
  // A phase without figures of its own leaves those of the last one.
  ProgressState measuring;
  measuring.phase = "measure cpu";
  journal.Update(measuring);
  journal.End(75, "stopped after step 30");
  const Json ended = *ReadStatusFile(run.path());
  REQUIRE(ended["phase"] == "measure cpu");
  REQUIRE(ended["epoch"] == 3.0);
  REQUIRE(ended["progress"] == 0.25);
  REQUIRE(ended["loss"] == 1.25);
  REQUIRE((*ReadStatusFile(run.path()))["state"] == "checkpointed");
  REQUIRE((*ReadStatusFile(run.path()))["exit"] == 75);
  REQUIRE(ReadJobLog(run.path()).incarnations.at(0).exit == 75);
}

TEST_CASE("a journal waits for its run to be made", "[cluster]") {
  const TempDir dir;
  RunJournal journal(nullptr, Job("12"));
  journal.OpenWhenMade(dir.path() / "run");
  journal.Update(Look());
  REQUIRE_FALSE(std::filesystem::exists(dir.path() / "run"));
  MakeDirectory(dir.path() / "run");
  WriteFileAtomic(dir.path() / "run" / "env.json", "{\"schema\": \"nas.env/1\"}");
  journal.Update(Look());
  REQUIRE(journal.opened());
  journal.End(0, "");
  REQUIRE((*ReadStatusFile(dir.path() / "run"))["state"] == "finished");
}

TEST_CASE("the fence: an earlier incarnation writes no more once a later one owns the run", "[cluster]") {
  const TempDir run;
  RunJournal first(nullptr, Job("12"));
  first.Open(run.path());
  REQUIRE_NOTHROW(first.CheckOwner());
  // The first one hangs on another machine: its file grows old.
  first.End(75, "");
  RunJournal second(nullptr, Job("13"));
  second.Open(run.path());
  REQUIRE(Contains(MessageOf(ErrorKind::kInput, [&] { first.CheckOwner(); }), "taken over by job 13"));
  REQUIRE(Contains(MessageOf(ErrorKind::kInput, [&] { first.Update(Look()); }), "taken over by job 13"));
  REQUIRE_NOTHROW(second.CheckOwner());
  REQUIRE_NOTHROW(second.Update(Look()));
  const std::string before = ReadFile(run.path() / "status.json");
  RunJournal unopened(nullptr, Job("14"));
  unopened.End(3, "never owned it");
  REQUIRE_NOTHROW(unopened.CheckOwner());
  REQUIRE((*ReadStatusFile(run.path()))["job"] == "13");
  REQUIRE(std::filesystem::exists(run.path() / "owner-2"));
}

TEST_CASE("a run that another process writes is refused; one that has died is not", "[cluster]") {
  const TempDir run;
  Json status{{"state", "running"},
              {"job", "12"},
              {"time", static_cast<double>(::time(nullptr))},
              {"host", "here"},
              {"host_id", HostIdentity()},
              {"pid", static_cast<int>(::getppid())},
              {"pid_start", ProcessStartTicks(static_cast<int>(::getppid()))}};
  const auto open = [&] {
    RunJournal journal(nullptr, Job("13"));
    journal.Open(run.path());
  };
  SECTION("alive on this machine") {
    WriteFileAtomic(run.path() / "status.json", status.dump());
    REQUIRE(Contains(MessageOf(ErrorKind::kInput, open), "is being written by job 12"));
    REQUIRE_FALSE(std::filesystem::exists(run.path() / "owner-1"));
  }
  SECTION("another process has the number of one that died here") {
    status["pid_start"] = 1;
    WriteFileAtomic(run.path() / "status.json", status.dump());
    REQUIRE_NOTHROW(open());
  }
  SECTION("on another machine, silent") {
    status["host_id"] = "elsewhere";
    WriteFileAtomic(run.path() / "status.json", status.dump());
    REQUIRE_NOTHROW(open());
  }
  SECTION("on another machine, renewing its file") {
    status["host_id"] = "elsewhere";
    status["time"] = status["time"].get<double>() - 5;
    WriteFileAtomic(run.path() / "status.json", status.dump());
    // The watch sees a newer time than the one it started from: a second journal of that machine writes it.
    RunJournal watching(nullptr, [&] {
      JobIdentity identity = Job("13");
      identity.watch_s = 20;
      return identity;
    }());
    std::thread other([&] {
      std::this_thread::sleep_for(std::chrono::milliseconds(300));
      status["time"] = status["time"].get<double>() + 5;
      WriteFileAtomic(run.path() / "status.json", status.dump());
    });
    const std::string message = MessageOf(ErrorKind::kInput, [&] { watching.Open(run.path()); });
    other.join();
    REQUIRE(Contains(message, "is being written by job 12"));
  }
}

TEST_CASE("a requeued job does not start a cancelled run, nor one that dies each time", "[cluster]") {
  const TempDir run;
  JobIdentity requeued = Job("12");
  requeued.restart = 3;
  MarkCancelled(run.path());
  REQUIRE(Contains(MessageOf(ErrorKind::kInput,
                             [&] {
                               RunJournal journal(nullptr, requeued);
                               journal.Open(run.path());
                             }),
                   "was cancelled"));
  ClearCancelled(run.path());
  for (int k = 1; k <= 3; ++k) {
    Incarnation start;
    start.number = k;
    start.job = "12";
    LogStart(run.path(), start);
  }
  REQUIRE(Contains(MessageOf(ErrorKind::kInternal,
                             [&] {
                               RunJournal journal(nullptr, requeued);
                               journal.Open(run.path());
                             }),
                   "without a newer checkpoint"));
  RunJournal by_hand(nullptr, Job(""));
  REQUIRE_NOTHROW(by_hand.Open(run.path()));
}

TEST_CASE("a run that goes on on another processor says so, or refuses with strict", "[cluster]") {
  const TempDir run;
  const auto open = [&](const std::string& instructions, bool strict) {
    JobIdentity identity = Job("12");
    identity.instructions = instructions;
    identity.strict = strict;
    RunJournal journal(nullptr, identity);
    journal.Open(run.path());
    journal.End(75, "");
  };
  open("avx512", true);
  open("avx2", true);  // no checkpoint yet: nothing depends on the bits of before
  MakeDirectory(run.path() / "checkpoints");
  WriteFileAtomic(run.path() / "checkpoints" / "step-5.safetensors", "");
  open("avx2", true);
  const std::string refused = MessageOf(ErrorKind::kInput, [&] { open("avx512", true); });
  INFO(refused);
  REQUIRE(Contains(refused, "avx512 where it had avx2: not bit-exact"));
  REQUIRE(ReadJobLog(run.path()).incarnations.size() == 3);
  open("avx512", false);
  REQUIRE(ReadJobLog(run.path()).incarnations.back().instructions == "avx512");
}
