// SPDX-License-Identifier: Apache-2.0
#include "nas/search/search_driver.h"

#include <cmath>

#include <torch/torch.h>

#include <nlohmann/json.hpp>

#include "derive.h"
#include "inherit.h"
#include "nas/core/clock.h"
#include "nas/core/error.h"
#include "nas/core/files.h"
#include "nas/core/log.h"
#include "nas/core/machine.h"
#include "nas/core/run_folder.h"
#include "nas/core/text.h"
#include "nas/core/units.h"
#include "nas/data/loader.h"
#include "nas/nn/device.h"
#include "nas/search/search_state.h"
#include "nas/search/strategy.h"
#include "nas/space/op_catalogue.h"
#include "nas/train/autocast.h"
#include "nas/train/checkpoint.h"
#include "nas/train/evaluate.h"
#include "nas/train/micro_batch.h"
#include "ranking_probe.h"
#include "run_config.h"
#include "search_account.h"

namespace nas {
namespace {

constexpr double kLabelSmoothing = 0.1;  // proxyless.md §9
constexpr double kSecondsBetweenCheckpoints = 120;

/// The latencies that the run has measured while deriving, by "label code" (N12: never measured twice).
std::map<std::string, double> MeasuredSoFar(const RunFolder& folder) {
  std::map<std::string, double> measured;
  std::error_code ignored;
  if (!std::filesystem::exists(folder.metrics_path(), ignored)) return measured;
  for (const std::string& line : Split(ReadFile(folder.metrics_path()), '\n')) {
    const Json event = Json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (event.is_discarded() || event.value("event", "") != "measured") continue;
    measured[event.at("target").get<std::string>() + " " + event.at("code").get<std::string>()] =
        event.at("measured").get<double>();
  }
  return measured;
}

/// One run from its first step, or its checkpoint, to the end of training.
class SearchRun {
 public:
  SearchRun(const SearchSetup& setup, const SearchHooks& hooks, RunFolder& folder, SearchState& state,
            const Strategy& strategy)
      : setup_(setup),
        schedule_(setup.schedule),
        hooks_(hooks),
        folder_(folder),
        state_(state),
        strategy_(strategy),
        account_(setup, state, strategy.learns_alphas()),
        store_(folder.checkpoints_path()),
        train_(setup.train, setup.LoaderFor(Augmentation::kTrain, schedule_.batch, /*stream=*/1)),
        arch_(setup.carve_out, ArchLoaderOptions(setup)),
        validation_(setup.carve_out, setup.LoaderFor(Augmentation::kEval, /*batch=*/250, /*stream=*/3)) {}

  /// Goes on from the newest checkpoint, if there is one.
  void Restore() {
    if (const auto checkpoint = store_.LoadLatest()) {
      const LineCounts lines = state_.Load(*checkpoint, folder_.config_hash());
      if (state_.trained) state_.measured = MeasuredSoFar(folder_);
      folder_.TruncateMetrics(lines.metrics);
      folder_.TruncateSamples(lines.samples);
      LogInfo(StrCat("going on from step ", state_.step, " of ", schedule_.total_steps()));
    } else {
      folder_.TruncateMetrics(0);
      folder_.TruncateSamples(0);
      folder_.AppendMetric({{"event", "start"}, {"epoch", 0}, {"step", 0}});
    }
  }

  void Train() {
    SeekLoaders();
    Stopwatch since_checkpoint;
    while (state_.step < schedule_.total_steps()) {
      const Stopwatch watch;
      WeightStep();
      ArchStep();
      ++state_.step;
      const double seconds = watch.Seconds();
      state_.meter.seconds += seconds;
      state_.wall_s += seconds;
      if (state_.step % schedule_.steps_per_epoch == 0) {
        EndEpoch();
        // The last epoch's checkpoint is written once the run is marked as trained.
        if (since_checkpoint.Seconds() > kSecondsBetweenCheckpoints && state_.step < schedule_.total_steps()) {
          Save();
          since_checkpoint.Restart();
        }
      }
      Report();
      StopIfAsked();
    }
    state_.trained = true;
    Save();
  }

  void StopIfAsked() {
    const double most = setup_.options.max_time_s;
    const bool late = most > 0 && session_.Seconds() > most;
    if (!late && (hooks_.stop == nullptr || !hooks_.stop->requested())) return;
    Save();
    throw Error(ErrorKind::kCheckpointed, StrCat(late ? "--max-time is over: " : "", "stopped after step ", state_.step,
                                                 " of ", schedule_.total_steps(), "; go on with: nas search --out ",
                                                 folder_.path().string(), " --resume and the same flags"));
  }

 private:
  static LoaderOptions ArchLoaderOptions(const SearchSetup& setup) {
    // Evaluation transforms, like the released code's carve-out; shuffled, since alphas see it many times.
    LoaderOptions options = setup.LoaderFor(Augmentation::kEval, setup.schedule.arch_batch, /*stream=*/2);
    options.shuffle = true;
    options.drop_last = setup.carve_out->size() >= setup.schedule.batch;
    return options;
  }

  void SeekLoaders() {
    train_.Seek(state_.step / schedule_.steps_per_epoch, state_.step % schedule_.steps_per_epoch);
    const std::int64_t batches = arch_.batches_per_epoch();
    arch_.Seek(state_.arch_updates / batches, state_.arch_updates % batches);
  }

  static Batch NextOf(Loader& loader, std::int64_t next_epoch) {
    Batch batch;
    if (!loader.Next(&batch)) {
      loader.Seek(next_epoch, 0);
      if (!loader.Next(&batch)) ThrowInternal("a data set has no batch");
    }
    return batch;
  }

  int epoch() const { return static_cast<int>(state_.step / schedule_.steps_per_epoch); }

  void WeightStep() {
    const int target = static_cast<int>(state_.step % static_cast<std::int64_t>(state_.targets.size()));
    const Choice choice = state_.sampler.Draw(state_.targets[target].alphas.Probabilities(), kWeightStream,
                                              static_cast<std::uint64_t>(state_.step));
    const Batch batch = NextOf(train_, state_.step / schedule_.steps_per_epoch);
    const auto parameters = state_.PathParameters(choice);
    double loss = 0;
    double correct = 0;
    RunWithinMemory(
        batch.labels.size(0), &state_.micro_batch,
        [&](std::int64_t images) {
          loss = correct = 0;
          for (const MicroBatch& piece : CutBatch(batch, images)) Learn(choice, piece, &loss, &correct);
        },
        [&] {
          for (const auto& named : parameters) named.second.mutable_grad().reset();
        },
        [&](std::int64_t images) { TellOutOfMemory(images); });
    if (!std::isfinite(loss)) Diverged(loss);
    state_.sgd.Step(parameters, schedule_.WeightLr(state_.step));

    EpochMeter& meter = state_.meter;
    const std::int64_t images = batch.labels.size(0);
    meter.loss_sum += loss * static_cast<double>(images);
    meter.correct += correct;
    meter.images += images;
    state_.images += images;
  }

  /// Forward and backward of one piece; adds its share of the batch's mean loss and its number of right answers.
  void Learn(const Choice& choice, const MicroBatch& piece, double* loss_sum, double* correct) {
    const at::Device device = state_.net.device();
    const at::Tensor labels = piece.batch.labels.to(device);
    at::Tensor logits;
    {
      const AutocastScope scope(device, setup_.options.precision == "bf16");
      logits = state_.net.Forward(piece.batch.images.to(device), choice, BnMode::kTrain);
    }
    const at::Tensor loss = at::cross_entropy_loss(logits.to(at::kFloat), labels, /*weight=*/{}, at::Reduction::Mean,
                                                   /*ignore_index=*/-100, kLabelSmoothing);
    (piece.share == 1 ? loss : loss * piece.share).backward();
    *loss_sum += piece.share * loss.item<double>();
    *correct += logits.detach().argmax(1).eq(labels).sum().item<double>();
  }

  void TellOutOfMemory(std::int64_t images) {
    LogWarning(StrCat("out of memory: going on with ", images, " images at a time, the batch stays ", schedule_.batch));
    folder_.AppendMetric({{"event", "micro-batch"}, {"epoch", epoch()}, {"step", state_.step}, {"images", images}});
  }

  void ArchStep() {
    if (!strategy_.learns_alphas()) return;
    const std::int64_t update = schedule_.ArchStepAfter(state_.step);
    if (update < 0) return;
    const std::size_t target = static_cast<std::size_t>(update) % state_.targets.size();
    TargetState& target_state = state_.targets[target];
    const Batch batch = NextOf(arch_, (state_.arch_updates) / arch_.batches_per_epoch());
    double cross_entropy = 0;
    RunWithinMemory(
        batch.labels.size(0), &state_.micro_batch,
        [&](std::int64_t) {
          const AutocastScope scope(state_.net.device(), setup_.options.precision == "bf16");
          cross_entropy = strategy_.ArchStep(state_, setup_.targets[target], target_state, batch, update);
        },
        [] {}, [&](std::int64_t images) { TellOutOfMemory(images); });
    if (!std::isfinite(cross_entropy)) Diverged(cross_entropy);
    target_state.constraint.Update(target_state.constraint.Expected(target_state.alphas));
    ++state_.arch_updates;
    state_.images += batch.labels.size(0);
  }

  [[noreturn]] void Diverged(double loss) {
    const std::string last = store_.Latest().string();
    folder_.AppendMetric(
        {{"event", "alarm"}, {"kind", "diverged"}, {"step", state_.step}, {"text", "the loss is no number"}});
    throw Error(ErrorKind::kTraining, StrCat("diverged at step ", state_.step, " (loss ", loss,
                                             "); last good checkpoint: ", last.empty() ? "none" : last,
                                             "; try a smaller --batch or other data"));
  }

  void EndEpoch() {
    const int done = epoch();  // epochs finished
    const Json line = account_.Epoch();
    folder_.AppendMetric(line);
    const bool searched = done > schedule_.warmup_epochs && strategy_.learns_alphas();
    if (searched) {
      Validate(done);
      Alarm(done);
      Prune(done);
    }
    const RankingProbe probe(setup_);
    if (done == probe.early_epoch()) {
      InheritedAccuracy accuracy = probe.Accuracy(state_, /*only_ranked=*/true);
      probe.LookEarly(state_, accuracy);
    }
    LogInfo(account_.Sentence(line));
    state_.meter = EpochMeter{};
  }

  /// Accuracy of each target's present network on the carve-out, by batch statistics (N2).
  void Validate(int done) {
    for (std::size_t t = 0; t < state_.targets.size(); ++t) {
      const TargetState& target = state_.targets[t];
      const Matrix log_p = target.alphas.LogProbabilities();
      const CostTable& table = target.constraint.table();
      std::optional<Selection> selection;
      if (target.constraint.budget()) selection = SelectMostProbable(log_p, table, *target.constraint.budget());
      if (!selection) selection = SelectArgmax(log_p, table);
      const Accuracy accuracy = Evaluate(
          [&](const at::Tensor& images) { return state_.net.Forward(images, selection->choice, BnMode::kProbe); },
          validation_, state_.net.device());
      const std::string code = setup_.space.Code(selection->choice);
      folder_.AppendMetric({{"event", "arch-validation"},
                            {"epoch", done},
                            {"step", state_.step},
                            {"target", setup_.targets[t].label()},
                            {"code", code},
                            {"predicted", selection->cost},
                            {"accuracy", accuracy.top1},
                            {"loss", accuracy.loss}});
      folder_.AppendSample({{"code", code},
                            {"target", setup_.targets[t].label()},
                            {"predicted", selection->cost},
                            {"accuracy", accuracy.top1},
                            {"epoch", done}});
    }
  }

  void Alarm(int done) {
    const double t = schedule_.arch_updates > 0
                         ? static_cast<double>(state_.arch_updates) / static_cast<double>(schedule_.arch_updates)
                         : 1;
    for (std::size_t i = 0; i < state_.targets.size(); ++i) {
      const auto alarm = CheckCollapse(setup_.space, state_.targets[i].alphas, t, schedule_.entropy_alarm);
      if (!alarm) continue;
      const std::string text = StrCat(setup_.targets[i].label(), ": ", *alarm);
      folder_.AppendMetric(
          {{"event", "alarm"}, {"epoch", done}, {"step", state_.step}, {"kind", "collapse"}, {"text", text}});
      LogWarning(text);
      if (setup_.options.strict) {
        Save();
        throw Error(ErrorKind::kTraining,
                    StrCat("collapsed at epoch ", done, ": ", text, "; give more epochs, or go on without --strict"));
      }
    }
  }

  void Prune(int done) {
    if (!setup_.options.prune) return;
    const double t = static_cast<double>(state_.arch_updates) / static_cast<double>(schedule_.arch_updates);
    std::vector<PruneView> views;
    for (const TargetState& target : state_.targets)
      views.push_back({&target.alphas, &target.constraint.table(), target.constraint.budget()});
    for (const PrunedOp& op : state_.pruner.Check(t, views)) {
      const std::int64_t bytes = state_.Remove(op.edge, op.op);
      const Edge& edge = setup_.space.edges()[op.edge];
      folder_.AppendMetric({{"event", "prune"},
                            {"epoch", done},
                            {"step", state_.step},
                            {"edge", op.edge},
                            {"op", op.op},
                            {"p", op.probability},
                            {"left", state_.targets[0].alphas.left(op.edge)},
                            {"bytes", bytes}});
      LogInfo(StrCat("epoch ", done, ": dropped ", FindOp(edge.candidates[op.op].op).Label(edge.candidates[op.op]),
                     " of ", edge.name, " (p ", op.probability, " stayed under the threshold; ",
                     state_.targets[0].alphas.left(op.edge), " left, ", ToString(Bytes{bytes}), " freed)"));
    }
  }

  void Save() {
    folder_.AppendMetric({{"event", "checkpoint"}, {"epoch", epoch()}, {"step", state_.step}});
    store_.Save(state_.Save(folder_.config_hash(), {folder_.metric_lines(), folder_.sample_lines()}), state_.step);
  }

  void Report() {
    if (hooks_.progress != nullptr) hooks_.progress->Update(account_.Progress());
  }

  const SearchSetup& setup_;
  const Schedule& schedule_;
  const SearchHooks& hooks_;
  RunFolder& folder_;
  SearchState& state_;
  const Strategy& strategy_;
  const SearchAccount account_;
  CheckpointStore store_;
  Loader train_;
  Loader arch_;
  Loader validation_;
  const Stopwatch session_;
};

/// From an open run folder to its result: trains, or takes over the supernet of `source`, then derives.
SearchResult Search(const SearchSetup& setup, const std::optional<SourceRun>& source, const SearchHooks& hooks,
                    RunFolder& folder, const Stopwatch& watch) {
  std::unique_ptr<Strategy> strategy = MakeStrategy(setup.options.strategy, setup.options.seed);
  SearchState state(setup, ResolveDevice(setup.options.device));
  if (source) {
    strategy = InheritSupernet(*source, setup, &state);
    state.measured = MeasuredSoFar(folder);
    folder.TruncateMetrics(0);
    folder.TruncateSamples(0);
    folder.AppendMetric({{"event", "start"}, {"epoch", 0}, {"step", 0}, {"from", source->path}});
  }
  double wall_before = 0;
  if (!source) {
    SearchRun run(setup, hooks, folder, state, *strategy);
    run.Restore();
    wall_before = state.wall_s;
    if (!state.trained) run.Train();
  }

  SearchResult result = DeriveNetworks(setup, hooks, folder, state, *strategy);
  result.wall_s = wall_before + watch.Seconds();
  result.images_per_s = state.wall_s > 0 ? static_cast<double>(state.images) / state.wall_s : 0;
  FinishRun(setup, folder, &result);
  return result;
}

}  // namespace

SearchResult RunSearch(const SearchOptions& asked, const SearchPlaces& places, const SearchHooks& hooks) {
  const Stopwatch watch;
  if (const auto finished = FinishedResult(asked)) return *finished;

  std::optional<SourceRun> source;
  if (!asked.from.empty()) source = ReadSourceRun(asked.from);
  const SearchOptions options = source ? InheritOptions(asked, *source) : asked;
  const ThreadScope threads(options.threads);
  ResolveDevice(options.device);  // refused before anything is read
  const SearchSetup setup = PrepareSearch(options, places, hooks, options.resume.empty() ? "" : options.out);
  if (const std::string message = UnreachableMessage(setup.targets); !message.empty()) {
    throw Error(ErrorKind::kInfeasible, message);
  }
  RunFolder folder = OpenRun(setup);
  folder.Follow(hooks.metrics);

  try {
    return Search(setup, source, hooks, folder, watch);
  } catch (const Error& error) {
    try {
      folder.AppendMetric({{"event", "end"}, {"exit", ExitCode(error.kind())}, {"text", error.what()}});
    } catch (const Error&) {
      // The first error says more than a disk that is full.
    }
    throw;
  }
}

}  // namespace nas
