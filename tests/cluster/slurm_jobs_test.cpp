// SPDX-License-Identifier: Apache-2.0
// Whole jobs through the built program: on a real Slurm of one node (root only), and with fake commands everywhere.
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <thread>

#include "cluster/test_programs.h"
#include "nas/core/text.h"
#include "support/catch_compat.h"

using namespace nas;
using nas::test::Eventually;
using nas::test::FakeInstallation;
using nas::test::FakeSlurm;
using nas::test::OneNodeSlurm;

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

Json Parsed(const SubprocessResult& result) {
  INFO("stdout: " << result.out << "\nstderr: " << result.err);
  const Json json = Json::parse(result.out, nullptr, /*allow_exceptions=*/false);
  REQUIRE_FALSE(json.is_discarded());
  return json;
}

bool Contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

int Lines(const fs::path& file) {
  return fs::exists(file) ? static_cast<int>(Split(ReadFile(file), '\n').size()) - 1 : 0;
}

/// A requeued job waits two minutes; a test does not.
void HurryAll(const OneNodeSlurm& slurm) {
  for (const std::string& line : Split(slurm.Run({"squeue", "-h", "-r", "-o", "%A %T"}).out, '\n')) {
    const std::vector<std::string> fields = Split(line, ' ');
    if (fields.size() == 2 && fields[1] == "PENDING") {
      slurm.Run({"scontrol", "update", "jobid=" + fields[0], "StartTime=now"});
    }
  }
}

/// One Slurm for all tests of this program; null, and said why, where none can be started.
const OneNodeSlurm* SharedSlurm() {
  if (const std::string missing = OneNodeSlurm::Missing(); !missing.empty()) {
    WARN("no Slurm can be started here (" << missing << "): this test is skipped");
    return nullptr;
  }
  static const OneNodeSlurm slurm;
  if (slurm.fault().empty()) return &slurm;
  WARN("Slurm did not start (" << slurm.fault() << "): this test is skipped");
  return nullptr;
}

/// The built program with its computing part, in a folder of its own, and small searches for it.
class RealProgram {
 public:
  explicit RealProgram(const OneNodeSlurm& slurm) : slurm_(slurm) {}
  static bool Built() {
    if (fs::exists(fs::path(NAS_BINARY_DIR) / "libexec" / "nas-torch")) return true;
    WARN("this build has no LibTorch part: this test is skipped");
    return false;
  }
  const fs::path& path() const { return dir_.path(); }
  SubprocessResult Run(const std::vector<std::string>& words) const {
    SubprocessOptions options;
    options.argv = {"env",
                    "-C",
                    path().string(),
                    slurm_.environment(),
                    "XDG_CACHE_HOME=" + (path() / "cache").string(),
                    std::string(NAS_BINARY_DIR) + "/bin/nas"};
    options.argv.insert(options.argv.end(), words.begin(), words.end());
    options.deadline_s = 300;
    return RunSubprocess(options);
  }
  static std::vector<std::string> Search(const std::string& out, const std::vector<std::string>& more) {
    std::vector<std::string> words{"search",     "--data=demo",          "--epochs=8",
                                   "--batch=32", "--limit-per-class=40", "--threads=1"};
    words.insert(words.end(), more.begin(), more.end());
    words.push_back("--out=" + out);
    return words;
  }

 private:
  const OneNodeSlurm& slurm_;
  TempDir dir_;
};

/// Processes whose command line names a folder, this one aside.
int ProcessesOf(const fs::path& folder) {
  int count = 0;
  for (const fs::directory_entry& entry : fs::directory_iterator("/proc")) {
    long long pid = 0;
    if (!ParseInt(entry.path().filename().string(), &pid) || pid == ::getpid()) continue;
    std::ifstream file(entry.path() / "cmdline");
    const std::string words((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    std::error_code ignored;
    const fs::path place = fs::read_symlink(entry.path() / "cwd", ignored);
    count += Contains(words, folder.string()) || place == folder ? 1 : 0;
  }
  return count;
}

}  // namespace

TEST_CASE("submit with fake commands: script, folder, job id; refusals", "[cluster]") {
  const FakeInstallation nas;
  const FakeSlurm slurm;
  const std::vector<std::string> environment{slurm.environment()};
  const auto run = [&](std::vector<std::string> words) { return nas.Run(words, environment); };

  SECTION("one run") {
    const Json json = Parsed(
        run({"submit", "--json", "--cpus-per-rank", "2", "--", "search", "--target", "macs=50%", "--out", "runs/a"}));
    REQUIRE(json["schema"] == "nas.submit/1");
    REQUIRE(json["kind"] == "slurm");
    REQUIRE(json["job"] == "100");
    REQUIRE(json["array"].is_null());
    REQUIRE(json["runs"] == Json{"runs/a"});
    const std::string script = ReadFile(nas.path() / "runs" / "a" / "job.sbatch");
    REQUIRE(Contains(script, "--cpus-per-task=2"));
    REQUIRE(Contains(script, "set -- search --target 'macs=50%' --no-profile\n"));
    REQUIRE(Contains(script, "export NAS_SUBMITTED_BUILD="));

    slurm.Answer("squeue.out", "100|PENDING|Resources|2026-11-24T10:00:00|\n");
    const Json status = Parsed(run({"status", "runs/a", "--json"}));
    REQUIRE(status["state"] == "queued");
    REQUIRE(status["queue"]["reason"] == "Resources");
    REQUIRE(Parsed(run({"status", "100", "--json"}))["run"] == "runs/a");
    REQUIRE(run({"status", "runs/a", "--resumable"}).exit_code == 75);

    const SubprocessResult again = run({"submit", "--", "search", "--out", "runs/a"});
    REQUIRE(again.exit_code == 3);
    REQUIRE(Contains(again.err, "nas submit --resume runs/a"));

    REQUIRE(run({"cancel", "runs/a"}).exit_code == 0);
    REQUIRE(Contains(slurm.calls(), "scancel 100\n"));
    REQUIRE(run({"status", "runs/a", "--resumable"}).exit_code == 0);
    slurm.Answer("squeue.out", "");
    REQUIRE(run({"submit", "--resume", "runs/a"}).exit_code == 0);
    REQUIRE(Contains(slurm.calls(), "sbatch --parsable runs/a/job.sbatch\nsqueue"));
    REQUIRE(run({"status", "runs/a", "--resumable"}).exit_code == 75);
  }
  SECTION("a sweep is one array; --resume submits what is left") {
    const Json json = Parsed(run({"submit", "--json", "--max-parallel", "2", "--sweep", "seed=0..1",
                                  "target=macs=1M,macs=2M", "--", "search", "--out", "runs/s"}));
    REQUIRE(json["array"] == Json{0, 3});
    REQUIRE(json["runs"].size() == 4);
    REQUIRE(Contains(ReadFile(nas.path() / "runs" / "s" / "job.sbatch"), "--array=0-3%2\n"));
    WriteFileAtomic(nas.path() / json["runs"][0].get<std::string>() / "result.json", "{\"targets\": []}");
    const Json resumed = Parsed(run({"submit", "--json", "--resume", "runs/s"}));
    REQUIRE(resumed["runs"].size() == 3);
    REQUIRE(Contains(slurm.calls(), "--array=1,2,3 runs/s/job.sbatch"));
  }
  SECTION("arrays beyond the site's size are cut") {
    const SubprocessResult result =
        nas.Run({"submit", "--json", "--sweep", "seed=0..4", "--", "search", "--out", "runs/s"},
                {slurm.environment(), "FAKE_MAX_ARRAY=3"});
    REQUIRE(Parsed(result)["runs"].size() == 5);
    REQUIRE(Contains(ReadFile(nas.path() / "runs" / "s" / "job-4.sbatch"), "--array=0-0\n"));
  }
  SECTION("the tables of the targets travel in the run folder, and a later cache changes nothing") {
    WriteFileAtomic(nas.path() / "phone.json", "{\"a table\": 1}");
    REQUIRE(run({"submit", "--", "search", "--target", "phone.json=5ms", "--out", "runs/t"}).exit_code == 0);
    WriteFileAtomic(nas.path() / "phone.json", "{}");
    REQUIRE(ReadFile(nas.path() / "runs" / "t" / "targets" / "phone-5ms" / "table.json") == "{\"a table\": 1}");
    const SubprocessResult untried =
        run({"submit", "--no-check", "--", "search", "--target", "./phone.json=6ms", "--out", "runs/u"});
    INFO(untried.err);
    REQUIRE(untried.exit_code == 0);
    REQUIRE(ReadFile(nas.path() / "runs" / "u" / "targets" / "phone-6ms" / "table.json") == "{}");
    const SubprocessResult own =
        run({"submit", "--no-check", "--", "search", "--target", "cpu=5ms", "--out", "runs/v"});
    REQUIRE(own.exit_code == 3);
    REQUIRE(Contains(own.err, "nas profile-device --out cpu.json"));
    REQUIRE_FALSE(fs::exists(nas.path() / "runs" / "v"));
  }
  SECTION("slow steps get their time between the signal and the limit; a limit too short for it is refused") {
    const std::vector<std::string> words{"submit", "--time", "6:00", "--", "search", "--out", "runs/a"};
    const SubprocessResult slow = nas.Run(words, {slurm.environment(), "FAKE_TRIAL_STEP_S=100"});
    REQUIRE(slow.exit_code == 2);
    REQUIRE(Contains(
        slow.err,
        "--time 6:00 leaves no time to compute: the signal to stop comes 301 s before it; give at least 8 minutes"));
    REQUIRE_FALSE(fs::exists(nas.path() / "runs" / "a"));
    REQUIRE(run(words).exit_code == 0);
    REQUIRE(Contains(ReadFile(nas.path() / "runs" / "a" / "job.sbatch"), "--signal=USR1@120 "));
    REQUIRE(nas.Run({"submit", "--", "search", "--out", "runs/b"}, {slurm.environment(), "FAKE_TRIAL_STEP_S=100"})
                .exit_code == 0);
    REQUIRE(Contains(ReadFile(nas.path() / "runs" / "b" / "job.sbatch"), "--signal=USR1@301 "));
  }
  SECTION("a job may wait for another run") {
    REQUIRE(run({"submit", "--", "search", "--out", "runs/a"}).exit_code == 0);
    const SubprocessResult next =
        run({"submit", "--after", "runs/a", "--", "train", "--run", "runs/a", "--out", "runs/final"});
    INFO(next.err);
    REQUIRE(next.exit_code == 0);
    REQUIRE(Contains(slurm.calls(),
                     "sbatch --parsable --dependency=afterok:100 --kill-on-invalid-dep=yes runs/final/job.sbatch"));
    REQUIRE(run({"submit", "--after", "runs/none", "--", "search"}).exit_code == 3);
    WriteFileAtomic(nas.path() / "runs" / "a" / "result.json", "{}");
    REQUIRE(run({"submit", "--after", "runs/a", "--", "search", "--out", "runs/z"}).exit_code == 0);
    REQUIRE(Contains(slurm.calls(), "sbatch --parsable runs/z/job.sbatch"));
  }
  SECTION("nothing is made when something is wrong") {
    const SubprocessResult flag = run({"submit", "--", "search", "--epochz", "3", "--out", "runs/b"});
    REQUIRE(flag.exit_code == 2);
    REQUIRE(Contains(flag.err, "did you mean --epochs?"));
    const SubprocessResult far =
        run({"submit", "--sweep", "target=cpu=5ms,cpu=1us", "--", "search", "--out", "runs/b"});
    REQUIRE(far.exit_code == 4);
    REQUIRE(Contains(far.err, "cannot be met"));
    const SubprocessResult verb = run({"submit", "--", "serach"});
    REQUIRE(verb.exit_code == 2);
    REQUIRE(Contains(verb.err, "did you mean \"search\"?"));
    const SubprocessResult dry = run({"submit", "--dry-run", "--", "search", "--out", "runs/b"});
    REQUIRE(dry.exit_code == 0);
    REQUIRE(StartsWith(dry.out, "#!/bin/bash\n"));
    REQUIRE_FALSE(fs::exists(nas.path() / "runs"));
    slurm.Answer("sbatch.err", "sbatch: error: Batch job submission failed: Invalid account\n");
    const SubprocessResult refused = run({"submit", "--", "search", "--out", "runs/b"});
    REQUIRE(refused.exit_code == 3);
    REQUIRE(Contains(refused.err, "Invalid account"));
  }
}

TEST_CASE("without Slurm: exit 5 names --local; a sweep runs here, ends at a failure, and goes on", "[cluster]") {
  const FakeInstallation nas;
  const TempDir empty;
  const std::string no_slurm = "PATH=" + empty.path().string() + ":/bin:/usr/bin";
  if (FindProgram("/usr/bin/sbatch").empty()) {
    const SubprocessResult none = nas.Run({"submit", "--", "search"}, {no_slurm});
    REQUIRE(none.exit_code == 5);
    REQUIRE(Contains(none.err, "--local"));
  }
  const std::vector<std::string> words{
      "submit", "--local", "--max-parallel", "2",     "--sweep", "seed=0..1", "target=macs=1M,macs=2M",
      "--",     "search",  "--out",          "runs/s"};
  const SubprocessResult failed = nas.Run(words, {"FAKE_FAIL_AT=12"});
  INFO(failed.err);
  REQUIRE(failed.exit_code == 7);
  const SubprocessResult result = nas.Run(words);
  INFO(result.err);
  REQUIRE(result.exit_code == 0);
  for (const char* run : {"0-seed0-macs-1M", "1-seed0-macs-2M", "2-seed1-macs-1M", "3-seed1-macs-2M"}) {
    REQUIRE(fs::exists(nas.path() / "runs" / "s" / run / "result.json"));
    REQUIRE(Contains(ReadFile(nas.path() / "runs" / "s" / run / "starts"), "start 10"));  // from the checkpoint
  }
  Json first = Parsed(nas.Run({"status", "runs/s", "--json"}, {no_slurm}));
  Json second = Parsed(nas.Run({"status", "runs/s", "--json"}, {no_slurm}));
  REQUIRE(first["schema"] == "nas.sweep/1");
  REQUIRE(first["finished"] == 4);
  REQUIRE(first["targets"].size() == 2);
  REQUIRE(first["targets"][0]["runs"] == 2);
  REQUIRE(first["targets"][0]["agreement"] == Json{1.0, 1.0, 0.5});
  REQUIRE(first["targets"] == second["targets"]);
  REQUIRE(first["pareto"] == second["pareto"]);

  const Json page = Parsed(nas.Run({"report", "runs/s", "--json"}, {no_slurm}));
  REQUIRE(page["out"] == "runs/s/report.html");
  const std::string html = ReadFile(nas.path() / "runs" / "s" / "report.html");
  REQUIRE(Contains(html, "4 of 4 runs finished"));
  REQUIRE(Contains(html, "50.50 ± 0.71 %"));
  REQUIRE(Contains(html, "3-seed1-macs-2M"));
  REQUIRE(nas.Run({"report", "runs/s", "runs/s/3-seed1-macs-2M"}, {no_slurm}).exit_code == 2);
}

TEST_CASE("real Slurm of one node: preempted, killed, cancelled, arrays", "[cluster]") {
  const OneNodeSlurm* shared = SharedSlurm();
  if (shared == nullptr) return;
  const OneNodeSlurm& slurm = *shared;
  const FakeInstallation nas;
  const auto run = [&](std::vector<std::string> words, const std::string& step_s = "0.02") {
    return nas.Run(words, {slurm.environment(), "FAKE_STEP_S=" + step_s});
  };
  const auto state = [&](const std::string& name) {
    return Parsed(run({"status", name, "--json"})).value("state", "");
  };
  const fs::path runs = nas.path() / "runs";
  const auto submit = [&](const std::string& out, const std::string& step_s) {
    const Json json = Parsed(run({"submit", "--json", "--", "search", "--target", "macs=1M", "--out", out}, step_s));
    return json["job"].get<std::string>();
  };
  const auto started = [&](const fs::path& folder) {
    return Eventually(30, [&] { return fs::exists(folder / "checkpoints" / "step-5.safetensors"); });
  };

  // As the kernel would when memory runs out; scancel --signal=KILL would end the whole job.
  const auto kill_rank = [&](const fs::path& folder) { slurm.Run({"kill", "-9", Trim(ReadFile(folder / "pid"))}); };

  SECTION("submit --wait") {
    const SubprocessResult result = run({"submit", "--wait", "--", "search", "--out", "runs/w"});
    INFO(result.err);
    REQUIRE(result.exit_code == 0);
    REQUIRE(fs::exists(runs / "w" / "result.json"));
    REQUIRE(state("runs/w") == "finished");
    REQUIRE(slurm.Run({"sbatch", "--test-only", (runs / "w" / "job.sbatch").string()}).exit_code == 0);
  }
  SECTION("USR1 and a killed rank are requeued and go on; plain scancel is not") {
    const std::string job = submit("runs/p", "0.3");
    REQUIRE(started(runs / "p"));
    REQUIRE(state("runs/p") == "running");
    slurm.Run({"scancel", "--signal=USR1", job});
    REQUIRE(Eventually(60, [&] { return state("runs/p") == "requeued"; }));
    HurryAll(slurm);
    REQUIRE(Eventually(60, [&] { return Lines(runs / "p" / "starts") == 2; }));
    kill_rank(runs / "p");
    REQUIRE(Eventually(60, [&] { return state("runs/p") == "requeued"; }));
    REQUIRE(Eventually(120, [&] {
      HurryAll(slurm);
      return fs::exists(runs / "p" / "result.json");
    }));
    const std::vector<std::string> starts = Split(ReadFile(runs / "p" / "starts"), '\n');
    REQUIRE(starts.size() == 4);  // three lines
    REQUIRE(starts[1] != "start 0");

    const std::string ended = submit("runs/e", "0.3");
    REQUIRE(started(runs / "e"));
    slurm.Run({"scancel", ended});
    REQUIRE(Eventually(60, [&] { return slurm.Run({"squeue", "-h", "-t", "PD,R,CG", "-j", ended}).out.empty(); }));
    const std::string after = state("runs/e");
    REQUIRE((after == "stopped" || after == "lost"));
    REQUIRE(Lines(runs / "e" / "starts") == 1);
  }
  SECTION("cancel: a checkpoint, and no requeue; --no-requeue cannot be smuggled in") {
    const std::string job = submit("runs/c", "0.3");
    REQUIRE(started(runs / "c"));
    const SubprocessResult cancelled = run({"cancel", "runs/c"});
    INFO(cancelled.err);
    REQUIRE(Contains(cancelled.out, "its checkpoint is of step"));
    REQUIRE(Eventually(60, [&] { return slurm.Run({"squeue", "-h", "-t", "PD,R,CG", "-j", job}).out.empty(); }));
    REQUIRE(state("runs/c") == "cancelled");
    REQUIRE(Lines(runs / "c" / "starts") == 1);
    REQUIRE(Eventually(15, [&] { return ProcessesOf(nas.path()) == 0; }));
    REQUIRE(run({"submit", "--sbatch-arg=--no-requeue", "--", "search"}).exit_code == 2);
  }
  SECTION("an array of 4: one preempted, one killed, all finish; the report lists them") {
    const Json json = Parsed(
        run({"submit", "--json", "--sweep", "seed=0..1", "target=macs=1M,macs=2M", "--", "search", "--out", "runs/s"},
            "0.2"));
    REQUIRE(json["array"] == Json{0, 3});
    const std::string job = json["job"].get<std::string>();
    const auto folder = [&](int i) {
      return nas.path() / json["runs"][static_cast<std::size_t>(i)].get<std::string>();
    };
    REQUIRE(started(folder(0)));
    slurm.Run({"scancel", "--signal=USR1", job + "_0"});
    REQUIRE(started(folder(1)));
    kill_rank(folder(1));
    REQUIRE(Eventually(120, [&] {
      HurryAll(slurm);
      for (int i = 0; i < 4; ++i) {
        if (!fs::exists(folder(i) / "result.json")) return false;
      }
      return true;
    }));
    REQUIRE(Lines(folder(0) / "starts") == 2);
    REQUIRE(Lines(folder(1) / "starts") == 2);
    const SubprocessResult report = run({"status", "runs/s"});
    INFO(report.out);
    REQUIRE(Contains(report.out, "4 of 4 runs finished"));
    REQUIRE(run({"report", "runs/s"}).exit_code == 0);
    const std::string page = ReadFile(runs / "s" / "report.html");
    REQUIRE(Contains(page, "4 of 4 runs finished"));
    for (int i = 0; i < 4; ++i) {
      REQUIRE(Contains(report.out, folder(i).filename().string()));
      REQUIRE(Contains(page, folder(i).filename().string()));
    }
  }
}

TEST_CASE("real Slurm: a search of two ranks that has to give way ends with the bits of an undisturbed one",
          "[cluster]") {
  if (!RealProgram::Built()) return;
  const OneNodeSlurm* slurm = SharedSlurm();
  if (slurm == nullptr) return;
  const RealProgram nas(*slurm);
  const auto search = [](const std::string& out) {
    return RealProgram::Search(out, {"--target", "macs=50%", "--seed=3"});
  };
  const std::string ranks = std::thread::hardware_concurrency() < 2 ? "1" : "2";  // as many as the node has processors
  std::vector<std::string> submit{"submit", "--json", "--no-check", "--ranks-per-node=" + ranks, "--cpus-per-rank=1",
                                  "--"};
  for (const std::string& word : search("runs/p")) submit.push_back(word);
  const fs::path preempted = nas.path() / "runs" / "p";
  Parsed(nas.Run(submit));
  REQUIRE(Eventually(60, [&] { return fs::exists(preempted / "metrics.jsonl"); }));
  // A job of a partition of higher rank takes the whole node: Slurm sends TERM, and starts the search again behind it.
  const SubprocessResult urgent =
      slurm->Run({"sbatch", "--parsable", "--partition=urgent", "--output=/dev/null", "--wrap=true"});
  INFO(urgent.err);
  REQUIRE(urgent.exit_code == 0);
  std::vector<std::string> alone = search("runs/u");
  alone.push_back("--ranks=" + ranks);
  const SubprocessResult undisturbed = nas.Run(alone);
  INFO(undisturbed.err);
  REQUIRE(undisturbed.exit_code == 0);
  REQUIRE(Eventually(120, [&] {
    HurryAll(*slurm);
    return fs::exists(preempted / "result.json");
  }));
  const std::string log = ReadFile(preempted / "jobs.jsonl");
  INFO(log);
  REQUIRE(Contains(log, "\"incarnation\":2"));
  REQUIRE(Contains(log, "\"exit\":75"));
  const auto result = [&](const char* name) {
    Json json = Json::parse(ReadFile(nas.path() / "runs" / name / "result.json"));
    for (const char* own : {"run", "wall_s", "images_per_s", "peak_memory_mib"}) json.erase(own);
    return json;
  };
  REQUIRE(result("p")["targets"] == result("u")["targets"]);
  for (const char* file : {"weights.safetensors", "arch.json"}) {
    const fs::path place = fs::path("targets") / "macs-50pct" / file;
    REQUIRE(ReadFile(preempted / place) == ReadFile(nas.path() / "runs" / "u" / place));
  }
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(preempted))
    REQUIRE_FALSE(Contains(entry.path().filename().string(), ".tmp"));
  REQUIRE(Eventually(15, [&] { return ProcessesOf(nas.path()) == 0; }));
}

TEST_CASE("real Slurm: of four searches in an array one gives way, one is killed; the report lists all four",
          "[cluster]") {
  if (!RealProgram::Built()) return;
  const OneNodeSlurm* slurm = SharedSlurm();
  if (slurm == nullptr) return;
  const RealProgram nas(*slurm);
  std::vector<std::string> submit{
      "submit", "--json", "--no-check", "--sweep", "seed=0..1", "target=macs=40%,macs=60%", "--cpus-per-rank=1", "--"};
  for (const std::string& word : RealProgram::Search("runs/s", {})) submit.push_back(word);
  const Json json = Parsed(nas.Run(submit));
  REQUIRE(json["array"] == Json{0, 3});
  std::vector<fs::path> runs;
  for (const Json& run : json["runs"]) runs.push_back(nas.path() / run.get<std::string>());
  REQUIRE(runs.size() == 4);
  const auto begun = [](const fs::path& run) {
    return Eventually(60, [&] { return fs::exists(run / "metrics.jsonl"); });
  };
  REQUIRE(begun(runs[0]));
  slurm->Run({"scancel", "--signal=USR1", json["job"].get<std::string>() + "_0"});
  REQUIRE(begun(runs[1]));
  const Json status = Json::parse(ReadFile(runs[1] / "status.json"));
  slurm->Run({"kill", "-9", std::to_string(status.at("pid").get<int>())});
  REQUIRE(Eventually(240, [&] {
    HurryAll(*slurm);
    return std::all_of(runs.begin(), runs.end(), [](const fs::path& run) { return fs::exists(run / "result.json"); });
  }));
  for (const int i : {0, 1})
    REQUIRE(Contains(ReadFile(runs[static_cast<std::size_t>(i)] / "jobs.jsonl"), "\"incarnation\":2"));
  REQUIRE(Contains(ReadFile(runs[0] / "jobs.jsonl"), "\"exit\":75"));
  const SubprocessResult report = nas.Run({"report", "runs/s"});
  INFO(report.err);
  REQUIRE(report.exit_code == 0);
  const std::string page = ReadFile(nas.path() / "runs" / "s" / "report.html");
  REQUIRE(Contains(page, "4 of 4 runs finished"));
  for (const fs::path& run : runs) REQUIRE(Contains(page, run.filename().string()));
}

TEST_CASE("real Slurm: the controller is down", "[cluster]") {
  const OneNodeSlurm* slurm = SharedSlurm();
  if (slurm == nullptr) return;
  const FakeInstallation nas;
  const auto run = [&](std::vector<std::string> words) {
    return nas.Run(words, {slurm->environment(), "FAKE_STEP_S=0.3"});
  };
  REQUIRE(run({"submit", "--", "search", "--out", "runs/d"}).exit_code == 0);
  slurm->Run({"scontrol", "shutdown", "slurmctld"});
  REQUIRE(Eventually(30, [&] { return run({"status", "runs/d"}).exit_code == 5; }));
  const SubprocessResult status = run({"status", "runs/d"});
  REQUIRE(Contains(status.err, "squeue"));
}
