// SPDX-License-Identifier: Apache-2.0
#include "nas/device/command_engine.h"

#include <algorithm>
#include <chrono>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <thread>

#include "nas/core/error.h"
#include "nas/core/machine.h"
#include "nas/core/stats.h"
#include "nas/core/subprocess.h"
#include "nas/core/text.h"
#include "nas/device/item_meter.h"
#include "nas/device/local_identity.h"
#include "nas/space/block_key.h"

namespace nas {
namespace {

constexpr int kImageChannels = 3;
constexpr double kLeastShare = 0.05;  // of a block's time that is left when its adapter's is taken off

MeasureItem NetOfKeys(const std::string& id, const std::vector<std::string>& keys) {
  MeasureItem item;
  item.id = id;
  item.keys = keys;
  item.resolution = ParseBlockKey(keys.front()).h;
  return item;
}

// What a model has in front of a block that does not take images; "" = nothing.
std::string AdapterOf(const BlockKey& block) {
  if (block.cin == kImageChannels) return "";
  BlockKey adapter;
  adapter.op = BlockOp::kConv1x1;
  adapter.h = adapter.hout = block.h;
  adapter.cin = kImageChannels;
  adapter.cout = block.cin;
  adapter.s = 1;
  return ToString(adapter);
}

std::string LastWords(const SubprocessResult& result) {
  std::string last;
  for (const std::string& line : Split(result.err, '\n')) {
    if (!Trim(line).empty()) last = Trim(line);
  }
  return last.empty() ? "" : StrCat(": ", last);
}

}  // namespace

CommandLine ParseCommandLine(std::string_view text) {
  ObjectReader reader(JsonDocument::Parse(std::string(text), "line of the command"));
  CommandLine line;
  const std::string type = reader.Choice("type", {"hello", "sample", "done"});
  if (type == "hello") {
    line.type = CommandLine::Type::kHello;
    line.engine = reader.String("engine");
    line.version = reader.String("version");
    line.precision = reader.String("precision");
    if (line.engine.empty()) reader.Fail("engine", "a runtime has a name");
  } else if (type == "sample") {
    line.type = CommandLine::Type::kSample;
    line.ms = reader.Number("ms");
    if (!(line.ms > 0)) reader.Fail("ms", "a time has to be above 0 ms");
  } else {
    line.runs = static_cast<int>(reader.Int("runs", 0, std::numeric_limits<int>::max()));
  }
  reader.Finish();
  return line;
}

/// An item for those who ask call by call.
class CommandEngine::Item final : public PreparedItem {
 public:
  Item(CommandEngine& engine, MeasureItem item) : engine_(engine), item_(std::move(item)) {}
  double Run(int calls) override {
    return Mean(engine_.SamplesOf(item_, {calls, calls, std::numeric_limits<int>::max()}));
  }

 private:
  CommandEngine& engine_;
  MeasureItem item_;
};

CommandEngine::CommandEngine(const EngineOptions& options)
    : options_(options), mask_(options.cores.empty() ? FastestCluster() : ParseCoreMask(options.cores)), pin_(mask_) {
  if (options.command.program.empty() || !options.command.make_model) {
    ThrowUsage("--engine command needs --command EXE, for example --command scripts/engines/onnxruntime_engine.py");
  }
  if (options.transport != "local" || options.device != "cpu") {
    ThrowUsage("--engine command runs on this machine's CPU; leave --device and --transport out");
  }
  try {
    const MeasureItem probe = NetOfKeys("probe", {"conv:8,3,4,8,0,0,0,0,0,-", "logits:4,8,1,10,0,0,0,0,0,-"});
    Samples(ModelOf(probe), {1, 1, 10});
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kInput) throw;
    throw Error(ErrorKind::kUnavailable, StrCat("the command does not run: ", error.what()));
  }
}

std::string CommandEngine::ModelOf(const MeasureItem& item) {
  const std::filesystem::path folder = folder_.path() / std::to_string(models_++);
  MakeDirectory(folder);
  return options_.command.make_model(item, folder.string());
}

std::vector<double> CommandEngine::Samples(const std::string& model, const Limits& limits) {
  SubprocessOptions run;
  run.argv = {options_.command.program,
              "--model",
              model,
              "--batch",
              std::to_string(options_.batch),
              "--threads",
              std::to_string(options_.threads),
              "--min-runs",
              std::to_string(limits.min_runs),
              "--max-runs",
              std::to_string(limits.max_runs),
              "--max-seconds",
              StrCat(limits.max_seconds)};
  run.deadline_s = options_.agent.silence_seconds + std::min(limits.max_seconds, 1e6);
  const SubprocessResult result = RunSubprocess(run);
  if (result.timed_out) {
    throw Error(ErrorKind::kUnavailable, StrCat(options_.command.program, " has not ended after ",
                                                Fixed(run.deadline_s, 0), " s and was ended: it hangs"));
  }
  if (result.exit_code != 0) {
    ThrowInput(StrCat(options_.command.program, " failed with exit code ", result.exit_code, LastWords(result)));
  }
  std::vector<double> samples;
  std::optional<CommandLine> hello;
  int runs = -1;
  for (const std::string& text : Split(result.out, '\n')) {
    if (Trim(text).empty()) continue;
    const CommandLine line = ParseCommandLine(text);
    if (line.type == CommandLine::Type::kHello) hello = line;
    if (line.type == CommandLine::Type::kSample) samples.push_back(line.ms);
    if (line.type == CommandLine::Type::kDone) runs = line.runs;
  }
  if (!hello) ThrowInput(StrCat(options_.command.program, " prints no hello line"));
  if (samples.empty() || runs != static_cast<int>(samples.size())) {
    ThrowInput(StrCat(options_.command.program, " prints ", samples.size(), " samples and says done after ", runs));
  }
  if (!hello_.engine.empty() && (hello->engine != hello_.engine || hello->version != hello_.version)) {
    throw Error(ErrorKind::kUnavailable, StrCat("the command was ", hello_.engine, " ", hello_.version, " and is now ",
                                                hello->engine, " ", hello->version, "; nothing is mixed"));
  }
  hello_ = *hello;
  return samples;
}

std::vector<double> CommandEngine::SamplesOf(const MeasureItem& item, const Limits& limits) {
  if (item.kind == MeasureItem::Kind::kNet) return Samples(ModelOf(item), limits);
  const std::string& key = item.keys[item.timed];
  const std::string adapter = AdapterOf(ParseBlockKey(key));
  if (adapter.empty()) return Samples(ModelOf(NetOfKeys(item.id, {key})), limits);
  const double off = Median(Samples(ModelOf(NetOfKeys(item.id, {adapter})), limits));
  std::vector<double> samples = Samples(ModelOf(NetOfKeys(item.id, {adapter, key})), limits);
  for (double& ms : samples) ms = std::max(kLeastShare * ms, ms - off);
  return samples;
}

Json CommandEngine::Identity() const {
  return LocalCpuIdentity({.cores = mask_,
                           .threads = options_.threads,
                           .batch = options_.batch,
                           .precision = hello_.precision,
                           .engine = hello_.engine,
                           .version = hello_.version,
                           .build = "command"});
}

Json CommandEngine::Recorded() const {
  const MachineInfo machine = ProbeMachine();
  return Json{{"kernel", machine.kernel}, {"governor", machine.governor},
              {"power", "unknown"},       {"driver", ""},
              {"agent_hash", ""},         {"emulated", false}};
}

std::unique_ptr<PreparedItem> CommandEngine::Prepare(const MeasureItem& item, const RunLayout&) {
  for (const std::string& key : item.keys) ParseBlockKey(key);
  return std::make_unique<Item>(*this, item);
}

void CommandEngine::Sleep(double seconds) { std::this_thread::sleep_for(std::chrono::duration<double>(seconds)); }
double CommandEngine::Temperature() const { return CpuTemperature(); }
double CommandEngine::Megahertz() const { return CpuMegahertz(CoreIndices(mask_).front()); }

ItemResult CommandEngine::MeasureItemNow(const MeasureItem& item, const ProtocolOptions& options) {
  ItemResult result;
  result.id = item.id;
  const double start = Now();
  try {
    SetStatistics(SamplesOf(item, {options.min_runs, options.max_runs, options.max_seconds}), options, &result);
    result.first_ms = result.median;
    if (item.kind == MeasureItem::Kind::kBlock) result.Flag("isolated");
    if ((result.ci[1] - result.ci[0]) / 2 > options.ci_half_width * result.median) result.Flag("ci_not_reached");
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kInput) throw;
    result.error = error.what();
  }
  result.seconds = Now() - start;
  return result;
}

MeasuringReport CommandEngine::Measure(const ProtocolOptions& options, const MeasureItem& reference,
                                       const std::vector<MeasureItem>& items, const std::set<std::string>& done,
                                       const MeasuringHooks& hooks) {
  std::vector<int> order;
  for (const int index : MeasuringOrder(static_cast<int>(items.size()), options.order_seed)) {
    if (!done.contains(items[index].id)) order.push_back(index);
  }
  MeasuringReport report;
  const double start = Now();
  std::vector<ItemResult> measured;
  std::vector<double> looks;
  for (std::size_t i = 0; i < order.size(); ++i) {
    report.stopped = hooks.stop && hooks.stop();
    report.deadline = options.deadline_seconds > 0 && Now() - start > options.deadline_seconds;
    if (report.stopped || report.deadline) break;
    if (i % static_cast<std::size_t>(options.reference_every) == 0) {
      const ItemResult look = MeasureItemNow(reference, options);
      if (!look.error.empty()) throw Error(ErrorKind::kUnavailable, look.error);
      looks.push_back(look.median);
    }
    const MeasureItem& item = items[order[i]];
    if (hooks.on_progress) {
      const double left = i > 0 ? (Now() - start) / static_cast<double>(i) * static_cast<double>(order.size() - i) : -1;
      hooks.on_progress(static_cast<int>(i), static_cast<int>(order.size()), item.id, left);
    }
    ItemResult result = MeasureItemNow(item, options);
    result.reference_ms = looks.back();
    if (hooks.on_result) hooks.on_result(result);
    if (result.error.empty()) {
      report.unstable += result.Has("unstable");
      measured.push_back(std::move(result));
    } else {
      ++report.errors;
    }
  }
  report.done = static_cast<int>(measured.size());
  report.seconds = Now() - start;
  if (!looks.empty()) {
    report.reference_ms = *std::min_element(looks.begin(), looks.end());
    report.reference_drift = looks.back() / looks.front() - 1;
  }
  std::vector<double> noise;
  for (const ItemResult& result : measured) noise.push_back(result.noise());
  report.noise_floor = noise.empty() ? 0 : Median(noise);
  if (done.empty()) report.too_noisy = NoiseProblem(measured, options);
  return report;
}

}  // namespace nas
