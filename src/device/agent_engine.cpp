// SPDX-License-Identifier: Apache-2.0
#include "nas/device/agent_engine.h"

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <thread>
#include <utility>

#include "nas/core/error.h"
#include "nas/core/text.h"
#include "nas/core/version.h"

namespace nas {
namespace {

constexpr int kMostRetries = 3;
constexpr double kFirstBackOff = 0.5;  // seconds, doubled each time
constexpr double kLookEvery = 0.2;     // seconds between two looks at the stop flag
constexpr double kGoodbyeSeconds = 5;

// The last words of a program that died.
std::string LastLine(const std::string& text) {
  std::string last;
  for (const std::string& line : Split(text, '\n')) {
    if (!Trim(line).empty()) last = Trim(line);
  }
  return last;
}

void AddReport(MeasuringReport* sum, const MeasuringReport& part) {
  sum->done += part.done;
  sum->unstable += part.unstable;
  sum->pauses += part.pauses;
  sum->retimed += part.retimed;
  sum->errors += part.errors;
  sum->seconds += part.seconds;
  sum->reference_ms = part.reference_ms;
  sum->reference_drift = part.reference_drift;
  sum->noise_floor = part.noise_floor;
  if (sum->temp_c.empty()) sum->temp_c = part.temp_c;
  if (!part.temp_c.empty()) sum->temp_c.back() = part.temp_c.back();
  if (sum->mhz.empty()) sum->mhz = part.mhz;
  if (!part.mhz.empty()) sum->mhz.back() = part.mhz.back();
  sum->stopped = part.stopped;
  sum->deadline = part.deadline;
  sum->too_noisy = part.too_noisy;
}

}  // namespace

/// The agent ended, or its answer makes no sense: worth another try.
struct AgentEngine::LostLink {
  std::string why;
};

/// An item that the agent holds ready.
class AgentEngine::Item final : public PreparedItem {
 public:
  Item(AgentEngine& engine, int handle) : engine_(engine), handle_(handle) {}
  ~Item() override { engine_.process_->Write(DropText(handle_)); }

  double Run(int calls) override {
    engine_.process_->Write(RunText(handle_, calls));
    return engine_.Expect(AgentLine::Type::kRan).ms;
  }

 private:
  AgentEngine& engine_;
  int handle_;
};

AgentEngine::AgentEngine(std::unique_ptr<Transport> transport, const std::string& engine, const EngineOptions& options)
    : transport_(std::move(transport)), open_{engine, options} {
  if (options.device != "cpu") {
    ThrowUsage(StrCat("--device ", options.device, ": the engine ", engine, " measures the CPU of a device"));
  }
  try {
    Start();
  } catch (const LostLink& lost) {
    ThrowLost(lost.why);
  }
}

AgentEngine::~AgentEngine() {
  // An orderly end gives the agent time to clean up; without an answer it is killed.
  try {
    if (!close_sent_) process_->Write(CloseText());
    process_->CloseInput();
    std::string line;
    const Stopwatch watch;
    while (watch.Seconds() < kGoodbyeSeconds && process_->Read(kLookEvery, &line) != LineProcess::Status::kEnd) {
    }
  } catch (const Error&) {
    // Whatever it still says is of no interest.
  }
}

void AgentEngine::ThrowLost(const std::string& how) const {
  throw Error(ErrorKind::kUnavailable, StrCat("the agent on ", transport_->name(), " ", how));
}

void AgentEngine::Start() {
  process_ = std::make_unique<LineProcess>(transport_->AgentCommand());
  close_sent_ = false;
  process_->Write(ToText(open_));
  const AgentLine line = Read(nullptr);
  if (line.type == AgentLine::Type::kError) {
    // What a user asked for and the agent does not have is told as such.
    if (line.code == "unsupported") ThrowUsage(StrCat("the agent on ", transport_->name(), ": ", line.message));
    ThrowLost(StrCat("refuses to start: ", line.message));
  }
  if (line.type != AgentLine::Type::kHello) ThrowLost("does not begin with a hello; install the agent of this version");
  hello_ = line;
  CheckHello();
}

void AgentEngine::CheckHello() const {
  if (hello_.schema == kAgentSchema && hello_.version == kVersion) return;
  ThrowLost(StrCat("is of version ", hello_.version, " (", hello_.schema, "), this nas of version ", kVersion, " (",
                   kAgentSchema, "); build the agent of this version with scripts/build-agent"));
}

// The next line; hooks (may be null) are asked whether to stop.
AgentLine AgentEngine::Read(const MeasuringHooks* hooks) {
  const double silence = open_.options.agent.silence_seconds;
  const Stopwatch watch;
  std::string text;
  for (;;) {
    if (hooks != nullptr && hooks->stop && !close_sent_ && hooks->stop()) {
      close_sent_ = true;
      process_->Write(CloseText());
    }
    LineProcess::Status status = LineProcess::Status::kEnd;
    try {
      status = process_->Read(std::min(kLookEvery, silence), &text);
      // Old adb daemons end with the exit code of the shell's last command.
      if (status == LineProcess::Status::kLine && !StartsWith(text, "RC=")) return ParseAgentLine(text);
    } catch (const Error& error) {
      const std::string shown = text.substr(0, 80);
      ThrowLost(StrCat("answers what is not its protocol: \"", shown, "\" (", error.what(), ")"));
    }
    if (status == LineProcess::Status::kEnd) {
      const std::string words = LastLine(process_->errors());
      throw LostLink{words.empty() ? "ended without a word" : StrCat("ended: ", words)};
    }
    if (watch.Seconds() > silence) {
      process_->Kill();
      ThrowLost(
          StrCat("has said nothing for ", Fixed(silence, 0), " s and was ended: the device hangs or is far too slow"));
    }
  }
}

AgentLine AgentEngine::Expect(AgentLine::Type type) {
  AgentLine line;
  try {
    line = Read(nullptr);
  } catch (const LostLink& lost) {
    ThrowLost(lost.why);
  }
  if (line.type == type) return line;
  if (line.type != AgentLine::Type::kError) ThrowLost("answers out of turn");
  if (line.code == "internal") ThrowLost(StrCat("failed: ", line.message));
  ThrowInput(line.message);
}

Json AgentEngine::Identity() const { return Json::parse(hello_.identity); }
Json AgentEngine::Recorded() const { return Json::parse(hello_.recorded); }

void AgentEngine::Sleep(double seconds) { std::this_thread::sleep_for(std::chrono::duration<double>(seconds)); }

std::unique_ptr<PreparedItem> AgentEngine::Prepare(const MeasureItem& item, const RunLayout& layout) {
  const int handle = handles_++;
  process_->Write(PrepareText(handle, item, layout));
  Expect(AgentLine::Type::kPrepared);
  return std::make_unique<Item>(*this, handle);
}

MeasuringReport AgentEngine::Measure(const ProtocolOptions& options, const MeasureItem& reference,
                                     const std::vector<MeasureItem>& items, const std::set<std::string>& done,
                                     const MeasuringHooks& hooks) {
  AgentMeasure measure{options, reference, items, done};
  const Stopwatch watch;
  MeasuringReport report;
  std::size_t before = 0;  // items with a result from earlier tries
  MeasuringHooks inner = hooks;
  inner.on_result = [&](const ItemResult& result) {
    measure.done.insert(result.id);
    if (hooks.on_result) hooks.on_result(result);
  };
  inner.on_progress = [&](int count, int total, const std::string& id, double seconds_left) {
    const int offset = static_cast<int>(before);
    if (hooks.on_progress) hooks.on_progress(offset + count, offset + total, id, seconds_left);
  };
  for (int retry = 0;; ++retry) {
    std::string why;
    try {
      if (retry > 0) {
        const std::string identity = hello_.identity;
        Start();
        if (hello_.identity != identity) ThrowLost("is on another device than before; nothing is mixed");
      }
      MeasureOnce(measure, inner, &report);
      report.done += static_cast<int>(before);
      return report;
    } catch (const LostLink& lost) {
      why = lost.why;
    }
    if (retry == kMostRetries || (hooks.stop && hooks.stop())) {
      ThrowLost(StrCat(why, "; tried ", kMostRetries, " times again; what was measured is kept, go on with --resume"));
    }
    Sleep(kFirstBackOff * (1 << retry));
    before = measure.done.size() - done.size();
    if (options.deadline_seconds > 0) {
      measure.protocol.deadline_seconds = std::max(1.0, options.deadline_seconds - watch.Seconds());
    }
  }
}

void AgentEngine::MeasureOnce(const AgentMeasure& measure, const MeasuringHooks& hooks, MeasuringReport* report) {
  for (const std::string& line : ToTexts(measure)) process_->Write(line);
  for (;;) {
    const AgentLine line = Read(&hooks);
    switch (line.type) {
      case AgentLine::Type::kProgress:
        if (hooks.on_progress) hooks.on_progress(line.done, line.total, line.id, line.seconds_left);
        break;
      case AgentLine::Type::kResult: {
        const auto known = std::find_if(measure.items.begin(), measure.items.end(),
                                        [&](const MeasureItem& item) { return item.id == line.result.id; });
        if (known == measure.items.end()) ThrowLost(StrCat("measured what nobody asked for: \"", line.result.id, "\""));
        hooks.on_result(line.result);
        break;
      }
      case AgentLine::Type::kReport:
        AddReport(report, line.report);
        return;
      case AgentLine::Type::kError:
        ThrowLost(StrCat("cannot measure: ", line.message));
      default:
        ThrowLost("answers out of turn");
    }
  }
}

}  // namespace nas
