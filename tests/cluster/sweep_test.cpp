// SPDX-License-Identifier: Apache-2.0
#include "nas/cluster/sweep.h"

#include <set>

#include "core/expect_error.h"
#include "nas/core/files.h"
#include "support/catch_compat.h"

using namespace nas;
using nas::testing::MessageOf;

namespace {

bool Contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

using Words = std::vector<std::string>;

}  // namespace

TEST_CASE("values of an axis: ranges, lists, and the first '=' ends the name", "[cluster]") {
  REQUIRE(ParseSweepAxis("seed=0..4").values == Words{"0", "1", "2", "3", "4"});
  REQUIRE(ParseSweepAxis("seed=-2..4:3").values == Words{"-2", "1", "4"});
  REQUIRE(ParseSweepAxis("seed=1,5..6").values == Words{"1", "5", "6"});
  const SweepAxis target = ParseSweepAxis("target=cpu=5ms,cpu=8ms+macs=50M");
  REQUIRE(target.name == "target");
  REQUIRE(target.values == Words{"cpu=5ms", "cpu=8ms+macs=50M"});
  REQUIRE(ParseSweepAxis("--width_mult=0.5,1").name == "width-mult");
}

TEST_CASE("odd axes are refused by name", "[cluster]") {
  for (const char* word : {"seed", "=3", "seed=", "seed=4..1", "seed=0..4:0", "seed=1,,2", "out=a,b", "resume=auto"}) {
    INFO(word);
    REQUIRE(Contains(MessageOf(ErrorKind::kUsage, [&] { ParseSweepAxis(word); }), "--sweep"));
  }
  const SweepAxis seed = ParseSweepAxis("seed=0..1");
  REQUIRE(Contains(MessageOf(ErrorKind::kUsage, [&] { ExpandSweep({seed, seed}, {"search"}, "s"); }), "given twice"));
  const SweepAxis many = ParseSweepAxis("seed=0..999");
  SweepAxis other = ParseSweepAxis("batch=0..99");
  REQUIRE(Contains(MessageOf(ErrorKind::kUsage, [&] { ExpandSweep({many, other}, {"search"}, "s"); }), "10000"));
}

TEST_CASE("the product: every combination once, the last name fastest, folders of their own", "[cluster]") {
  const auto points = ExpandSweep(
      {ParseSweepAxis("seed=0..1"), ParseSweepAxis("target=cpu=50%,macs=5M+cpu=9ms"), ParseSweepAxis("a.b=1,2")},
      {"search", "--data", "demo"}, "runs/s");
  REQUIRE(points.size() == 8);
  REQUIRE(points[0].args == Words{"search", "--data", "demo", "--seed=0", "--target", "cpu=50%", "--set", "a.b=1"});
  REQUIRE(points[1].args.back() == "a.b=2");
  REQUIRE(points[3].args == Words{"search", "--data", "demo", "--seed=0", "--target", "macs=5M", "--target", "cpu=9ms",
                                  "--set", "a.b=2"});
  REQUIRE(points[0].run == "runs/s/0-seed0-cpu-50pct-a.b1");
  std::set<std::string> runs;
  std::set<Words> args;
  for (const SweepPoint& point : points) {
    runs.insert(point.run);
    args.insert(point.args);
  }
  REQUIRE(runs.size() == 8);
  REQUIRE(args.size() == 8);
}

TEST_CASE("sweep.jsonl gives the points back, also after the folder has moved", "[cluster]") {
  const TempDir dir;
  const auto points = ExpandSweep({ParseSweepAxis("seed=0..2")}, {"search"}, dir.path() / "a");
  REQUIRE_FALSE(IsSweep(dir.path() / "a"));
  WriteSweep(dir.path() / "a", points);
  REQUIRE(IsSweep(dir.path() / "a"));
  std::filesystem::rename(dir.path() / "a", dir.path() / "b");
  const auto again = ReadSweep(dir.path() / "b");
  REQUIRE(again.size() == 3);
  for (std::size_t i = 0; i < 3; ++i) {
    REQUIRE(again[i].args == points[i].args);
    REQUIRE(again[i].run == (dir.path() / "b" / std::filesystem::path(points[i].run).filename()).string());
  }
  AppendLine(dir.path() / "b" / "sweep.jsonl", "{\"index\": 3");
  REQUIRE(Contains(MessageOf(ErrorKind::kInput, [&] { ReadSweep(dir.path() / "b"); }), "sweep.jsonl:4"));
}
