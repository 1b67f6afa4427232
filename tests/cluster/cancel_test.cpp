// SPDX-License-Identifier: Apache-2.0
#include "nas/cluster/cancel.h"

#include <map>

#include <nlohmann/json.hpp>

#include "nas/core/files.h"
#include "nas/core/text.h"
#include "support/catch_compat.h"

using namespace nas;

namespace {

/// A batch system in memory: a running job that gets USR1 writes its checkpoint (or not) and leaves the queue.
class FakeScheduler : public Scheduler {
 public:
  std::map<std::string, std::string> states;
  std::vector<std::string> calls;
  bool obeys = true;
  std::filesystem::path run;

  std::string Submit(const std::string&, const std::vector<std::string>&) override { return "1"; }
  std::vector<QueueEntry> Query(const std::string& job) override {
    std::vector<QueueEntry> entries;
    for (const auto& [id, state] : states) {
      if (id == job || StartsWith(id, job + "_")) entries.push_back({id, state, "", "", ""});
    }
    return entries;
  }
  void Signal(const std::string& job, const std::string& signal) override {
    calls.push_back(StrCat("signal ", signal, " ", job));
    if (!obeys) return;
    WriteFileAtomic(run / "status.json", Json{{"state", "checkpointed"}, {"job", job}, {"exit", 75}}.dump());
    states.erase(job);
  }
  void Cancel(const std::string& job) override {
    calls.push_back(StrCat("cancel ", job));
    states.erase(job);
  }
};

struct Fixture {
  TempDir dir;
  FakeScheduler slurm;
  CancelOptions options;

  Fixture() {
    slurm.run = dir.path();
    options.poll_s = 0.01;
    options.wait_s = 0.2;
    LogSubmission(dir.path(), {"search"}, "slurm", "12", "");
  }
  void Running() {
    slurm.states["12"] = "RUNNING";
    WriteFileAtomic(dir.path() / "status.json",
                    Json{{"state", "running"}, {"job", "12"}, {"time", static_cast<double>(::time(nullptr))}}.dump());
    MakeDirectory(dir.path() / "checkpoints");
    WriteFileAtomic(dir.path() / "checkpoints" / "step-7.safetensors", "");
  }
  std::string Cancel() { return CancelRuns({dir.path()}, &slurm, options).at(0).text; }
};

using Calls = std::vector<std::string>;

}  // namespace

TEST_CASE("cancel: a running job writes its checkpoint first", "[cluster]") {
  Fixture f;
  f.Running();
  REQUIRE(f.Cancel() == "cancelled; its checkpoint is of step 7");
  REQUIRE(f.slurm.calls == Calls{"signal USR1 12"});
  REQUIRE(IsCancelled(f.dir.path()));
  REQUIRE_FALSE(Resumable(f.dir.path(), "12"));
  REQUIRE(LookAtRuns({f.dir.path()}, &f.slurm)[0].state == "cancelled");
}

TEST_CASE("cancel: a job that does not stop in time is ended", "[cluster]") {
  Fixture f;
  f.Running();
  f.slurm.obeys = false;
  REQUIRE(f.Cancel().find("did not stop within") != std::string::npos);
  REQUIRE(f.slurm.calls == Calls{"signal USR1 12", "cancel 12"});
}

TEST_CASE("cancel: --now and pending jobs at once; finished runs are left alone", "[cluster]") {
  Fixture f;
  SECTION("now") {
    f.Running();
    f.options.now = true;
    f.Cancel();
    REQUIRE(f.slurm.calls == Calls{"cancel 12"});
  }
  SECTION("pending") {
    f.slurm.states["12"] = "PENDING";
    REQUIRE(f.Cancel() == "cancelled");
    REQUIRE(f.slurm.calls == Calls{"cancel 12"});
  }
  SECTION("finished") {
    WriteFileAtomic(f.dir.path() / "result.json", "{}");
    REQUIRE(f.Cancel() == "was finished already");
    REQUIRE(f.slurm.calls.empty());
    REQUIRE_FALSE(IsCancelled(f.dir.path()));
  }
}
