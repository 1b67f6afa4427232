// SPDX-License-Identifier: Apache-2.0
// Verbs and refusals that need no LibTorch.
#include "nas/core/files.h"
#include "nas/core/text.h"
#include "program.h"
#include "support/catch_compat.h"

using nas::test::Outcome;
using nas::test::RunNas;

namespace {

bool Contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

int Lines(const std::string& text) { return static_cast<int>(std::count(text.begin(), text.end(), '\n')); }

}  // namespace

TEST_CASE("an unknown flag names the nearest one", "[cli]") {
  const Outcome outcome = RunNas({"search", "--epoch", "3"});
  REQUIRE(outcome.code == 2);
  REQUIRE(Contains(outcome.err, "--epochs"));
  REQUIRE(outcome.out.empty());
}

TEST_CASE("an unknown verb names the nearest one", "[cli]") {
  const Outcome outcome = RunNas({"serach"});
  REQUIRE(outcome.code == 2);
  REQUIRE(Contains(outcome.err, "\"serach\""));
  REQUIRE(Contains(outcome.err, "did you mean"));
  REQUIRE(Contains(RunNas({"space", "lst"}).err, "did you mean"));
  REQUIRE(Contains(RunNas({}).err, "needs a command"));
}

TEST_CASE("a bare number is no latency", "[cli]") {
  const Outcome outcome = RunNas({"search", "--target", "cpu=5"});
  REQUIRE(outcome.code == 2);
  REQUIRE(Contains(outcome.err, "5ms"));
  REQUIRE(Lines(outcome.err) == 1);
}

TEST_CASE("help of every verb shows flags, examples and exit codes", "[cli]") {
  const std::string verb = GENERATE("search", "train", "eval", "predict", "profile-device", "predictor", "space",
                                    "arch", "data", "bench", "doctor", "version", "explain", "report", "completion");
  const Outcome outcome = RunNas({verb, "--help"});
  INFO(verb);
  REQUIRE(outcome.code == 0);
  REQUIRE(Contains(outcome.out, "Examples:"));
  REQUIRE(Contains(outcome.out, "Exit codes:"));
  REQUIRE(Contains(outcome.out, "--json"));
}

TEST_CASE("authority: file below --set below flag, and each value says where it came from", "[cli]") {
  const nas::TempDir dir;
  const std::string config = (dir.path() / "c.json").string();
  nas::WriteFileAtomic(config, "{ // a comment\n  \"epochs\": 3, \"batch\": 16, \"space\": \"tiny\"}\n");
  const Outcome outcome = RunNas(
      {"search", "--config", config, "--set", "batch=32", "--set", "epochs=4", "--epochs", "5", "--print-config"});
  REQUIRE(outcome.code == 0);
  REQUIRE(Contains(outcome.out, "5  (flag)"));
  REQUIRE(Contains(outcome.out, "32  (--set)"));
  REQUIRE(Contains(outcome.out, "tiny  (" + config + ")"));
  REQUIRE(Contains(outcome.out, "two  (built-in)"));
}

TEST_CASE("an unknown key in a configuration file is refused with line and nearest name", "[cli]") {
  const nas::TempDir dir;
  const std::string config = (dir.path() / "c.json").string();
  nas::WriteFileAtomic(config, "{\n  \"epohcs\": 3\n}\n");
  const Outcome outcome = RunNas({"search", "--config", config});
  REQUIRE(outcome.code == 3);
  REQUIRE(Contains(outcome.err, "c.json:2"));
  REQUIRE(Contains(outcome.err, "\"epochs\""));
}

TEST_CASE("space: list, count, sample, check", "[cli]") {
  REQUIRE(Contains(RunNas({"space", "list"}).out, "proxyless-mobile"));
  const auto count = RunNas({"space", "count", "--space", "cifar-mbconv", "--json"}).json();
  REQUIRE(count["edges"] == 11);
  REQUIRE(count["alphas"] == 72);
  REQUIRE(count["macs"][0] == 12551680);
  REQUIRE(count["macs"][1] == 73590784);
  REQUIRE(count["latency_ms"].is_null());
  const Outcome once = RunNas({"space", "sample", "--space", "tiny", "-n", "3", "--seed", "7"});
  REQUIRE(Lines(once.out) == 3);
  REQUIRE(once.out == RunNas({"space", "sample", "--space", "tiny", "-n", "3", "--seed", "7"}).out);
  REQUIRE(once.out != RunNas({"space", "sample", "--space", "tiny", "-n", "3", "--seed", "8"}).out);
}

TEST_CASE("an unknown space names the nearest one", "[cli]") {
  const Outcome outcome = RunNas({"space", "show", "--space", "cifar-mbcnov"});
  REQUIRE(outcome.code == 3);
  REQUIRE(Contains(outcome.err, "cifar-mbconv"));
}

TEST_CASE("a space file with an unknown key is refused with line and path", "[cli]") {
  const nas::TempDir dir;
  const std::string file = (dir.path() / "s.json").string();
  std::string text = nas::ReadFile(std::string(NAS_SOURCE_DIR) + "/search_spaces/tiny.json");
  const std::size_t brace = text.find('{');
  text.insert(brace + 1, "\n  \"kernal\": 3,\n");
  nas::WriteFileAtomic(file, text);
  const Outcome outcome = RunNas({"space", "check", file});
  REQUIRE(outcome.code == 3);
  REQUIRE(Contains(outcome.err, "kernal"));
  REQUIRE(Contains(outcome.err, "s.json:"));
}

TEST_CASE("arch: a code shows, converts to every form and back", "[cli]") {
  const nas::TempDir dir;
  const auto shown = RunNas({"arch", "show", "11111111", "--space", "macro-cifar", "--json"}).json();
  REQUIRE(shown["params"] == 1588874);
  REQUIRE(shown["macs"] == 53246464);
  const std::string code = "30123";
  const std::string file = (dir.path() / "net.config").string();
  REQUIRE(RunNas({"arch", "convert", code, "--space", "tiny", "--to", "net.config", "--out", file}).code == 0);
  REQUIRE(RunNas({"arch", "convert", file, "--space", "tiny", "--to", "code"}).out == code + "\n");
  REQUIRE(RunNas({"arch", "diff", code, code, "--space", "tiny"}).out == "equal networks\n");
}

TEST_CASE("a missing architecture file says what may be given", "[cli]") {
  const Outcome outcome = RunNas({"arch", "show", "no/such.json"});
  REQUIRE(outcome.code == 3);
  REQUIRE(Contains(outcome.err, "no/such.json"));
}
