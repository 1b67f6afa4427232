// SPDX-License-Identifier: Apache-2.0
#include "nas/report/event_log.h"

#include <chrono>
#include <fstream>
#include <limits>
#include <set>
#include <string>
#include <utility>

#include <nlohmann/json.hpp>

#include "json_look.h"
#include "metric_lines.h"
#include "nas/core/error.h"
#include "nas/core/files.h"
#include "nas/core/text.h"
#include "tf_record.h"

namespace nas {
namespace {

using namespace detail;
namespace fs = std::filesystem;

constexpr const char* kStem = "events.out.tfevents.";

class EventLog final : public MetricFollower {
 public:
  void Restart(const fs::path& run_folder) override {
    file_.close();
    dropped_.clear();
    const fs::path folder = run_folder / "events";
    MakeDirectory(folder);
    for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
      if (StartsWith(entry.path().filename().string(), kStem)) fs::remove(entry.path());
    }
    const fs::path metrics = run_folder / "metrics.jsonl";
    std::vector<Json> lines;
    if (fs::exists(metrics)) {
      for (const std::string& text : Split(ReadFile(metrics), '\n')) {
        Json line = Json::parse(text, nullptr, /*allow_exceptions=*/false);
        if (line.is_object()) lines.push_back(std::move(line));
      }
    }
    // The time of the first line, so that a resumed run keeps its file; now, where there is none yet.
    const double now = std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
    const double start = lines.empty() ? now : LookNumber(lines.front(), "t", now);
    path_ = folder / StrCat(kStem, static_cast<std::int64_t>(start), ".nas");
    file_.open(path_, std::ios::binary | std::ios::trunc);
    Write(TfEvent::FileVersion(start));
    for (const Json& line : lines) Append(line);
  }

  void Append(const Json& line) override {
    const std::string name = LookText(line, "event");
    TfEvent event(LookNumber(line, "t", 0), static_cast<std::int64_t>(LookNumber(line, "step", 0)));
    if (name == "epoch") {
      AddEpoch(line, &event);
    } else if (name == "arch-validation") {
      const std::string target = LookText(line, "target");
      AddNumber(line, "accuracy", target + "/validation_accuracy", &event);
      AddNumber(line, "predicted", target + "/validation_predicted", &event);
    } else if (name == "measured") {
      AddNumber(line, "measured", LookText(line, "target") + "/measured", &event);
    } else if (name == "prune") {
      dropped_.insert({LookInt(line, "edge", -1), LookInt(line, "op", -1)});
    }
    if (!event.empty()) Write(event.Serialized());
  }

 private:
  static void AddNumber(const Json& object, const char* key, const std::string& tag, TfEvent* event) {
    if (const auto value = LookNumber(object, key)) event->AddScalar(tag, *value);
  }

  void AddEpoch(const Json& line, TfEvent* event) const {
    for (const char* key : {"loss", "accuracy", "lr", "images_per_s"})
      AddNumber(line, key, StrCat("train/", key), event);
    for (const char* key : {"top1", "top5", "loss"})
      AddNumber(LookObject(line, "test"), key, StrCat("test/", key), event);
    for (const Json& target : LookArray(line, "targets")) {
      const std::string label = LookText(target, "target");
      for (const char* key : {"expected", "argmax", "lambda", "entropy"})
        AddNumber(target, key, StrCat(label, "/", key), event);
      AddHistograms(label, LookArray(target, "alpha"), event);
    }
  }

  void AddHistograms(const std::string& label, const Json& rows, TfEvent* event) const {
    std::vector<double> alphas, probabilities;
    for (std::size_t e = 0; e < rows.size(); ++e) {
      std::vector<double> alpha;
      std::vector<bool> gone;
      for (std::size_t op = 0; op < rows[e].size(); ++op) {
        const bool number = rows[e][op].is_number();
        alpha.push_back(number ? rows[e][op].get<double>() : -std::numeric_limits<double>::infinity());
        gone.push_back(!number || dropped_.count({static_cast<int>(e), static_cast<int>(op)}) > 0);
      }
      const std::vector<double> p = MaskedSoftmax(alpha, gone);
      for (std::size_t op = 0; op < alpha.size(); ++op) {
        if (gone[op]) continue;
        alphas.push_back(alpha[op]);
        probabilities.push_back(p[op]);
      }
    }
    event->AddHistogram(label + "/alpha", alphas);
    event->AddHistogram(label + "/probability", probabilities);
  }

  void Write(const std::string& event) {
    const std::string record = TfRecord(event);
    file_.write(record.data(), static_cast<std::streamsize>(record.size())).flush();
    if (!file_) ThrowInput(StrCat("cannot write ", path_.string(), "; is the disk full, or the folder read-only?"));
  }

  fs::path path_;
  std::ofstream file_;
  std::set<std::pair<int, int>> dropped_;  ///< edge, op
};

}  // namespace

std::unique_ptr<MetricFollower> MakeEventLog() { return std::make_unique<EventLog>(); }

}  // namespace nas
