// SPDX-License-Identifier: Apache-2.0
#include "nas/report/sweep_page.h"

#include <algorithm>

#include "nas/core/files.h"
#include "nas/core/text.h"
#include "support/catch_compat.h"

using namespace nas;

namespace {

/// Two budgets of one device and one of another, two seeds each; one run failed, one waits.
SweepPage Example() {
  SweepPage sweep;
  sweep.name = "seeds";
  sweep.runs = {{"0-seed0", "finished", "", "0-seed0/report.html"},
                {"1-seed1", "failed", "exit 7: diverged <here>", ""},
                {"2-seed2", "queued", "Resources", ""}};
  sweep.targets = {{"cpu=5ms", "cpu", CostUnit::kMillis, 2, 1, 0.55, 0.05, 4.5, {1, 0.5}},
                   {"cpu=8ms", "cpu", CostUnit::kMillis, 1, 1, 0.70, 0, 8, {1, 1}},
                   {"macs=50M", "macs", CostUnit::kMacs, 2, 2, 0.6, 0.01, 49e6, {1, 1}}};
  sweep.networks = {{"0-seed0", "cpu=5ms", 4, 4.1, 0.60, 40, 4, true, true, "01"},
                    {"1-seed1", "cpu=5ms", 5, std::nullopt, 0.50, 50, 5, false, false, "02"},
                    {"0-seed0", "cpu=8ms", 8, std::nullopt, 0.70, 80, 8, true, true, "11"},
                    {"0-seed0", "macs=50M", 49e6, std::nullopt, 0.61, 49000000, 9, true, true, "11"},
                    {"1-seed1", "macs=50M", 49e6, std::nullopt, 0.59, 49000000, 9, true, false, "11"}};
  return sweep;
}

std::string FileOf(const SweepPage& sweep, const std::string& name) {
  for (const ReportFile& file : SweepFiles(sweep)) {
    if (file.name == name) return file.content;
  }
  return "";
}

bool Contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("the page of a sweep: spread over seeds, one picture per device, runs that need somebody first", "[report]") {
  const std::string html = SweepDocument(Example());
  REQUIRE(Contains(html, "1 of 3 runs finished"));
  REQUIRE(Contains(html, "55.00 ± 5.00 %"));
  REQUIRE(Contains(html, "<td class=n><b>70.00 %</b>"));  // one run has no spread
  REQUIRE(Contains(html, "id=\"pareto-cpu\""));
  REQUIRE(Contains(html, "id=\"pareto-macs\""));
  REQUIRE(Contains(html, "diverged &lt;here&gt;"));
  REQUIRE(Contains(html, "<a href=\"0-seed0/report.html\">"));
  REQUIRE(html.find("1-seed1<td><span class=\"chip bad\">") < html.find("2-seed2<td><span class=\"chip warn\">"));
}

TEST_CASE("the files of a sweep: the front holds what is not beaten, the spread is mean ± sd", "[report]") {
  const SweepPage sweep = Example();
  const std::string csv = FileOf(sweep, "pareto-cpu.csv");
  INFO(csv);
  REQUIRE(Contains(csv, "Pareto front,4,0.6"));
  REQUIRE(Contains(csv, "Pareto front,8,0.7"));
  REQUIRE_FALSE(Contains(csv, "Pareto front,5,"));
  REQUIRE(Contains(csv, "cpu=5ms mean ± sd,4.5,0.5,"));
  REQUIRE(Contains(csv, "cpu=5ms mean ± sd,4.5,0.6,"));
  const std::string networks = FileOf(sweep, "networks.csv");
  REQUIRE(Split(networks, '\n').size() == 1 + sweep.networks.size() + 1);
  REQUIRE(Contains(networks, "1-seed1,cpu=5ms,5,,0.5,50,5,02,0,0\n"));
  REQUIRE(Contains(FileOf(sweep, "agreement.csv"), "cpu=5ms,1,0.5,"));
}

TEST_CASE("a sweep without any result has a page, too", "[report]") {
  SweepPage sweep = Example();
  sweep.targets.clear();
  sweep.networks.clear();
  const TempDir dir;
  WriteSweepPage(sweep, dir.path() / "r.html", dir.path() / "data");
  const std::string html = ReadFile(dir.path() / "r.html");
  REQUIRE(Contains(html, "No run has a result yet."));
  REQUIRE(Contains(html, "2-seed2"));
}
