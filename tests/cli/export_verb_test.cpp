// SPDX-License-Identifier: Apache-2.0
// `nas export` and `nas verify` as a user calls them.
#include <cstdlib>
#include <filesystem>
#include <set>

#include "nas/core/files.h"
#include "nas/core/subprocess.h"
#include "program.h"
#include "support/catch_compat.h"

using nas::test::Outcome;
using nas::test::RunNas;

namespace {

namespace fs = std::filesystem;

bool Contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

std::string Python() { return std::string(NAS_SOURCE_DIR) + "/.venv/bin/python"; }

bool HasRuntime() {
  static const bool has =
      nas::RunSubprocess({{Python(), "-c", "import numpy, onnx, onnxruntime"}, "", 120, {}}).exit_code == 0;
  if (!has) WARN("skipped: " << Python() << " has no onnxruntime; scripts/test installs it");
  return has;
}

std::set<std::string> Files(const fs::path& folder) {
  std::set<std::string> names;
  if (!fs::exists(folder)) return names;
  for (const auto& entry : fs::directory_iterator(folder)) names.insert(entry.path().filename().string());
  return names;
}

std::string WriteArch(const fs::path& dir, const std::string& code = "01234") {
  const std::string path = (dir / (code + ".json")).string();
  REQUIRE(RunNas({"arch", "convert", code, "--space", "tiny", "--to", "json", "--out", path}).code == 0);
  return path;
}

}  // namespace

TEST_CASE("a found network is exported, verified, and its passport holds until a file changes", "[cli]") {
  if (!HasRuntime()) return;
  const nas::TempDir dir;
  const std::string run = (dir.path() / "run").string();
  REQUIRE(RunNas({"search", "--data", "demo", "--space", "tiny", "--limit-per-class", "20", "--epochs", "2", "--batch",
                  "32", "--target", "macs=50%", "--out", run})
              .code == 0);
  const fs::path out = fs::path(run) / "targets" / "macs-50pct" / "export";
  const std::vector<std::string> arguments{
      "export",   "--run",    run,      "--format", "onnx,torchscript,safetensors,state-dict,net.config,timm",
      "--verify", "--python", Python(), "--json"};
  const Outcome outcome = RunNas(arguments);
  INFO(outcome.err);
  REQUIRE(outcome.code == 0);
  const auto result = outcome.json();
  REQUIRE(result["schema"] == "nas.export/1");
  REQUIRE(result["weights"] == "trained");
  REQUIRE(result["files"].size() == 6);
  for (const auto& file : result["files"]) {
    INFO(file.dump());
    REQUIRE(file["verified"]["ok"] == true);
    if (file["verified"].contains("max_difference")) {
      REQUIRE(file["verified"]["max_difference"].get<double>() <= 1e-4);
      REQUIRE(file["verified"]["top1_agreement"] == 1.0);
    }
  }
  REQUIRE(Files(out) == std::set<std::string>{"arch.timm", "init", "model.onnx", "model.pt", "model.safetensors",
                                              "net.config", "passport.json"});

  const Outcome again = RunNas(arguments);
  REQUIRE(again.code == 3);
  REQUIRE(Contains(again.err, "--force"));

  const Outcome holds = RunNas({"verify", out.string(), "--json"});
  INFO(holds.out << holds.err);
  REQUIRE(holds.code == 0);
  std::set<std::string> held;
  const auto checked = holds.json();
  for (const auto& check : checked["checks"]) {
    REQUIRE(check["status"] == "holds");
    held.insert(check["what"].get<std::string>());
  }
  for (const char* what : {"params", "MACs", "top-1", "data demo", "onnx model.onnx"}) {
    INFO(what);
    REQUIRE(held.count(what) == 1);
  }

  // Exported weights evaluate to the run's accuracy.
  const auto plain = RunNas({"eval", "--run", run, "--json"}).json();
  const auto exported = RunNas({"eval", "--arch", (out / "net.config").string(), "--weights",
                                (out / "model.safetensors").string(), "--data", "demo", "--json"})
                            .json();
  REQUIRE(exported["top1"] == plain["top1"]);

  // A passport that claims another accuracy.
  auto passport = nlohmann::ordered_json::parse(nas::ReadFile(out / "passport.json"));
  for (auto& metric : passport["metrics"]) {
    if (metric["name"] == "top1") metric["value"] = metric["value"].get<double>() + 0.2;
  }
  nas::WriteFileAtomic(out / "passport.json", passport.dump(1));
  const Outcome claimed = RunNas({"verify", out.string()});
  REQUIRE(claimed.code == 6);
  REQUIRE(Contains(claimed.out, "top-1"));

  // A file that has changed.
  nas::WriteFileAtomic(out / "init", "x");
  const Outcome changed = RunNas({"verify", (out / "passport.json").string(), "--no-data"});
  REQUIRE(changed.code == 6);
  REQUIRE(Contains(changed.out, "DIFFERS"));
}

TEST_CASE("an architecture without weights gets random ones, and is told so", "[cli]") {
  const nas::TempDir dir;
  const std::string arch = WriteArch(dir.path());
  const std::string out = (dir.path() / "out").string();
  const Outcome outcome = RunNas({"export", "--arch", arch, "--out", out});
  INFO(outcome.err);
  REQUIRE(outcome.code == 0);
  REQUIRE(Contains(outcome.err, "random"));
  REQUIRE(Contains(outcome.out, "random weights"));
  REQUIRE(Files(out) == std::set<std::string>{"model.onnx", "passport.json"});
  REQUIRE(RunNas({"verify", out}).code == 0);
}

TEST_CASE("exports that cannot be are one sentence and leave nothing behind", "[cli]") {
  const nas::TempDir dir;
  const std::string arch = WriteArch(dir.path());
  const std::string out = (dir.path() / "out").string();
  const auto refuse = [&](std::vector<std::string> more, int code, const std::vector<std::string>& parts) {
    std::vector<std::string> arguments{"export", "--out", out};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const Outcome outcome = RunNas(arguments);
    INFO(outcome.err);
    REQUIRE(outcome.code == code);
    for (const std::string& part : parts) REQUIRE(Contains(outcome.err, part));
    REQUIRE_FALSE(fs::exists(out));
  };
  SECTION("an unknown format shows the list") {
    refuse({"--arch", arch, "--format", "onxx"}, 2, {"onnx", "torchscript", "safetensors", "state-dict", "timm"});
  }
  SECTION("no network") { refuse({}, 2, {"--run", "--arch"}); }
  SECTION("weights of another architecture") {
    const std::string other = WriteArch(dir.path(), "43210");
    const std::string place = (dir.path() / "weights").string();
    REQUIRE(RunNas({"export", "--arch", other, "--format", "safetensors", "--out", place}).code == 0);
    refuse({"--arch", arch, "--weights", place + "/model.safetensors"}, 3, {"model.safetensors", "tensor"});
  }
  SECTION("truncated weights") {
    const std::string place = (dir.path() / "weights").string();
    REQUIRE(RunNas({"export", "--arch", arch, "--format", "safetensors", "--out", place}).code == 0);
    fs::resize_file(place + "/model.safetensors", fs::file_size(place + "/model.safetensors") / 2);
    refuse({"--arch", arch, "--weights", place + "/model.safetensors"}, 3, {"truncated"});
  }
  SECTION("a run that is none") { refuse({"--run", dir.path().string()}, 3, {"not the folder of a run"}); }
  SECTION("an interpreter that is not there") {
    refuse({"--arch", arch, "--verify", "--python", "/no/such/python"}, 5, {"/no/such/python", "onnxruntime"});
  }
  SECTION("a place that is a file") {
    nas::WriteFileAtomic(dir.path() / "file", "x");
    const Outcome outcome = RunNas({"export", "--arch", arch, "--out", (dir.path() / "file").string()});
    REQUIRE(outcome.code == 3);
    REQUIRE(nas::ReadFile(dir.path() / "file") == "x");
  }
}

TEST_CASE("a published network is exported by its net.config", "[cli]") {
  const char* data = std::getenv("NAS_TEST_DATA");
  if (data == nullptr) {
    WARN("skipped: NAS_TEST_DATA does not name the folder of the real data");
    return;
  }
  const nas::TempDir dir;
  const std::string out = (dir.path() / "out").string();
  const auto result = RunNas({"export", "--arch", std::string(data) + "/nets/proxyless_gpu.config", "--format",
                              "onnx,timm,net.config", "--out", out, "--json"})
                          .json();
  REQUIRE(result["params"] == 7119848);
  REQUIRE(result["macs"] == 465260160);
  REQUIRE(result["weights"] == "random");
  REQUIRE(RunNas({"arch", "diff", out + "/net.config", std::string(data) + "/nets/proxyless_gpu.config", "--json"})
              .json()["equal"] == true);
}
