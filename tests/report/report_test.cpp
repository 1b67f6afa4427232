// SPDX-License-Identifier: Apache-2.0
#include "nas/report/report.h"

#include <algorithm>

#include "nas/core/subprocess.h"
#include "report/chart.h"
#include "report/markup.h"
#include "report/run_charts.h"
#include "run_fixture.h"
#include "support/catch_compat.h"

using namespace nas;
using nas::test::FakeRun;
using nas::test::SpaceDirs;
using nas::test::WriteRun;

namespace {

std::vector<RunRecord> Runs(const std::vector<std::filesystem::path>& paths) {
  std::vector<RunRecord> runs;
  for (const auto& path : paths) runs.push_back(ReadRun(path, SpaceDirs()));
  return runs;
}

int Count(const std::string& text, const std::string& part) {
  int count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

/// Tags balance and attributes are quoted: enough of XML for what Svg writes.
bool WellFormed(const std::string& svg) {
  std::vector<std::string> open;
  for (std::size_t at = svg.find('<'); at != std::string::npos; at = svg.find('<', at + 1)) {
    const std::size_t end = svg.find('>', at);
    if (end == std::string::npos) return false;
    const std::string tag = svg.substr(at + 1, end - at - 1);
    if (std::count(tag.begin(), tag.end(), '"') % 2 != 0) return false;
    if (tag[0] == '?' || tag.back() == '/') continue;
    if (tag[0] == '/') {
      if (open.empty() || open.back() != tag.substr(1)) return false;
      open.pop_back();
    } else {
      open.push_back(tag.substr(0, tag.find(' ')));
    }
  }
  return open.empty();
}

/// Rows of fields by RFC 4180; fails the test on rows of unequal width.
std::vector<std::vector<std::string>> ParseCsv(const std::string& text) {
  std::vector<std::vector<std::string>> rows(1, std::vector<std::string>(1));
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    std::string& field = rows.back().back();
    if (quoted && c == '"' && i + 1 < text.size() && text[i + 1] == '"') {
      field += text[++i];
    } else if (c == '"') {
      quoted = !quoted;
    } else if (c == ',' && !quoted) {
      rows.back().emplace_back();
    } else if (c == '\n' && !quoted) {
      rows.emplace_back(1);
    } else {
      field += c;
    }
  }
  REQUIRE_FALSE(quoted);
  rows.pop_back();
  for (const auto& row : rows) REQUIRE(row.size() == rows[0].size());
  return rows;
}

}  // namespace

TEST_CASE("the page of a finished run is self-contained and small", "[report]") {
  const TempDir dir;
  WriteRun(dir.path());
  const std::string page = ReportPage(Runs({dir.path()}));
  REQUIRE(page.size() < 1500000);
  REQUIRE(page.find("default-src 'none'") != std::string::npos);
  // The chart library names w3.org's name spaces; nothing may be loaded.
  for (const char* loads : {" src=", "<link", "@import", "url(", "<iframe"})
    REQUIRE(page.substr(0, page.find("<script>")).find(loads) == std::string::npos);
  REQUIRE(page.find("target met") != std::string::npos);
  REQUIRE(page.find("50.0 %") != std::string::npos);
  REQUIRE(page.find("--seed 7") != std::string::npos);
  REQUIRE(page.find("too small: train longer") != std::string::npos);
  REQUIRE(Count(page, "<figure class=\"chart") == Count(page, "<div class=plot data-chart="));
}

TEST_CASE("nothing in the data can end its script element", "[report]") {
  const TempDir dir;
  FakeRun fake;
  fake.data = "</script><script>alert(1)</script>";
  WriteRun(dir.path(), fake);
  const std::string page = ReportPage(Runs({dir.path()}));
  REQUIRE(Count(page, "<script") == 3);  // data, library, page
  REQUIRE(Count(page, "</script") == 3);
  REQUIRE(page.find("alert(1)") != std::string::npos);
  const std::size_t from = page.find("id=data>") + 8;
  const std::string data = page.substr(from, page.find("</script>", from) - from);
  REQUIRE(data.find('<') == std::string::npos);
  const Json json = Json::parse(data);
  REQUIRE(json["charts"].size() >= 5);
}

TEST_CASE("unfinished and failed runs have a page that says so", "[report]") {
  const TempDir dir;
  FakeRun fake;
  fake.finished = false;
  fake.epochs = GENERATE(0, 1, 4);
  WriteRun(dir.path(), fake);
  const std::string unfinished = ReportPage(Runs({dir.path()}));
  REQUIRE(unfinished.find("unfinished") != std::string::npos);
  REQUIRE(unfinished.find("no network yet") != std::string::npos);
  AppendLine(dir.path() / "metrics.jsonl",
             R"({"event":"alarm","kind":"diverged","step":3,"text":"the loss is no number"})");
  AppendLine(dir.path() / "metrics.jsonl", R"({"event":"epoch","t":1,"epo)");
  const std::vector<RunRecord> failed = Runs({dir.path()});
  REQUIRE(failed[0].progress == RunProgress::kFailed);
  const std::string page = ReportPage(failed);
  REQUIRE(page.find("the loss is no number") != std::string::npos);
  REQUIRE(page.find("1 lines of metrics.jsonl are damaged") != std::string::npos);
}

TEST_CASE("several runs are compared, and their figures do not collide", "[report]") {
  const TempDir a, b;
  WriteRun(a.path() / "run");
  FakeRun fake;
  fake.finished = false;
  WriteRun(b.path() / "run", fake);
  const std::vector<RunRecord> runs = Runs({a.path() / "run", b.path() / "run"});
  const std::string page = ReportPage(runs);
  REQUIRE(page.find("2 runs compared") != std::string::npos);
  std::vector<std::string> names;
  for (const ReportFile& file : ReportFiles(runs)) names.push_back(file.name);
  std::sort(names.begin(), names.end());
  REQUIRE(std::adjacent_find(names.begin(), names.end()) == names.end());
}

TEST_CASE("each figure is well-formed SVG, each table parses as CSV", "[report]") {
  const TempDir dir;
  WriteRun(dir.path());
  int svgs = 0, csvs = 0;
  for (const ReportFile& file : ReportFiles(Runs({dir.path()}))) {
    INFO(file.name);
    if (file.name.find(".svg") != std::string::npos) {
      REQUIRE(WellFormed(file.content));
      REQUIRE(file.content.find("nan") == std::string::npos);
      ++svgs;
    } else {
      REQUIRE(ParseCsv(file.content).size() > 1);
      ++csvs;
    }
  }
  REQUIRE(svgs >= 8);
  REQUIRE(csvs >= 8);
  REQUIRE_FALSE(WellFormed("<svg><g></svg>"));
}

TEST_CASE("markup: what is escaped, and what reads back", "[report]") {
  REQUIRE(detail::Escaped("<a href=\"x\">'&'") == "&lt;a href=&quot;x&quot;&gt;&#39;&amp;&#39;");
  REQUIRE(ParseCsv(detail::CsvField("a,\"b\"\nc") + ",d\n")[0][0] == "a,\"b\"\nc");
  const Json json{{"text", "</script>"}};
  REQUIRE(Json::parse(detail::ScriptJson(json)) == json);
}

TEST_CASE("the Pareto front keeps what nothing beats", "[report]") {
  const std::vector<detail::ChartPoint> points{{3, 0.5, ""}, {1, 0.2, ""}, {2, 0.6, ""}, {2, 0.4, ""}, {4, 0.7, ""}};
  const auto front = detail::ParetoFront(points);
  REQUIRE(front.size() == 3);
  for (const auto& p : points) {
    const bool beaten = std::any_of(points.begin(), points.end(), [&](const auto& q) {
      return q.x <= p.x && q.y >= p.y && (q.x < p.x || q.y > p.y);
    });
    const bool kept = std::any_of(front.begin(), front.end(), [&](const auto& q) { return q.x == p.x && q.y == p.y; });
    REQUIRE(kept == !beaten);
  }
}

TEST_CASE("axes: round ends around the data", "[report]") {
  const auto range = GENERATE(std::pair{0.0, 1.0}, std::pair{0.613, 2.291}, std::pair{-3.0, 5.0}, std::pair{7.0, 7.0},
                              std::pair{1e6, 2.3e7});
  const detail::Scale scale = detail::Scale::Around(range.first, range.second, 5);
  REQUIRE(scale.low <= range.first);
  REQUIRE(scale.high >= range.second);
  const auto ticks = scale.Ticks();
  REQUIRE(ticks.size() >= 3);
  REQUIRE(ticks.size() <= 13);
}

TEST_CASE("in Chromium: every chart is drawn, nothing is refused or logged", "[report]") {
  const std::string chromium = FindProgram("chromium");
  if (chromium.empty()) {
    WARN("skipped: chromium is not installed");
    return;
  }
  const TempDir dir;
  WriteRun(dir.path() / "run");
  const std::filesystem::path out = dir.path() / "report.html";
  WriteReport({dir.path() / "run"}, SpaceDirs(), out, "");
  SubprocessOptions options;
  options.argv = {chromium,
                  "--headless=new",
                  "--no-sandbox",
                  "--disable-gpu",
                  "--enable-logging=stderr",
                  "--user-data-dir=" + (dir.path() / "profile").string(),
                  "--virtual-time-budget=3000",
                  "--dump-dom",
                  "file://" + out.string()};
  options.deadline_s = 120;
  const SubprocessResult result = RunSubprocess(options);
  if (result.timed_out) {
    WARN("skipped: chromium did not answer within 120 s");
    return;
  }
  REQUIRE(result.err.find("CONSOLE") == std::string::npos);
  const int charts = Count(ReportPage(Runs({dir.path() / "run"})), "<div class=plot data-chart=");
  const std::string expected = "<pre id=\"status\">ok " + std::to_string(charts);
  INFO(result.out.substr(result.out.size() > 400 ? result.out.size() - 400 : 0));
  REQUIRE(result.out.find(expected) != std::string::npos);
}
