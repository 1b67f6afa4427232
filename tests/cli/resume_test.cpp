// SPDX-License-Identifier: Apache-2.0
// A run that was killed and resumed gives the same bits as one left alone (proxyless.md N12).
#include <csignal>
#include <filesystem>

#include "nas/core/files.h"
#include "nas/core/rng.h"
#include "program.h"
#include "support/catch_compat.h"

using nas::test::Outcome;
using nas::test::RunNas;
using nas::test::RunNasAndKill;

namespace {

std::vector<std::string> Arguments(const std::string& out, bool resume) {
  std::vector<std::string> arguments{"search", "--data",   "demo",     "--space",  "tiny",     "--limit-per-class",
                                     "60",     "--epochs", "6",        "--batch",  "32",       "--out",
                                     out,      "--json",   "--target", "macs=40%", "--target", "macs=70%"};
  if (resume) arguments.push_back("--resume=auto");
  return arguments;
}

/// result.json without what may differ: times and places.
nlohmann::ordered_json Comparable(const std::string& out) {
  auto result = nlohmann::ordered_json::parse(nas::ReadFile(std::filesystem::path(out) / "result.json"));
  for (const char* key : {"run", "wall_s", "images_per_s", "peak_memory_mib"}) result.erase(key);
  return result;
}

}  // namespace

TEST_CASE("killed at random moments and resumed: bit for bit the uninterrupted run", "[cli]") {
  const nas::TempDir dir;
  const std::string alone = (dir.path() / "alone").string();
  REQUIRE(RunNas(Arguments(alone, false)).code == 0);

  const std::string killed = (dir.path() / "killed").string();
  nas::CounterRng rng(/*seed=*/20260101);
  Outcome last;
  for (int kill = 0; kill < 3; ++kill) {
    const int signal = kill == 1 ? SIGKILL : SIGTERM;
    last = RunNasAndKill(Arguments(killed, true), /*seconds=*/1.5 + 2.0 * rng.Uniform(), signal);
    if (last.code == 0) break;  // it got through
  }
  for (int i = 0; i < 3 && last.code != 0; ++i) last = RunNas(Arguments(killed, true));
  INFO(last.err);
  REQUIRE(last.code == 0);
  REQUIRE(Comparable(killed) == Comparable(alone));
  REQUIRE(nas::ReadFile(std::filesystem::path(killed) / "samples.jsonl") ==
          nas::ReadFile(std::filesystem::path(alone) / "samples.jsonl"));
  for (const char* target : {"macs-40pct", "macs-70pct"}) {
    const auto weights = [&](const std::string& run) {
      return nas::ReadFile(std::filesystem::path(run) / "targets" / target / "weights.safetensors");
    };
    REQUIRE(weights(killed) == weights(alone));
  }
}
