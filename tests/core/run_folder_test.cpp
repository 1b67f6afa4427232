// SPDX-License-Identifier: Apache-2.0
#include "nas/core/run_folder.h"

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "nas/core/error.h"
#include "nas/core/files.h"
#include "nas/core/text.h"
#include "support/catch_compat.h"

namespace nas {
namespace {

namespace fs = std::filesystem;

Json SomeConfig() {
  return {{"verb", "train"}, {"epochs", 3}, {"data", {{"spec", "demo"}, {"threads", 2}}}, {"precision", "auto"}};
}
const std::vector<std::string> kFree = {"data.threads"};

/// The message of the kInput error that `action` throws, or "" when it throws none.
template <typename Action>
std::string InputError(const Action& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.kind() == ErrorKind::kInput ? error.what() : std::string("not kInput: ") + error.what();
  }
  return "";
}

bool Contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

TEST_CASE("a new run folder gets config.json and env.json and is not finished") {
  TempDir temp;
  const fs::path path = temp.path() / "runs" / "a";
  RunFolder folder = RunFolder::Open(path, SomeConfig(), RunMode::kNew, kFree);
  CHECK_FALSE(folder.resumed());
  CHECK_FALSE(folder.finished());
  CHECK(RunFolder::IsRun(path));
  CHECK(RunFolder::ReadConfig(path) == SomeConfig());
  const Json facts = JsonDocument::Load(folder.environment_path().string()).root();
  CHECK(facts["config_hash"] == folder.config_hash());
  CHECK(facts["machine"]["cores"].get<int>() >= 1);
}

TEST_CASE("a folder that holds a run is refused, resumed or replaced as asked") {
  TempDir temp;
  const fs::path path = temp.path() / "a";
  RunFolder::Open(path, SomeConfig(), RunMode::kNew, kFree).AppendMetric({{"event", "start"}});

  const std::string taken = InputError([&] { RunFolder::Open(path, SomeConfig(), RunMode::kNew, kFree); });
  CHECK(Contains(taken, path.string()));
  CHECK(Contains(taken, "--resume"));
  CHECK(Contains(taken, "--force"));

  for (const RunMode mode : {RunMode::kResume, RunMode::kResumeOrNew}) {
    const RunFolder again = RunFolder::Open(path, SomeConfig(), mode, kFree);
    CHECK(again.resumed());
    CHECK(again.metric_lines() == 1);
  }
  RunFolder forced = RunFolder::Open(path, SomeConfig(), RunMode::kForce, kFree);
  CHECK_FALSE(forced.resumed());
  CHECK(forced.metric_lines() == 0);
  CHECK_FALSE(fs::exists(forced.metrics_path()));
}

TEST_CASE("--force never removes a folder that is no run's") {
  TempDir temp;
  const fs::path path = temp.path() / "home";
  fs::create_directories(path);
  // Even one with a config.json of some other program.
  std::ofstream(path / "config.json") << R"({"name": "something else"})";
  for (const RunMode mode : {RunMode::kNew, RunMode::kForce, RunMode::kResume, RunMode::kResumeOrNew}) {
    const std::string message = InputError([&] { RunFolder::Open(path, SomeConfig(), mode, kFree); });
    CHECK(Contains(message, "not the folder of a run"));
    CHECK(ReadFile(path / "config.json") == R"({"name": "something else"})");
  }
}

TEST_CASE("--force keeps the folder itself, which may be a link, and what links inside point to") {
  TempDir temp;
  const fs::path real = temp.path() / "disk";
  const fs::path link = temp.path() / "out";
  const fs::path precious = temp.path() / "precious";
  fs::create_directories(real);
  fs::create_directories(precious);
  std::ofstream(precious / "x") << "x";
  fs::create_directory_symlink(real, link);
  RunFolder::Open(link, SomeConfig(), RunMode::kNew, kFree);
  fs::create_directory_symlink(precious, link / "notes");
  RunFolder::Open(link, SomeConfig(), RunMode::kForce, kFree);
  CHECK(fs::is_symlink(link));
  CHECK(fs::exists(real / "config.json"));
  CHECK_FALSE(fs::exists(real / "notes"));
  CHECK(fs::exists(precious / "x"));
}

TEST_CASE("resume needs a run; resume=auto starts one, also beside the files of a batch job") {
  TempDir temp;
  const fs::path path = temp.path() / "a";
  CHECK(
      Contains(InputError([&] { RunFolder::Open(path, SomeConfig(), RunMode::kResume, kFree); }), "no run to resume"));
  CHECK_FALSE(fs::exists(path));
  fs::create_directories(path);
  std::ofstream(path / "job.sbatch") << "#!/bin/bash\n";
  std::ofstream(path / "slurm-17.out") << "";
  CHECK_FALSE(RunFolder::Open(path, SomeConfig(), RunMode::kResumeOrNew, kFree).resumed());
  CHECK(RunFolder::Open(path, SomeConfig(), RunMode::kResumeOrNew, kFree).resumed());
  CHECK(fs::exists(path / "job.sbatch"));
}

TEST_CASE("another configuration is refused, naming the keys and both values") {
  TempDir temp;
  const fs::path path = temp.path() / "a";
  RunFolder::Open(path, SomeConfig(), RunMode::kNew, kFree);
  Json other = SomeConfig();
  other["epochs"] = 5;
  other["data"]["spec"] = "cifar10:x";
  other["batch"] = 64;
  other["data"]["threads"] = 7;
  const std::string before = ReadFile(path / "config.json");
  const std::string message = InputError([&] { RunFolder::Open(path, other, RunMode::kResume, kFree); });
  CHECK(Contains(message, "epochs 3 → 5"));
  CHECK(Contains(message, "data.spec \"demo\" → \"cifar10:x\""));
  CHECK(Contains(message, "batch (absent) → 64"));
  CHECK_FALSE(Contains(message, "threads"));
  CHECK_FALSE(Contains(message, "verb"));
  CHECK(ReadFile(path / "config.json") == before);
}

TEST_CASE("free keys and frozen choices do not stand in the way of a resume") {
  TempDir temp;
  const fs::path path = temp.path() / "a";
  RunFolder first = RunFolder::Open(path, SomeConfig(), RunMode::kNew, kFree);
  first.FreezeConfig("precision", "fp32");
  CHECK(RunFolder::ReadConfig(path)["precision"] == "fp32");

  Json asked = SomeConfig();  // "auto" again, other threads
  asked["data"]["threads"] = 1;
  const RunFolder resumed = RunFolder::Open(path, asked, RunMode::kResume, kFree);
  CHECK(resumed.config()["precision"] == "fp32");
  CHECK(resumed.config()["data"]["threads"] == 1);
  CHECK(resumed.config_hash() == first.config_hash());
  REQUIRE(resumed.changed_free_keys().size() == 1);
  CHECK(resumed.changed_free_keys()[0] == "data.threads 2 → 1");

  asked["precision"] = "bf16";
  CHECK(Contains(InputError([&] { RunFolder::Open(path, asked, RunMode::kResume, kFree); }),
                 "precision \"fp32\" → \"bf16\""));
}

TEST_CASE("the configuration's hash ignores the order of keys and nothing else") {
  TempDir temp;
  const Json a = {{"x", 1}, {"y", {{"p", 0.1}, {"q", "s"}}}};
  const Json same = {{"y", {{"q", "s"}, {"p", 0.1}}}, {"x", 1}};
  const Json other = {{"x", 1}, {"y", {{"p", 0.2}, {"q", "s"}}}};
  const std::string hash = RunFolder::Open(temp.path() / "a", a, RunMode::kNew).config_hash();
  CHECK(RunFolder::Open(temp.path() / "b", same, RunMode::kNew).config_hash() == hash);
  CHECK(RunFolder::Open(temp.path() / "c", other, RunMode::kNew).config_hash() != hash);
}

TEST_CASE("metrics grow line by line and are cut at a checkpoint") {
  TempDir temp;
  RunFolder folder = RunFolder::Open(temp.path() / "a", SomeConfig(), RunMode::kNew, kFree);
  for (int epoch = 0; epoch < 4; ++epoch) folder.AppendMetric({{"epoch", epoch}, {"event", "epoch"}});
  CHECK(folder.metric_lines() == 4);
  {
    std::ofstream cut(folder.metrics_path(), std::ios::app);
    cut << R"({"event": "epo)";  // what a crash in the middle of a write leaves
  }
  RunFolder again = RunFolder::Open(temp.path() / "a", SomeConfig(), RunMode::kResume, kFree);
  CHECK(again.metric_lines() == 4);
  again.TruncateMetrics(2);
  again.AppendMetric({{"event", "end"}, {"exit", 0}});
  const std::vector<std::string> lines = Split(Trim(ReadFile(again.metrics_path())), '\n');
  REQUIRE(lines.size() == 3);
  for (const std::string& line : lines) {
    const Json event = Json::parse(line);
    CHECK(event.begin().key() == "event");
    CHECK(event["t"].get<double>() > 1.6e9);
  }
  CHECK(Json::parse(lines[1])["epoch"] == 1);
  CHECK(Json::parse(lines[2])["event"] == "end");
  again.TruncateMetrics(100);
  CHECK(again.metric_lines() == 3);
}

TEST_CASE("a result finishes the run") {
  TempDir temp;
  RunFolder folder = RunFolder::Open(temp.path() / "a", SomeConfig(), RunMode::kNew, kFree);
  folder.WriteResult({{"top1", 0.5}});
  const RunFolder again = RunFolder::Open(temp.path() / "a", SomeConfig(), RunMode::kResume, kFree);
  CHECK(again.finished());
  CHECK(again.ReadResult()["top1"] == 0.5);
}

TEST_CASE("facts are merged into env.json") {
  TempDir temp;
  RunFolder folder = RunFolder::Open(temp.path() / "a", SomeConfig(), RunMode::kNew, kFree);
  folder.AddEnvironment({{"versions", {{"libtorch", "2"}}}});
  folder.AddEnvironment({{"versions", {{"nas", "1"}}}, {"seed", 4}});
  const Json facts = JsonDocument::Load(folder.environment_path().string()).root();
  CHECK(facts["versions"]["libtorch"] == "2");
  CHECK(facts["versions"]["nas"] == "1");
  CHECK(facts["seed"] == 4);
  CHECK(facts["schema"] == "nas.env/1");
}

TEST_CASE("a look before the start refuses alike and writes nothing") {
  TempDir temp;
  const fs::path path = temp.path() / "a";
  CHECK_FALSE(RunFolder::Check(path, SomeConfig(), RunMode::kNew, kFree));
  CHECK_FALSE(fs::exists(path));
  RunFolder folder = RunFolder::Open(path, SomeConfig(), RunMode::kNew, kFree);
  const std::string facts = ReadFile(folder.environment_path());
  CHECK_FALSE(RunFolder::Check(path, SomeConfig(), RunMode::kResume, kFree));
  CHECK_FALSE(RunFolder::Check(path, SomeConfig(), RunMode::kForce, kFree));
  CHECK(Contains(InputError([&] { RunFolder::Check(path, SomeConfig(), RunMode::kNew, kFree); }), "--force"));
  CHECK(ReadFile(folder.environment_path()) == facts);
  folder.WriteResult({{"top1", 0.5}});
  CHECK(RunFolder::Check(path, SomeConfig(), RunMode::kResume, kFree));
  CHECK(folder.finished());
}

TEST_CASE("the network of a run is found by its target") {
  TempDir temp;
  const fs::path path = temp.path() / "a";
  CHECK(Contains(InputError([&] { RunFolder::NetworkFolder(path, ""); }), "not the folder of a run"));
  RunFolder::Open(path, SomeConfig(), RunMode::kNew, kFree);
  CHECK(Contains(InputError([&] { RunFolder::NetworkFolder(path, ""); }), "no network yet"));
  const auto add = [&](const fs::path& folder) {
    fs::create_directories(folder);
    std::ofstream(folder / "arch.json") << "{}";
  };
  add(path / "targets" / "cpu-5ms");
  CHECK(RunFolder::NetworkFolder(path, "") == path / "targets" / "cpu-5ms");
  add(path / "targets" / "cpu-50ms");
  add(path / "targets" / "pixel1-80ms");
  CHECK(RunFolder::NetworkFolder(path, "pixel1") == path / "targets" / "pixel1-80ms");
  CHECK(RunFolder::NetworkFolder(path, "cpu-5ms") == path / "targets" / "cpu-5ms");
  CHECK(Contains(InputError([&] { RunFolder::NetworkFolder(path, "cpu"); }), "cpu-50ms, cpu-5ms, pixel1-80ms"));
  CHECK(Contains(InputError([&] { RunFolder::NetworkFolder(path, "pixel1-80m"); }), "pixel1-80ms"));
  add(path);
  CHECK(RunFolder::NetworkFolder(path, "") == path);
}

TEST_CASE("default names count up within a day") {
  TempDir temp;
  const fs::path first = RunFolder::NextDefaultName(temp.path(), "tiny-5ms");
  CHECK(StartsWith(first.filename().string(), "tiny-5ms-20"));
  CHECK(EndsWith(first.string(), "-1"));
  fs::create_directories(first);
  CHECK(EndsWith(RunFolder::NextDefaultName(temp.path(), "tiny-5ms").string(), "-2"));
}

TEST_CASE("a file in the way is named") {
  TempDir temp;
  std::ofstream(temp.path() / "f") << "x";
  CHECK(Contains(InputError([&] { RunFolder::Open(temp.path() / "f", SomeConfig(), RunMode::kNew, kFree); }),
                 "is a file"));
}

}  // namespace
}  // namespace nas
