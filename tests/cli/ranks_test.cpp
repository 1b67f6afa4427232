// SPDX-License-Identifier: Apache-2.0
// Searches and trainings on several real processes of this machine (cluster.md §10).
#include <arpa/inet.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <map>
#include <thread>

#include "nas/core/files.h"
#include "nas/core/text.h"
#include "nas/dist/child_process.h"
#include "nas/dist/rank_env.h"
#include "program.h"
#include "support/catch_compat.h"

using nas::ReadFile;
using nas::StrCat;
using nas::TempDir;
using nas::test::Outcome;
using nas::test::RunNas;
namespace fs = std::filesystem;

namespace {

using Words = std::vector<std::string>;

Words Search(const fs::path& out, const Words& more, int epochs = 4) {
  Words words{"search",
              "--data",
              "demo",
              "--limit-per-class",
              "24",
              "--epochs",
              std::to_string(epochs),
              "--batch",
              "16",
              "--out",
              out.string(),
              "--json",
              "--target",
              "macs=40%",
              "--target",
              "macs=70%",
              "--threads",
              "1"};
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

/// result.json without times, places and what went over the wire.
nlohmann::ordered_json Comparable(const fs::path& out) {
  auto result = nlohmann::ordered_json::parse(ReadFile(out / "result.json"));
  for (const char* key : {"run", "wall_s", "images_per_s", "peak_memory_mib", "comm"}) result.erase(key);
  return result;
}

void RequireSameBits(const fs::path& a, const fs::path& b) {
  REQUIRE(Comparable(a) == Comparable(b));
  for (const char* target : {"macs-40pct", "macs-70pct"}) {
    REQUIRE(ReadFile(a / "targets" / target / "weights.safetensors") ==
            ReadFile(b / "targets" / target / "weights.safetensors"));
  }
}

/// A search that goes on beside the test.
class Running {
 public:
  Running(const Words& words, const fs::path& log) : log_(log) {
    nas::ChildOptions options;
    options.argv = {std::string(NAS_BINARY_DIR) + "/bin/nas"};
    options.argv.insert(options.argv.end(), words.begin(), words.end());
    options.environment = {{"NO_COLOR", "1"}};
    file_ = std::fopen(log.c_str(), "we");
    options.out = options.err = ::fileno(file_);
    process_ = std::make_unique<nas::ChildProcess>(options);
  }
  ~Running() { std::fclose(file_); }

  int pid() const { return process_->pid(); }
  void Signal(int signal) const { process_->Signal(signal); }
  std::string log() const { return ReadFile(log_); }

  /// Processes of the ranks, in order; waits for as many.
  std::vector<int> Ranks(std::size_t count) const {
    std::vector<int> pids;
    Soon([&] {
      pids.clear();
      std::ifstream children(StrCat("/proc/", pid(), "/task/", pid(), "/children"));
      for (int child = 0; children >> child;) pids.push_back(child);
      return pids.size() == count;
    });
    std::sort(pids.begin(), pids.end());
    REQUIRE(pids.size() == count);
    return pids;
  }

  int Wait() {
    REQUIRE(Soon([&] { return process_->Poll().has_value(); }));
    return *process_->Poll();
  }

  template <typename Condition>
  static bool Soon(Condition condition) {
    for (int i = 0; i < 12'000; ++i) {
      if (condition()) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    return false;
  }

 private:
  fs::path log_;
  std::FILE* file_ = nullptr;
  std::unique_ptr<nas::ChildProcess> process_;
};

int Epochs(const fs::path& out) {
  std::error_code ignored;
  if (!fs::exists(out / "metrics.jsonl", ignored)) return 0;
  const std::string text = ReadFile(out / "metrics.jsonl");
  int count = 0;
  for (std::size_t at = text.find("\"event\":\"epoch\""); at != std::string::npos;
       at = text.find("\"event\":\"epoch\"", at + 1)) {
    ++count;
  }
  return count;
}

int Sentences(const std::string& log, const std::string& part) {
  int count = 0;
  for (std::size_t at = log.find(part); at != std::string::npos; at = log.find(part, at + 1)) ++count;
  return count;
}

}  // namespace

TEST_CASE("with --reduce tree one, two and four processes give the same bits, and a resumed run, too", "[cli][ranks]") {
  const TempDir dir;
  const Words tree{"--shards", "4", "--reduce", "tree"};
  const auto with = [&](const char* ranks) {
    Words words = tree;
    words.insert(words.end(), {"--ranks", ranks});
    return words;
  };
  const Outcome one = RunNas(Search(dir.path() / "one", with("1")));
  INFO(one.err);
  REQUIRE(one.code == 0);
  const Outcome two = RunNas(Search(dir.path() / "two", with("2")));
  INFO(two.err);
  REQUIRE(two.code == 0);
  RequireSameBits(dir.path() / "one", dir.path() / "two");
  REQUIRE(two.json().at("comm").at("ranks") == 2);
  REQUIRE(two.json().at("comm").at("gradient_bytes").get<double>() > 0);

  // Begun by two, killed, and finished by four.
  const fs::path moved = dir.path() / "moved";
  {
    Running run(Search(moved, with("2")), dir.path() / "moved.log");
    REQUIRE(Running::Soon([&] { return Epochs(moved) >= 1; }));
    ::kill(run.Ranks(2)[1], SIGKILL);
    INFO(run.log());
    REQUIRE(run.Wait() == 75);
  }
  Words words = with("4");
  words.emplace_back("--resume");
  const Outcome four = RunNas(Search(moved, words));
  INFO(four.err);
  REQUIRE(four.code == 0);
  RequireSameBits(dir.path() / "one", moved);
}

TEST_CASE("two ranks that are stopped or killed and resumed end with the bits of those left alone", "[cli][ranks]") {
  const TempDir dir;
  const Words two{"--ranks", "2"};
  const Outcome alone = RunNas(Search(dir.path() / "alone", two));
  INFO(alone.err);
  REQUIRE(alone.code == 0);

  const fs::path killed = dir.path() / "killed";
  Words again = two;
  again.emplace_back("--resume=auto");
  int code = 0;
  int epochs = 1;
  // Rank 0 and the other by KILL, then the whole run by TERM and USR1.
  for (const int round : {0, 1, 2, 3}) {
    Running run(Search(killed, again), dir.path() / "killed.log");
    REQUIRE(Running::Soon([&] { return Epochs(killed) >= std::min(epochs, 4); }));
    ++epochs;
    if (round < 2) {
      ::kill(run.Ranks(2)[static_cast<std::size_t>(round)], SIGKILL);
    } else {
      run.Signal(round == 2 ? SIGTERM : SIGUSR1);
    }
    const std::vector<int> ranks;
    code = run.Wait();
    const std::string log = run.log();
    INFO(log);
    if (code == 0) break;  // it got through
    REQUIRE(code == 75);
    if (round < 2) {
      REQUIRE(Sentences(log, "was ended by SIGKILL") == 1);
      REQUIRE(Sentences(log, "a rank was lost") == 0);
    }
  }
  for (int i = 0; i < 2 && code != 0; ++i) code = RunNas(Search(killed, again)).code;
  REQUIRE(code == 0);
  RequireSameBits(dir.path() / "alone", killed);
  for (const auto& entry : fs::directory_iterator(killed / "checkpoints")) {
    REQUIRE(entry.path().filename().string().find(".tmp") == std::string::npos);
  }
}

TEST_CASE("a frozen rank ends the run with 75, naming it", "[cli][ranks]") {
  const TempDir dir;
  const fs::path out = dir.path() / "frozen";
  Running run(Search(out, {"--ranks", "2", "--dead-after", "2s"}, /*epochs=*/40), dir.path() / "log");
  REQUIRE(Running::Soon([&] { return Epochs(out) >= 1; }));
  const std::vector<int> ranks = run.Ranks(2);
  const std::size_t frozen = GENERATE(1, 0);
  ::kill(ranks[frozen], SIGSTOP);
  const int code = run.Wait();
  const std::string log = run.log();
  INFO(log);
  REQUIRE(code == 75);
  REQUIRE(log.find(StrCat("rank ", frozen)) != std::string::npos);
  for (const int pid : ranks) REQUIRE(::kill(pid, 0) != 0);
}

TEST_CASE("what is wrong on one rank or with all is said once, with its own code", "[cli][ranks]") {
  const TempDir dir;
  SECTION("shards that the ranks do not divide") {
    const Outcome outcome = RunNas(Search(dir.path() / "out", {"--ranks", "2", "--shards", "3"}));
    INFO(outcome.err);
    REQUIRE(outcome.code == 3);
    REQUIRE(Sentences(outcome.err, "do not divide the 3 shards") == 1);
  }
  SECTION("BN over all ranks with several shards each") {
    const Outcome outcome = RunNas(Search(dir.path() / "out", {"--ranks", "2", "--shards", "4", "--sync-bn"}));
    INFO(outcome.err);
    REQUIRE(outcome.code == 3);
    REQUIRE(Sentences(outcome.err, "--sync-bn needs one shard per rank") == 1);
  }
  SECTION("no such data") {
    Words words = Search(dir.path() / "out", {"--ranks", "2"});
    words[2] = (dir.path() / "nowhere").string();
    const Outcome outcome = RunNas(words);
    INFO(outcome.err);
    REQUIRE(outcome.code == 3);
    REQUIRE(Sentences(outcome.err, "nowhere") == 1);
  }
  SECTION("a folder that is taken") {
    fs::create_directories(dir.path() / "out");
    nas::WriteFileAtomic(dir.path() / "out" / "mine.txt", "x");
    const Outcome outcome = RunNas(Search(dir.path() / "out", {"--ranks", "2"}));
    INFO(outcome.err);
    REQUIRE(outcome.code == 3);
    REQUIRE(Sentences(outcome.err, "mine.txt") == 1);
  }
}

TEST_CASE("processes that a launcher started meet, and have to mean the same run", "[cli][ranks]") {
  const TempDir dir;
  const std::string port = std::to_string(21'000 + ::getpid() % 9'000);
  const auto start = [&](int rank, const Words& words) {
    nas::ChildOptions options;
    options.argv = {std::string(NAS_BINARY_DIR) + "/bin/nas"};
    options.argv.insert(options.argv.end(), words.begin(), words.end());
    options.environment = {{"RANK", std::to_string(rank)},
                           {"WORLD_SIZE", "2"},
                           {"MASTER_ADDR", "127.0.0.1"},
                           {"MASTER_PORT", port},
                           {"NO_COLOR", "1"}};
    return std::make_unique<nas::ChildProcess>(options);
  };
  const auto wait = [](nas::ChildProcess& process) {
    REQUIRE(Running::Soon([&] { return process.Poll().has_value(); }));
    return *process.Poll();
  };
  SECTION("the same") {
    auto zero = start(0, Search(dir.path() / "out", {}, /*epochs=*/1));
    auto one = start(1, Search(dir.path() / "out", {}, /*epochs=*/1));
    REQUIRE(wait(*zero) == 0);
    REQUIRE(wait(*one) == 0);
    REQUIRE(fs::exists(dir.path() / "out" / "result.json"));
  }
  SECTION("another seed") {
    auto zero = start(0, Search(dir.path() / "out", {}, /*epochs=*/1));
    auto one = start(1, Search(dir.path() / "out", {"--seed", "5"}, /*epochs=*/1));
    REQUIRE(wait(*zero) == 3);
    REQUIRE(wait(*one) == 3);
    REQUIRE_FALSE(fs::exists(dir.path() / "out" / "env.json"));
  }
}

TEST_CASE("a search and a training with BN over all ranks stop and go on with the same bits", "[cli][ranks]") {
  const TempDir dir;
  const Words synced{"--ranks", "2", "--sync-bn"};
  const Outcome alone = RunNas(Search(dir.path() / "alone", synced));
  INFO(alone.err);
  REQUIRE(alone.code == 0);
  REQUIRE(nlohmann::ordered_json::parse(ReadFile(dir.path() / "alone" / "config.json")).at("options").at("sync_bn"));

  const fs::path stopped = dir.path() / "stopped";
  {
    Running run(Search(stopped, synced), dir.path() / "log");
    REQUIRE(Running::Soon([&] { return Epochs(stopped) >= 1; }));
    run.Signal(SIGTERM);
    INFO(run.log());
    REQUIRE(run.Wait() == 75);
  }
  Words words = synced;
  words.emplace_back("--resume");
  const Outcome resumed = RunNas(Search(stopped, words));
  INFO(resumed.err);
  REQUIRE(resumed.code == 0);
  RequireSameBits(dir.path() / "alone", stopped);

  // How it was trained does not bind who selects from it; choosing is one process' work, and the other one waits.
  std::vector<std::string> codes;
  for (const char* ranks : {"1", "2"}) {
    const Outcome chosen =
        RunNas({"search", "--from", (dir.path() / "alone").string(), "--target", "macs=55%", "--threads", "1",
                "--ranks", ranks, "--out", (dir.path() / StrCat("from-", ranks)).string(), "--json"});
    INFO(chosen.err);
    REQUIRE(chosen.code == 0);
    codes.push_back(chosen.json()["targets"][0]["selected"]["code"].get<std::string>());
  }
  REQUIRE(codes[0] == codes[1]);

  const auto train = [&](const char* name, const Words& more) {
    Words all{"train",    "--run",      (dir.path() / "alone").string(),
              "--target", "macs-40pct", "--limit-per-class",
              "12",       "--epochs",   "1",
              "--batch",  "16",         "--threads",
              "1",        "--out",      (dir.path() / name).string()};
    all.insert(all.end(), more.begin(), more.end());
    const Outcome outcome = RunNas(all);
    INFO(outcome.err);
    REQUIRE(outcome.code == 0);
    return ReadFile(dir.path() / name / "weights.safetensors");
  };
  REQUIRE(train("a", synced) == train("b", synced));
  REQUIRE(train("c", {"--ranks", "2"}) != train("d", synced));
}

TEST_CASE("a Slurm step whose port is taken meets at a published one; each rank has a log", "[cli][ranks]") {
  const TempDir dir;
  const int job = ::getpid();
  // Taken by this, or by somebody else.
  const int service = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(nas::SlurmPort(job, /*step=*/0)));
  static_cast<void>(::bind(service, reinterpret_cast<const sockaddr*>(&address), sizeof address));
  ::listen(service, 16);
  const fs::path out = dir.path() / "out";
  const auto start = [&](int rank) {
    nas::ChildOptions options;
    options.argv = {std::string(NAS_BINARY_DIR) + "/bin/nas"};
    const Words words = Search(out, {}, /*epochs=*/1);
    options.argv.insert(options.argv.end(), words.begin(), words.end());
    options.environment = {{"SLURM_JOB_ID", std::to_string(job)},
                           {"SLURM_STEP_ID", "0"},
                           {"SLURM_STEP_NUM_TASKS", "2"},
                           {"SLURM_STEP_NODELIST", "127.0.0.1"},
                           {"SLURM_PROCID", std::to_string(rank)},
                           {"SLURM_LOCALID", std::to_string(rank)},
                           {"NO_COLOR", "1"}};
    return std::make_unique<nas::ChildProcess>(options);
  };
  const auto one = start(1);
  const auto zero = start(0);
  REQUIRE(Running::Soon([&] { return zero->Poll() && one->Poll(); }));
  ::close(service);
  REQUIRE(*zero->Poll() == 0);
  REQUIRE(*one->Poll() == 0);
  REQUIRE(fs::exists(out / "result.json"));
  const auto place = nlohmann::ordered_json::parse(ReadFile(out / "rendezvous.json"));
  REQUIRE(place.at("key") == StrCat("nas/", job, "/0/0"));
  REQUIRE(place.at("port") != nas::SlurmPort(job, 0));
  for (const int rank : {0, 1}) {
    const std::string log = ReadFile(out / "logs" / StrCat("rank-", rank, ".log"));
    INFO(log);
    REQUIRE(Sentences(log, StrCat("rank ", rank, " of 2")) == 1);
    REQUIRE(Sentences(log, StrCat("rank ", 1 - rank, " of 2")) == 0);
  }
}

TEST_CASE("doctor tells what several processes can use", "[cli][ranks]") {
  const auto doctor = RunNas({"doctor", "--json"}).json();
  std::map<std::string, std::string> found;
  for (const auto& check : doctor.at("checks")) found[check.at("name")] = check.at("status");
  REQUIRE(found["Gloo"] == "ok");
  REQUIRE(found["NCCL"] == "missing");
}

TEST_CASE("a training on two ranks is the same bits as on one with the same shards", "[cli][ranks]") {
  const TempDir dir;
  REQUIRE(RunNas(Search(dir.path() / "run", {}, /*epochs=*/1)).code == 0);
  const auto train = [&](const char* name, const Words& more) {
    Words words{"train",    "--run",      (dir.path() / "run").string(),
                "--target", "macs-40pct", "--limit-per-class",
                "12",       "--epochs",   "2",
                "--batch",  "16",         "--threads",
                "1",        "--out",      (dir.path() / name).string(),
                "--json"};
    words.insert(words.end(), more.begin(), more.end());
    const Outcome outcome = RunNas(words);
    INFO(outcome.err);
    REQUIRE(outcome.code == 0);
    return ReadFile(dir.path() / name / "weights.safetensors");
  };
  const Words tree{"--shards", "2", "--reduce", "tree"};
  Words two = tree;
  two.insert(two.end(), {"--ranks", "2"});
  REQUIRE(train("one", tree) == train("two", two));
}
