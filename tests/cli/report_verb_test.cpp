// SPDX-License-Identifier: Apache-2.0
// `nas explain`, `nas report`, `nas completion` as a user calls them, on a run folder with a search's files.
#include "nas/core/files.h"
#include "nas/core/subprocess.h"
#include "program.h"
#include "report/run_fixture.h"
#include "support/catch_compat.h"

using nas::TempDir;
using nas::test::FakeRun;
using nas::test::Outcome;
using nas::test::RunNas;
using nas::test::WriteRun;

namespace {

bool Contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

/// Output of a shell script that has `$NAS`, the program; "" with a visible word when the shell is not installed.
std::string Shell(const std::string& shell, const std::string& script) {
  if (nas::FindProgram(shell).empty()) {
    WARN("skipped: " << shell << " is not installed");
    return "";
  }
  nas::SubprocessOptions options;
  options.argv = {"env", std::string("PATH=") + NAS_BINARY_DIR + "/bin:/usr/bin:/bin", shell, "-c", script};
  options.deadline_s = 60;
  const nas::SubprocessResult result = nas::RunSubprocess(options);
  INFO(result.err);
  REQUIRE(result.exit_code == 0);
  REQUIRE(result.err.empty());
  return result.out;
}

}  // namespace

TEST_CASE("explain: tables and JSON of all targets, or of one", "[cli]") {
  const TempDir dir;
  const std::string run = (dir.path() / "run").string();
  WriteRun(run);
  const Outcome text = RunNas({"explain", run, "--target", "macs"});
  REQUIRE(text.code == 0);
  REQUIRE(Contains(text.out, "the budget pressed while it was learned"));
  REQUIRE(Contains(text.out, "runner-up"));
  REQUIRE(Contains(text.out, "█") + Contains(text.out, "▂") > 0);
  const auto json = RunNas({"explain", run, "--json"}).json();
  REQUIRE(json["schema"] == "nas.explain/1");
  REQUIRE(json["state"] == "finished");
  REQUIRE(json["targets"].size() == 2);
  REQUIRE(json["targets"][0]["edges"].size() == 5);
  REQUIRE(json["targets"][0]["edges"][0]["candidates"][5]["dropped_after_epoch"] == 3);
  REQUIRE(json["targets"][0]["edges"][0]["alpha"].size() == 6);
}

TEST_CASE("explain: refusals name the remedy", "[cli]") {
  const TempDir dir;
  const Outcome none = RunNas({"explain", (dir.path() / "nothing").string()});
  REQUIRE(none.code == 3);
  REQUIRE(Contains(none.err, "give one that `search` or `train` made"));
  const std::string run = (dir.path() / "run").string();
  WriteRun(run);
  const Outcome target = RunNas({"explain", run, "--target", "mascs=40%"});
  REQUIRE(target.code == 3);
  REQUIRE(Contains(target.err, "macs=40%"));
}

TEST_CASE("report: the page goes into the run, figures beside it on request", "[cli]") {
  const TempDir dir;
  const std::string run = (dir.path() / "run").string();
  FakeRun fake;
  fake.finished = GENERATE(true, false);
  WriteRun(run, fake);
  const Outcome outcome = RunNas({"report", run, "--data-dir", (dir.path() / "figures").string(), "--json"});
  REQUIRE(outcome.code == 0);
  REQUIRE(outcome.json()["out"] == run + "/report.html");
  const std::string page = nas::ReadFile(run + "/report.html");
  REQUIRE(page.size() == outcome.json()["bytes"].get<std::size_t>());
  REQUIRE(Contains(page, fake.finished ? "target met" : "no network yet"));
  REQUIRE(std::filesystem::exists(dir.path() / "figures" / "macs-40pct-expected.csv"));
  REQUIRE(std::filesystem::exists(dir.path() / "figures" / "macs-40pct-network.svg"));
  REQUIRE(RunNas({"report", (dir.path() / "figures").string()}).code == 3);
  REQUIRE(RunNas({"report", run, "--out", (dir.path() / "no" / "such" / "r.html").string()}).code == 3);
}

TEST_CASE("completion: bash knows verbs, flags, choices and files", "[cli]") {
  const auto complete = [](const std::string& words, int at) {
    return Shell("bash", "source <(nas completion bash); COMP_WORDS=(" + words + "); COMP_CWORD=" + std::to_string(at) +
                             "; _nas; echo \"${COMPREPLY[@]}\"");
  };
  REQUIRE(Contains(complete("nas sea", 1), "search"));
  REQUIRE(Contains(complete("nas search --epo", 2), "--epochs"));
  const std::string strategies = complete("nas search --strategy ''", 3);
  REQUIRE(Contains(strategies, "reinforce"));
  REQUIRE_FALSE(Contains(strategies, "--"));
  REQUIRE(Contains(complete("nas search --strategy = full", 4), "full_v2"));
  REQUIRE(Contains(complete("nas space sh", 2), "show"));
  REQUIRE(Contains(complete("nas space show --space ti", 4), "tiny"));
  REQUIRE(Contains(complete("nas search --progress j", 3), "json"));
  REQUIRE(Contains(complete("nas search --config /et", 3), "/etc"));
  REQUIRE(Contains(complete("nas predict --target no", 3), "note10"));
}

TEST_CASE("completion: zsh and fish read what they are given", "[cli]") {
  if (!nas::FindProgram("zsh").empty()) {
    REQUIRE(Shell("zsh",
                  "nas completion zsh > /tmp/nas-zsh.$$ && zsh -n /tmp/nas-zsh.$$ && rm /tmp/nas-zsh.$$ && echo ok") ==
            "ok\n");
    REQUIRE(Contains(
        Shell("zsh", "autoload -U compinit; compinit -D -u; source <(nas completion zsh); echo $_comps[nas]"), "_nas"));
  } else {
    WARN("skipped: zsh is not installed");
  }
  const std::string fish =
      Shell("fish", "nas completion fish | source; complete -C 'nas search --strategy '; complete -C 'nas sp'");
  if (fish.empty()) return;
  REQUIRE(Contains(fish, "full_v2"));
  REQUIRE(Contains(fish, "space"));
}

TEST_CASE("completion: the manual page names every verb and is clean", "[cli]") {
  const Outcome page = RunNas({"completion", "man"});
  REQUIRE(page.code == 0);
  for (const char* verb : {"search", "train", "report", "explain", "doctor"})
    REQUIRE(Contains(page.out, std::string(".SS \"nas ") + verb + "\""));
  REQUIRE(Contains(page.out, "\\-\\-epochs"));
  if (nas::FindProgram("mandoc").empty()) {
    WARN("skipped: mandoc is not installed");
    return;
  }
  nas::SubprocessOptions options;
  options.argv = {"mandoc", "-Tlint", "-Wwarning"};
  options.input = page.out;
  const nas::SubprocessResult lint = nas::RunSubprocess(options);
  INFO(lint.out << lint.err);
  REQUIRE(lint.exit_code == 0);
}

TEST_CASE("completion: an unknown shell names the nearest one", "[cli]") {
  const Outcome outcome = RunNas({"completion", "bahs"});
  REQUIRE(outcome.code == 2);
  REQUIRE(Contains(outcome.err, "bash"));
}
