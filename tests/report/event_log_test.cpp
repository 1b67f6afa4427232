// SPDX-License-Identifier: Apache-2.0
#include "nas/report/event_log.h"

#include <cstring>

#include "nas/core/run_folder.h"
#include "nas/core/subprocess.h"
#include "report/tf_record.h"
#include "run_fixture.h"
#include "support/catch_compat.h"

using namespace nas;
using nas::test::FakeRun;
using nas::test::WriteRun;

namespace {

std::filesystem::path EventFile(const std::filesystem::path& run) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(run / "events")) files.push_back(entry.path());
  REQUIRE(files.size() == 1);
  return files[0];
}

/// Records of a file; checks lengths and checksums.
std::vector<std::string> Records(const std::string& bytes) {
  std::vector<std::string> records;
  std::size_t at = 0;
  while (at < bytes.size()) {
    std::uint64_t length = 0;
    std::uint32_t crc = 0;
    REQUIRE(bytes.size() - at >= 12);
    std::memcpy(&length, bytes.data() + at, 8);
    std::memcpy(&crc, bytes.data() + at + 8, 4);
    REQUIRE(crc == detail::MaskedCrc32c(std::string_view(bytes).substr(at, 8)));
    REQUIRE(bytes.size() - at >= 16 + length);
    records.push_back(bytes.substr(at + 12, length));
    std::memcpy(&crc, bytes.data() + at + 12 + length, 4);
    REQUIRE(crc == detail::MaskedCrc32c(records.back()));
    at += 16 + length;
  }
  return records;
}

}  // namespace

TEST_CASE("CRC-32C: the known answer", "[report]") {
  REQUIRE(detail::Crc32c("123456789") == 0xe3069283);
  REQUIRE(detail::Crc32c("") == 0);
}

TEST_CASE("events: every metric once, also after lines were taken back", "[report]") {
  const TempDir dir;
  WriteRun(dir.path());
  const auto log = MakeEventLog();
  log->Restart(dir.path());
  const std::string all = ReadFile(EventFile(dir.path()));
  const std::size_t records = Records(all).size();
  REQUIRE(records == 1 + 6 + 5);  // version, epochs, validations
  REQUIRE(Records(all)[0].find("brain.Event:2") != std::string::npos);

  // A resumed run cuts the file and writes its end again.
  const std::string metrics = ReadFile(dir.path() / "metrics.jsonl");
  const std::size_t cut = metrics.rfind("{\"event\":\"epoch\"");
  WriteFileAtomic(dir.path() / "metrics.jsonl", metrics.substr(0, cut));
  log->Restart(dir.path());
  REQUIRE(Records(ReadFile(EventFile(dir.path()))).size() == records - 2);
  log->Append(Json::parse(metrics.substr(cut, metrics.find('\n', cut) - cut)));
  const auto again = Records(ReadFile(EventFile(dir.path())));
  REQUIRE(again.size() == records - 1);
  REQUIRE(again.back() == Records(all)[records - 2]);
}

TEST_CASE("events: TensorBoard's own reader agrees", "[report]") {
  const std::string python = std::string(NAS_SOURCE_DIR) + "/.venv/bin/python";
  SubprocessOptions options;
  options.deadline_s = 120;
  options.argv = {python, "-c", "import tensorboard"};
  if (RunSubprocess(options).exit_code != 0) {
    WARN("skipped: the project's .venv has no tensorboard; scripts/test installs it");
    return;
  }
  const TempDir dir;
  WriteRun(dir.path());
  MakeEventLog()->Restart(dir.path());
  options.argv = {python, "-c", R"(
import json, sys
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
events = EventAccumulator(sys.argv[1], size_guidance={'scalars': 0, 'histograms': 0})
events.Reload()
tags = events.Tags()
h = events.Histograms('macs=40%/alpha')
print(json.dumps({'loss': [[s.step, s.value] for s in events.Scalars('train/loss')], 'scalars': tags['scalars'],
                  'histograms': tags['histograms'], 'num': [x.histogram_value.num for x in h],
                  'buckets': [sum(x.histogram_value.bucket) for x in h]}))
)",
                  (dir.path() / "events").string()};
  const SubprocessResult result = RunSubprocess(options);
  INFO(result.err);
  REQUIRE(result.exit_code == 0);
  const Json read = Json::parse(result.out);
  REQUIRE(read["loss"].size() == 6);
  for (int epoch = 1; epoch <= 6; ++epoch) {
    REQUIRE(read["loss"][epoch - 1][0] == 10 * epoch);
    REQUIRE(read["loss"][epoch - 1][1].get<double>() == Approx(2.3 - 0.1 * epoch).epsilon(1e-6));
  }
  REQUIRE(read["histograms"].size() == 4);
  REQUIRE(read["num"] == read["buckets"]);
  REQUIRE(read["num"][0] == 33);  // all alphas of the space
  REQUIRE(read["num"][5] == 32);  // one was dropped
}

TEST_CASE("a run folder tells its follower of each line, and to start anew when it is cut", "[report]") {
  struct Watcher final : MetricFollower {
    int restarts = 0, lines = 0;
    void Restart(const std::filesystem::path&) override { ++restarts; }
    void Append(const Json& line) override { lines += line.contains("t") ? 1 : 0; }
  };
  const TempDir dir;
  RunFolder folder = RunFolder::Open(dir.path() / "run", Json{{"a", 1}}, RunMode::kNew);
  const auto watcher = std::make_shared<Watcher>();
  folder.Follow(watcher);
  folder.AppendMetric({{"event", "start"}});
  folder.AppendMetric({{"event", "end"}});
  REQUIRE(watcher->lines == 2);
  folder.TruncateMetrics(1);
  REQUIRE(watcher->restarts == 2);
}
