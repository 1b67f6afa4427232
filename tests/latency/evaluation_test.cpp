// SPDX-License-Identifier: Apache-2.0
#include "nas/latency/evaluation.h"

#include "latency_data.h"
#include "nas/core/error.h"

using namespace nas;
using namespace nas::testing;
using Catch::Matchers::Contains;

namespace {

EvalData MadeUpData() {
  EvalData data;
  data.rows = MadeUpRows();
  return data;
}

}  // namespace

TEST_CASE("the figures of a report by hand") {
  const std::vector<EvalItem> items = {
      {"a", 10, 11, {9.5, 12}, 0}, {"b", 20, 19, {20.5, 21}, 1}, {"c", 40, 40, {39, 41}, 0}};
  const SplitReport r = MakeReport("s", items, {{"constant", {20, 20, 20}}}, /*target_ms=*/20);
  CHECK(r.n == 3);
  CHECK(r.mape == Approx((10 + 5 + 0) / 3.0));
  CHECK(r.median_ape == Approx(5));
  CHECK(r.max_ape == Approx(10));
  CHECK(r.bias == Approx(std::cbrt(1.1 * 0.95)));
  CHECK(r.rmse_ms == Approx(std::sqrt(2.0 / 3)));
  CHECK(*r.rmse_pct == Approx(100 * std::sqrt(2.0 / 3) / (70.0 / 3)));
  CHECK(r.within_5pct == Approx(2.0 / 3));
  CHECK(r.within_10pct == Approx(1));
  CHECK(*r.coverage_95 == Approx(2.0 / 3));
  CHECK(*r.extrapolated_share == Approx(1.0 / 3));
  CHECK_FALSE(r.spearman.has_value());  // below 30 items
  CHECK(r.regret->share_met == 1);      // a and b are predicted within 20 ms, and are
  CHECK(r.regret->worst_overshoot_pct == 0);
  CHECK(r.baselines[0].second.mape == Approx((100 + 0 + 50) / 3.0));
  const SplitReport tight = MakeReport("s", {{"a", 10, 9, {8, 10}, 0}, {"b", 11, 9.5, {8, 10}, 0}}, {}, 10);
  CHECK(tight.regret->share_met == 0.5);
  CHECK(tight.regret->worst_overshoot_pct == Approx(10));
}

TEST_CASE("splits depend on seed and content, not on the order of the rows") {
  EvalData data = MadeUpData();
  const SplitReport a = RunSplit(data, "random:60", 1).report;
  std::reverse(data.rows.begin(), data.rows.end());
  CHECK(RunSplit(data, "random:60", 1).report == a);
  CHECK_FALSE(RunSplit(data, "random:60", 2).report == a);
  CHECK_THAT(a.split, Contains("optimistic"));
  CHECK(a.n == static_cast<int>(data.rows.size()) - 60);
  CHECK(a.mape < 3);
  CHECK(a.baselines.size() == 3);
  CHECK(a.mape < a.baselines[0].second.mape);
}

TEST_CASE("twins of training rows never test, and leave-out splits lose the training twin instead") {
  EvalData data = MadeUpData();
  const size_t once = data.rows.size();
  for (size_t i = 0; i < once; ++i) {
    data.rows.push_back(data.rows[i]);
    data.rows.back().source = "second";
  }
  const Evaluation random = RunSplit(data, "random:100");
  CHECK(random.report.n < static_cast<int>(2 * once) - 100);
  const Evaluation leave = RunSplit(data, "leave:kernel=7");
  CHECK(leave.report.extrapolated_share == 1.0);
  CHECK_THROWS_WITH(RunSplit(data, "leave:source=second"), Contains("0 rows to fit"));
}

TEST_CASE("leave-out conditions: globs, numbers and their refusals") {
  const EvalData data = MadeUpData();
  const int all = RunSplit(data, "leave:c_in>=40").report.n;
  CHECK(all + RunSplit(data, "leave:c_in<40").report.n == static_cast<int>(data.rows.size()));
  CHECK(RunSplit(data, "leave:act=h*").report.n + RunSplit(data, "leave:act=relu6").report.n ==
        static_cast<int>(data.rows.size()));
  const auto refusal = [&](const char* split) {
    try {
      RunSplit(data, split);
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string("accepted");
  };
  CHECK_THAT(refusal("random:x"), Contains("whole number"));
  CHECK_THAT(refusal("leave:kernal=7"), Contains("did you mean \"kernel\""));
  CHECK_THAT(refusal("leave:kernel>=big"), Contains("not a number"));
  CHECK_THAT(refusal("leave:kernel"), Contains("no condition"));
  CHECK_THAT(refusal("halves"), Contains("known: random:N"));
  CHECK_THAT(refusal("leave:kernel=9"), Contains("0 to test"));
  CHECK_THAT(refusal("nets:5"), Contains("none to test"));
}

TEST_CASE("a split by run fits on the other runs") {
  EvalData data = MadeUpData();
  for (size_t i = 0; i < data.rows.size(); ++i) data.rows[i].source = i % 4 == 0 ? "run 2" : "run 1";
  const SplitReport r = RunSplit(data, "run:2").report;
  CHECK(r.n == static_cast<int>((data.rows.size() + 3) / 4));
  CHECK(r.mape < 3);
}

TEST_CASE("a certificate is reproduced, and a wrong one is told apart") {
  ImportedData data;
  data.rows = MadeUpRows();
  LatencyTable table = TableOf(data, "t");
  const EvalData eval = EvalDataFromTable(table);
  table.certificate = MakeCertificate(table, eval, {"random:60", "leave:kernel=7"}, "2026-11-22");
  CHECK(table.certificate->within_run == Approx(0.01));
  CHECK(TableFromText(TableToText(table), "t") == table);
  const Certificate again = MakeCertificate(table, eval, {"random:60"}, "2027-01-01");
  CHECK(CompareCertificates(*table.certificate, again).empty());
  Certificate wrong = *table.certificate;
  wrong.splits[0].mape *= 0.5;
  CHECK_THAT(CompareCertificates(wrong, again), Contains("mape: stored"));
}

TEST_CASE("the plot holds one dot per item and escapes names") {
  Evaluation evaluation = RunSplit(MadeUpData(), "random:100");
  evaluation.items[0].name = "a<b>&";
  const std::string svg = ScatterSvg(evaluation, "Ti\"tle");
  size_t dots = 0;
  for (size_t at = svg.find("<circle"); at != std::string::npos; at = svg.find("<circle", at + 1)) ++dots;
  CHECK(dots == evaluation.items.size());
  CHECK_THAT(svg, Contains("a&lt;b&gt;&amp;") && Contains("Ti&quot;tle") && Contains("</svg>"));
}
