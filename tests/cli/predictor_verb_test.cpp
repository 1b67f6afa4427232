// SPDX-License-Identifier: Apache-2.0
// `nas predictor` and `nas predict` from a user's side.
#include <cmath>
#include <cstdlib>
#include <filesystem>

#include "nas/core/files.h"
#include "nas/core/subprocess.h"
#include "nas/core/text.h"
#include "program.h"
#include "support/catch_compat.h"

using Catch::Matchers::Contains;
using nas::StrCat;
using nas::test::Outcome;
using nas::test::RunNas;

namespace {

/// A CSV of blocks whose time is a plain function of their MACs and elements, with a smooth factor.
std::string MadeUpCsv(double scale) {
  std::string text =
      "device,runtime,op,h_in,c_in,h_out,c_out,mid,kernel,stride,skip,se,act,mean_ms,std_ms,count,source\n";
  for (int h : {7, 14, 28, 56}) {
    for (int c : {16, 32, 64}) {
      for (int k : {3, 5, 7}) {
        for (int e : {3, 6}) {
          const double out = double(h) * h / 1e6;
          const double ms =
              scale * (0.01 + out * c * e * (0.3 * k * k + 0.05 * 2 * c + 2)) * (1 + 0.02 * std::sin(h + k));
          text += StrCat("board,rt,mbconv,", h, ",", c, ",", h, ",", c, ",", c * e, ",", k, ",1,1,0,relu6,", ms, ",",
                         0.01 * ms, ",50,run\n");
        }
      }
    }
  }
  return text;
}

struct Folder {
  nas::TempDir dir;
  std::string operator()(const std::string& name) const { return (dir.path() / name).string(); }
};

}  // namespace

TEST_CASE("import, show, eval, fit and transfer a table", "[cli]") {
  const Folder at;
  nas::WriteFileAtomic(at("board.csv"), MadeUpCsv(1));
  const Outcome import = RunNas({"predictor", "import", at("board.csv"), "--as", "csv", "--class", "cpu", "--out",
                                 at("board.json"), "--certify", "random:40", "--date", "2026-11-22", "--json"});
  INFO(import.err);
  REQUIRE(import.code == 0);
  CHECK(import.json()["rows"] == 72);
  CHECK(import.json()["calibration"]["form"] == "none");

  const auto shown = RunNas({"predictor", "show", at("board.json"), "--json"}).json();
  CHECK(shown["schema"] == "nas.predictor/1");
  CHECK(shown["device"]["identity"]["model"] == "board");
  CHECK(shown["certificate"]["splits"][0]["n"] == 32);
  const auto key =
      RunNas({"predictor", "show", at("board.json"), "--key", "mbconv:28,32,28,32,96,5,1,1,0,relu6", "--json"}).json();
  CHECK(key["source"] == "measured");
  CHECK(key["latency_ms"].get<double>() == Approx(key["measured_ms"].get<double>()).epsilon(0.02));

  const auto eval = RunNas({"predictor", "eval", at("board.json"), "--split", "random:40", "--json"}).json();
  CHECK(eval["certificate_agrees"] == true);
  for (const char* name :
       {"n", "split", "mape", "median_ape", "p95_ape", "max_ape", "bias", "rmse_ms", "within_5pct", "within_10pct",
        "spearman", "kendall", "baselines", "noise_floor", "regret", "coverage_95", "extrapolated_share"}) {
    INFO(name);
    CHECK(eval.contains(name));
  }
  const Outcome plot = RunNas({"predictor", "eval", "--data", at("board.csv"), "--as", "csv", "--split",
                               "leave:kernel=7", "--plot", at("p.svg")});
  CHECK(plot.code == 0);
  CHECK_THAT(plot.out, Contains("extrapolated 100 %"));
  CHECK_THAT(nas::ReadFile(at("p.svg")), Contains("</svg>"));

  REQUIRE(RunNas({"predictor", "fit", at("board.json"), "--no-residual", "--out", at("plain.json"), "--json"})
              .json()["residual"] == false);
  CHECK(RunNas({"predictor", "fit", at("board.json"), "--out", at("plain.json")}).code == 3);  // exists

  nas::WriteFileAtomic(at("slow.csv"), MadeUpCsv(2.5));
  const Outcome transfer = RunNas({"predictor", "transfer", "--from", at("board.json"), "--data", at("slow.csv"),
                                   "--as", "csv", "--out", at("slow.json"), "--json"});
  INFO(transfer.err);
  REQUIRE(transfer.code == 0);
  CHECK(transfer.json()["items"] == 72);
  CHECK(transfer.json()["loo_mape"].size() == 5);
  const auto slow =
      RunNas({"predictor", "show", at("slow.json"), "--key", "mbconv:28,32,28,32,96,5,1,1,0,relu6", "--json"}).json();
  CHECK(slow["latency_ms"].get<double>() == Approx(2.5 * key["latency_ms"].get<double>()).epsilon(0.03));
}

TEST_CASE("bad tables and flags of predictor: one line, the right exit code, nothing written", "[cli]") {
  const Folder at;
  std::string micros = MadeUpCsv(1000);
  nas::WriteFileAtomic(at("us.csv"), micros);
  const auto refused = [&](std::vector<std::string> flags, int code, const char* part) {
    flags.insert(flags.begin(), "predictor");
    const Outcome outcome = RunNas(flags);
    INFO(outcome.err);
    CHECK(outcome.code == code);
    CHECK_THAT(outcome.err, Contains(part));
    CHECK(outcome.out.empty());
    CHECK_FALSE(std::filesystem::exists(at("out.json")));
  };
  refused({"import", at("us.csv"), "--as", "csv", "--out", at("out.json")}, 3, "--unit us");
  refused({"import", at("us.csv"), "--out", at("out.json")}, 2, "--as is missing");
  refused({"import", at("us.csv"), "--as", "cvs", "--out", at("out.json")}, 2, "did you mean \"csv\"");
  refused({"import", at("us.csv"), "--as", "csv", "--name", "mobile", "--out", at("out.json")}, 2, "alias");
  refused({"import", at("us.csv"), "--as", "csv"}, 2, "--out is missing");
  refused({"eval", at("us.csv"), "--split", "random:5"}, 3, "us.csv");
  refused({"eval", "--data", at("us.csv"), "--as", "csv", "--unit", "us", "--split", "halves"}, 2, "random:N");
  refused({"eval", "mobile", "--split", "random:5"}, 3, "shipped tables never do");
  refused({"transfer", "--from", "mobile", "--out", at("out.json")}, 2, "--data is missing");
  refused({"show", "mobil"}, 3, "mobile");
  refused({"remove", "mobile"}, 3, "no cached table");
  CHECK(RunNas({"predictor", "import", at("us.csv"), "--as", "csv", "--unit", "us", "--out", at("out.json")}).code ==
        0);
}

TEST_CASE("predictor list names shipped tables and aliases; suggest says what to measure", "[cli]") {
  const auto list = RunNas({"predictor", "list", "--json"}).json();
  std::vector<std::string> names;
  for (const auto& target : list["targets"]) names.push_back(target["name"]);
  for (const char* name : {"note10-tflite-cpu", "v100-pytorch-b1", "cpu", "gpu", "mobile"}) {
    INFO(name);
    CHECK(std::find(names.begin(), names.end(), name) != names.end());
  }
  const auto items =
      RunNas({"predictor", "transfer", "--from", "mobile", "--suggest", "30", "--space", "proxyless-mobile", "--json"})
          .json();
  CHECK(items["blocks"].size() == 20);
  CHECK(items["networks"].size() == 10);
}

TEST_CASE("predict: several targets, blocks that add up, measured rows alone", "[cli]") {
  const Outcome sample = RunNas({"space", "sample", "--space", "proxyless-mobile", "-n", "2", "--seed", "4"});
  const Outcome predict = RunNas({"predict", "-", "--target", "mobile", "--json"}, sample.out);
  REQUIRE(predict.code == 0);
  const auto first = nlohmann::ordered_json::parse(predict.out.substr(0, predict.out.find('\n')));
  double sum = 0;
  for (const auto& block : first["blocks"]) sum += block["latency_ms"].get<double>();
  CHECK(first["latency_ms"].get<double>() == Approx(sum));
  CHECK(first["extrapolated"] == true);
  CHECK(first["interval_ms"][0].get<double>() < sum);
  const Outcome measured = RunNas({"predict", "-", "--target", "mobile", "--measured-only"}, sample.out);
  CHECK(measured.code == 3);
  CHECK_THAT(measured.err, Contains("no measured row"));
}

TEST_CASE("the shipped tables are rebuilt byte for byte", "[cli]") {
  const char* data = std::getenv("NAS_TEST_DATA");
  if (data == nullptr || *data == '\0') {
    WARN("skipped: NAS_TEST_DATA does not name the folder of the real data");
    return;
  }
  const Folder at;
  nas::SubprocessOptions options;
  options.argv = {"bash",   NAS_SOURCE_DIR "/scripts/rebuild-tables",
                  "--data", std::string(data) + "/latency",
                  "--out",  at("tables"),
                  "--nas",  NAS_BINARY_DIR "/bin/nas"};
  const nas::SubprocessResult run = nas::RunSubprocess(options);
  INFO(run.err);
  REQUIRE(run.exit_code == 0);
  for (const char* name :
       {"note10-tflite-cpu", "pixel1-tflite-cpu", "pixel4-tflite-cpu", "titan-rtx-pytorch-b64", "v100-pytorch-b1"}) {
    INFO(name);
    CHECK(nas::ReadFile(at("tables") + "/" + name + ".json") ==
          nas::ReadFile(StrCat(NAS_SOURCE_DIR "/latency_tables/", name, ".json")));
  }
}
