// SPDX-License-Identifier: Apache-2.0
#include "nas/search/search_driver.h"

#include <cmath>

#include <torch/torch.h>

#include <nlohmann/json.hpp>

#include "derive.h"
#include "epoch_review.h"
#include "inherit.h"
#include "nas/core/clock.h"
#include "nas/core/error.h"
#include "nas/core/files.h"
#include "nas/core/log.h"
#include "nas/core/machine.h"
#include "nas/core/run_folder.h"
#include "nas/core/text.h"
#include "nas/data/loader.h"
#include "nas/dist/rank_log.h"
#include "nas/nn/device.h"
#include "nas/search/search_state.h"
#include "nas/search/strategy.h"
#include "nas/train/autocast.h"
#include "nas/train/checkpoint.h"
#include "nas/train/micro_batch.h"
#include "rank_steps.h"
#include "ranking_probe.h"
#include "run_config.h"
#include "search_account.h"
#include "search_ranks.h"

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
        store_(folder.checkpoints_path(), hooks.fence),
        ranks_(hooks.ranks != nullptr ? std::make_unique<RankSteps>(setup, hooks, state) : nullptr),
        train_(setup.train, Divided(setup.LoaderFor(Augmentation::kTrain, schedule_.batch, /*stream=*/1))),
        // REINFORCE judges whole batches.
        arch_(setup.carve_out,
              setup.options.strategy == "reinforce" ? ArchLoaderOptions(setup) : Divided(ArchLoaderOptions(setup))),
        review_(setup, hooks, folder, state, ranks_.get()) {}

  /// Goes on from the newest checkpoint, if there is one.
  void Restore() {
    if (ranks_) return RestoreAll();
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
    try {
      TrainToEnd();
    } catch (const RankLost& lost) {
      SaveWhatIsThere(lost);
    }
  }

  void StopIfAsked() {
    if (ranks_ ? !stop_agreed_ : !StopWanted()) return;
    Save();
    if (ranks_ && !ranks_->root()) throw FollowRankZero();
    throw Error(ErrorKind::kCheckpointed, StrCat(TimeIsOver() ? "--max-time is over: " : "", "stopped after step ",
                                                 state_.step, " of ", schedule_.total_steps(), HowToGoOn()));
  }

  /// What went over the wire; null for a single process.
  Json Account() const { return ranks_ ? ranks_->Account() : Json(); }

 private:
  bool TimeIsOver() const { return setup_.options.max_time_s > 0 && session_.Seconds() > setup_.options.max_time_s; }
  bool StopWanted() const { return TimeIsOver() || (hooks_.stop != nullptr && hooks_.stop->requested()); }
  std::string HowToGoOn() const {
    return StrCat("; go on with: nas search --out ", folder_.path().string(), " --resume and the same flags");
  }

  void TrainToEnd() {
    SeekLoaders();
    Stopwatch since_checkpoint;
    if (state_.due == Due::kEpochEnd) FinishEpoch(&since_checkpoint);
    while (state_.step < schedule_.total_steps()) {
      const Stopwatch watch;
      if (state_.due == Due::kNothing) WeightStep();
      state_.due = Due::kArchStep;
      const Stopwatch arch_watch;
      ArchStep();
      state_.meter.arch_seconds += arch_watch.Seconds();
      ++state_.step;
      state_.due = Due::kNothing;
      const double seconds = watch.Seconds();
      state_.meter.seconds += seconds;
      state_.wall_s += seconds;
      if (state_.step % schedule_.steps_per_epoch == 0) FinishEpoch(&since_checkpoint);
      Report();
      StopIfAsked();
    }
    state_.trained = true;
    Save();
  }

  void FinishEpoch(Stopwatch* since_checkpoint) {
    state_.due = Due::kEpochEnd;
    lines_before_epoch_end_ = {folder_.metric_lines(), folder_.sample_lines()};
    EndEpoch();
    state_.due = Due::kNothing;
    // The last epoch's checkpoint is written once the run is marked as trained.
    bool save = since_checkpoint->Seconds() > kSecondsBetweenCheckpoints && state_.step < schedule_.total_steps();
    if (ranks_) save = ranks_->Share(save ? "y" : "n") == "y";
    if (!save) {
      if (ranks_) ranks_->CheckAgreement();
      return;
    }
    Save();
    since_checkpoint->Restart();
  }

  /// Rank 0's checkpoint, or its fresh start, on all ranks.
  void RestoreAll() {
    const bool root = ranks_->root();
    std::optional<Checkpoint> found;
    if (root) found = store_.LoadLatest();
    const bool fresh = ranks_->Share(root && !found ? "fresh" : "") == "fresh";
    const std::string hash = ranks_->Share(folder_.config_hash());
    if (root && fresh) found = state_.Save(hash, {});
    const Checkpoint checkpoint = ShareCheckpoint(ranks_->ranks(), root ? std::move(*found) : Checkpoint{});
    LineCounts lines;
    if (!root || !fresh) lines = state_.Load(checkpoint, hash);
    if (root && state_.trained) state_.measured = MeasuredSoFar(folder_);
    folder_.TruncateMetrics(lines.metrics);
    folder_.TruncateSamples(lines.samples);
    if (fresh) {
      folder_.AppendMetric({{"event", "start"}, {"epoch", 0}, {"step", 0}});
      if (ranks_->ranks().Size() > 1) Save();
    } else if (root) {
      LogInfo(StrCat("going on from step ", state_.step, " of ", schedule_.total_steps()));
    }
    for (std::size_t t = 0; t < state_.targets.size(); ++t) ranks_->ShareAlphas(t);
  }

  /// A rank is lost. Rank 0 still has the last complete step: BN statistics go back to before the broken one, weights
  /// were not touched yet.
  [[noreturn]] void SaveWhatIsThere(const RankLost& lost) {
    ranks_->Undo();
    if (!ranks_->root() || lost.kind() != ErrorKind::kCheckpointed || !state_.net.device().is_cpu()) throw lost;
    if (state_.due == Due::kCount) {
      ++state_.step;
      state_.due = state_.step % schedule_.steps_per_epoch == 0 ? Due::kEpochEnd : Due::kNothing;
      lines_before_epoch_end_ = {folder_.metric_lines(), folder_.sample_lines()};
    } else if (state_.due == Due::kEpochEnd) {
      folder_.TruncateMetrics(lines_before_epoch_end_.metrics);
      folder_.TruncateSamples(lines_before_epoch_end_.samples);
    }
    Write();
    throw RankLost(
        ErrorKind::kCheckpointed,
        StrCat(lost.what(), "; stopped after step ", state_.step, " of ", schedule_.total_steps(), HowToGoOn()),
        lost.told());
  }

  LoaderOptions Divided(const LoaderOptions& options) const { return ranks_ ? ranks_->Divided(options) : options; }

  static LoaderOptions ArchLoaderOptions(const SearchSetup& setup) {
    // Evaluation transforms, like the released code's carve-out.
    LoaderOptions options = setup.LoaderFor(Augmentation::kEval, setup.schedule.arch_batch, /*stream=*/2);
    options.drop_last = setup.carve_out->size() >= setup.schedule.batch;
    return options;
  }

  void SeekLoaders() {
    const std::int64_t begun = state_.due == Due::kArchStep ? 1 : 0;
    train_.Seek(state_.step / schedule_.steps_per_epoch, state_.step % schedule_.steps_per_epoch + begun);
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

  /// The path of a weight step, or one for each shard: fair to all candidates until the architecture is learnt, then by
  /// the probabilities of the target whose turn it is (N9). The same on every rank, without a message (N5).
  std::vector<Choice> DrawPaths() const {
    const auto step = static_cast<std::uint64_t>(state_.step);
    const Matrix p = state_.targets[step % state_.targets.size()].Probabilities();
    const bool uniform = !strategy_.learns_alphas() || state_.step < schedule_.warmup_steps();
    const int paths = ranks_ && setup_.options.ranks.path_per_rank ? ranks_->group().options().shards : 1;
    std::vector<Choice> choices;
    for (int i = 0; i < paths; ++i) {
      const auto fair_step = step * static_cast<std::uint64_t>(paths) + static_cast<std::uint64_t>(i);
      const std::uint32_t stream = paths == 1 ? kWeightStream : kShardStream + static_cast<std::uint32_t>(i);
      choices.push_back(uniform ? state_.sampler.DrawFair(p, fair_step) : state_.sampler.Draw(p, stream, step));
    }
    return choices;
  }

  void WeightStep() {
    if (ranks_) return DividedWeightStep();
    const Choice choice = DrawPaths().front();
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
    CountWeightStep(loss, correct, batch.labels.size(0));
  }

  void DividedWeightStep() {
    const Batch batch = NextOf(train_, state_.step / schedule_.steps_per_epoch);
    RankSteps::WeightSums sums;
    try {
      sums = ranks_->WeightStep(
          DrawPaths(), batch,
          [&](const Choice& choice, const MicroBatch& piece, double* loss, double* correct) {
            Learn(choice, piece, loss, correct);
          },
          StopWanted());
    } catch (const std::exception& error) {
      if (!IsOutOfMemory(error)) throw;
      throw Error(ErrorKind::kUnavailable,
                  StrCat("out of memory with ", piece_images(), " images per shard; give --shards ",
                         2 * ranks_->group().options().shards, " to a new run: it halves what a step needs"));
    }
    stop_agreed_ = sums.stop;
    if (!std::isfinite(sums.loss)) Diverged(sums.loss);
    state_.sgd.Step(sums.parameters, schedule_.WeightLr(state_.step));
    CountWeightStep(sums.loss, sums.correct, batch.whole);
  }

  std::int64_t piece_images() const { return schedule_.batch / ranks_->group().options().shards; }

  void CountWeightStep(double loss, double correct, std::int64_t images) {
    EpochMeter& meter = state_.meter;
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
          // REINFORCE judges whole batches, each on one rank.
          const bool divided = ranks_ && setup_.options.strategy != "reinforce";
          const SyncBatchNormScope sync(divided ? ranks_->Synced(batch.whole) : nullptr);
          cross_entropy = strategy_.ArchStep(state_, setup_.targets[target], target_state, batch, update);
        },
        [] {}, [&](std::int64_t images) { TellOutOfMemory(images); });
    if (!std::isfinite(cross_entropy)) Diverged(cross_entropy);
    if (!ranks_ || ranks_->root()) {
      target_state.constraint.Update(target_state.constraint.Expected(target_state.alphas));
    }
    ++state_.arch_updates;
    state_.images += batch.whole;
    state_.due = Due::kCount;
    if (ranks_) ranks_->ShareAlphas(target);
  }

  [[noreturn]] void Diverged(double loss) {
    if (ranks_ && !ranks_->root()) throw FollowRankZero();
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
      review_.Validate(done);
      if (const auto alarm = review_.Alarm(done); alarm && setup_.options.strict) {
        Write();
        throw Error(ErrorKind::kTraining,
                    StrCat("collapsed at epoch ", done, ": ", *alarm, "; give more epochs, or go on without --strict"));
      }
      review_.Prune(done);
    }
    const RankingProbe probe(setup_);
    if (done == probe.early_epoch() && (!ranks_ || ranks_->root())) {
      InheritedAccuracy accuracy = probe.Accuracy(state_, /*only_ranked=*/true);
      probe.LookEarly(state_, accuracy);
    }
    LogInfo(account_.Sentence(line));
    state_.meter = EpochMeter{};
  }

  void Save() {
    if (ranks_) ranks_->CheckAgreement();
    Write();
  }

  void Write() {
    if (ranks_ && !ranks_->root()) return;
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
  const std::unique_ptr<RankSteps> ranks_;  ///< null where one process does whole steps
  Loader train_;
  Loader arch_;
  EpochReview review_;
  const Stopwatch session_;
  bool stop_agreed_ = false;  ///< by all ranks
  LineCounts lines_before_epoch_end_;
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
  Json comm;
  if (!source) {
    SearchRun run(setup, hooks, folder, state, *strategy);
    run.Restore();
    wall_before = state.wall_s;
    if (!state.trained) run.Train();
    comm = run.Account();
  }
  if (hooks.ranks != nullptr && hooks.ranks->Rank() != 0) throw FollowRankZero();
  if (hooks.ranks != nullptr) hooks.ranks->Progress(state.step, "derive");

  SearchResult result = DeriveNetworks(setup, hooks, folder, state, *strategy);
  if (!comm.is_null()) result.comm = comm;
  result.wall_s = wall_before + watch.Seconds();
  result.images_per_s = state.wall_s > 0 ? static_cast<double>(state.images) / state.wall_s : 0;
  FinishRun(setup, folder, &result);
  return result;
}

}  // namespace

SearchResult RunSearch(const SearchOptions& asked, const SearchPlaces& places, const SearchHooks& given) {
  const Stopwatch watch;
  const bool root = given.ranks == nullptr || given.ranks->Rank() == 0;
  std::optional<SearchResult> finished;
  if (root) finished = FinishedResult(asked);
  if (given.ranks != nullptr && root) given.ranks->Publish("finished", finished ? "yes" : "no");
  if (!root && given.ranks->Await("finished") == "yes") throw FollowRankZero();
  if (finished) return *finished;

  std::optional<SourceRun> source;
  if (!asked.from.empty()) source = ReadSourceRun(asked.from);
  SearchOptions options = source ? InheritOptions(asked, *source) : asked;
  // Deriving alone is one process' work.
  if (source && !root) throw FollowRankZero();
  SearchHooks hooks = given;
  if (source) hooks.ranks = nullptr;
  options.ranks.shards = ShardsOfRun(options, hooks.ranks == nullptr ? 1 : hooks.ranks->Size());
  std::unique_ptr<Communicator> alone;
  if (hooks.ranks == nullptr && options.ranks.shards > 1) alone = MakeSingleCommunicator();
  if (alone) hooks.ranks = alone.get();
  const ThreadScope threads(options.threads);
  ResolveDevice(options.device);  // refused before anything is read
  const SearchSetup setup = PrepareSearch(options, places, hooks, options.resume.empty() ? "" : options.out);
  if (const std::string message = UnreachableMessage(setup.targets); !message.empty()) {
    throw Error(ErrorKind::kInfeasible, message);
  }
  if (hooks.ranks != nullptr) AgreeOnRun(setup, hooks);
  RunFolder folder = root ? OpenRun(setup) : AbsentRun(setup);
  if (hooks.ranks != nullptr) OpenRankLog(*hooks.ranks, folder.path());
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
