// SPDX-License-Identifier: Apache-2.0
#include "train_loop.h"

#include <torch/torch.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>

#include "nas/core/error.h"
#include "nas/core/log.h"
#include "nas/core/rng.h"
#include "nas/core/text.h"
#include "nas/train/autocast.h"
#include "nas/train/loss.h"
#include "nas/train/micro_batch.h"

namespace nas::detail {
namespace {

constexpr std::uint64_t kDropoutStream = 2;
/// Reading a number back costs nothing on a CPU, and a stall of the queue on a GPU.
constexpr std::int64_t kStepsBetweenDrainsOnGpu = 16;

bool AllFinite(const std::vector<std::pair<std::string, at::Tensor>>& tensors) {
  const torch::NoGradGuard no_grad;
  std::vector<at::Tensor> values;
  for (const auto& named : tensors) values.push_back(named.second.detach());
  // The largest magnitude, not the norm: squares overflow first.
  const double sum = at::stack(at::_foreach_norm(values, std::numeric_limits<double>::infinity())).sum().item<double>();
  return std::isfinite(sum);
}

std::string Percent(double share) { return Fixed(100 * share, 1) + " %"; }

ShardOptions OptionsOf(const RankOptions& options) {
  return {std::max(1, options.shards), options.reduce == "tree", options.bucket_bytes};
}

/// This rank's shards of each batch.
LoaderOptions Divided(LoaderOptions loader, const TrainSetup& setup, const TrainHooks& hooks) {
  if (hooks.ranks == nullptr) return loader;
  const ShardGroup group(*hooks.ranks, OptionsOf(setup.options.ranks));
  loader.shards = group.options().shards;
  loader.first_shard = group.first();
  loader.last_shard = group.last();
  return loader;
}

/// Whole batches, shared among ranks.
LoaderOptions Shared(LoaderOptions loader, const TrainHooks& hooks) {
  if (hooks.ranks != nullptr) loader.stride = hooks.ranks->Size();
  return loader;
}

}  // namespace

TrainLoop::TrainLoop(const TrainSetup& setup, Network& network, RunFolder& folder, const TrainHooks& hooks)
    : setup_(setup),
      network_(network),
      folder_(folder),
      hooks_(hooks),
      store_(folder.checkpoints_path(), hooks.fence),
      train_loader_(setup.data.train, Divided(setup.TrainLoader(), setup, hooks)),
      test_loader_(setup.data.test, Shared(setup.TestLoader(), hooks)),
      schedule_(setup.Schedule()),
      parameters_(network.NamedParameters()),
      sgd_({.momentum = setup.options.momentum, .weight_decay = setup.options.weight_decay, .decay_bn = false}) {
  if (train_loader_.batches_per_epoch() != setup.plan.steps_per_epoch) {
    ThrowInternal("the plan and the loader differ in the number of steps per epoch");
  }
  if (hooks.ranks != nullptr) {
    group_.emplace(*hooks.ranks, OptionsOf(setup.options.ranks));
    exchange_.emplace(*group_);
    agreement_.emplace(*hooks.ranks, hooks.host);
    synced_.emplace(*hooks.ranks, setup.options.ranks.sync_bn);
  }
  if (setup.options.ema > 0) {
    ema_.emplace(setup.options.ema, network.NamedTensors());
    ema_network_.emplace(setup.architecture, setup.options.seed);
    ema_network_->To(setup.device);
  }
  const auto options = at::TensorOptions().device(setup.device);
  pending_loss_ = at::zeros({}, options.dtype(at::kDouble));
  pending_right_ = at::zeros({}, options.dtype(at::kLong));
}

void TrainLoop::NoteStart() {
  folder_.TruncateMetrics(0);
  Json event = ToJson(setup_.plan);
  event.erase("schema");
  event["event"] = "start";
  event["epoch"] = 0;
  event["step"] = 0;
  folder_.AppendMetric(event);
}

void TrainLoop::RestoreAll() {
  Communicator& ranks = group_->ranks();
  const bool root = group_->root();
  std::optional<Checkpoint> found;
  if (root) found = store_.LoadLatest();
  const bool fresh = BroadcastText(ranks, root && !found ? "fresh" : "", 0) == "fresh";
  const std::string hash = BroadcastText(ranks, folder_.config_hash(), 0);
  if (root && fresh) found = State(hash);
  const Checkpoint checkpoint = ShareCheckpoint(ranks, root ? std::move(*found) : Checkpoint{});
  const std::int64_t lines = root && fresh ? 0 : Load(checkpoint, hash);
  if (fresh) {
    NoteStart();
    if (ranks.Size() > 1) Save();
    return;
  }
  folder_.TruncateMetrics(lines);
  if (root) LogInfo(StrCat("going on from step ", step_, " of ", setup_.plan.steps()));
}

void TrainLoop::Restore() {
  if (group_) return RestoreAll();
  const auto checkpoint = store_.LoadLatest();
  if (!checkpoint) return NoteStart();
  folder_.TruncateMetrics(Load(*checkpoint, folder_.config_hash()));
  LogInfo(StrCat("going on from step ", step_, " of ", setup_.plan.steps()));
}

std::int64_t TrainLoop::Load(const Checkpoint& checkpoint, const std::string& config_hash) {
  const Json& state = checkpoint.state;
  if (state.at("config_hash") != config_hash) {
    ThrowInput(StrCat(store_.Latest().string(), " belongs to another configuration than ",
                      folder_.config_path().string(), "; give another --out"));
  }
  network_.Load(checkpoint.Under("weights/"));
  sgd_.LoadState(checkpoint.Under("momentum/"));
  if (ema_) ema_->Load(checkpoint.Under("ema/"), state.at("ema_steps"));
  step_ = first_step_ = state.at("step");
  epochs_done_ = state.at("epochs_done");
  loss_.Restore(state.at("loss").at("sum"), state.at("loss").at("images"));
  accuracy_.Add(state.at("right"), loss_.count());
  last_loss_ = state.at("last").at("loss");
  last_accuracy_ = state.at("last").at("accuracy");
  const Json& test = state.at("test");
  test_ = {.top1 = test.at("top1"), .top5 = test.at("top5"), .loss = test.at("loss"), .images = test.at("images")};
  speed_.Add(state.at("speed").at("images"), state.at("speed").at("seconds"));
  wall_before_ = state.at("wall_s");
  micro_batch_ = state.value("micro_batch", std::int64_t{0});
  return state.at("metric_lines");
}

void TrainLoop::Run() {
  try {
    RunToEnd();
  } catch (const RankLost& lost) {
    SaveWhatIsThere(lost);
  }
}

void TrainLoop::SaveWhatIsThere(const RankLost& lost) {
  exchange_->Undo();
  if (!group_->root() || lost.kind() != ErrorKind::kCheckpointed || !setup_.device.is_cpu()) throw lost;
  Drain();
  Write();
  throw RankLost(ErrorKind::kCheckpointed,
                 StrCat(lost.what(), "; stopped after step ", step_, " of ", setup_.plan.steps(), HowToGoOn()),
                 lost.told());
}

void TrainLoop::RunToEnd() {
  const std::int64_t steps = setup_.plan.steps_per_epoch;
  train_loader_.Seek(step_ / steps, step_ % steps);
  session_.Restart();
  since_checkpoint_.Restart();
  while (epochs_done_ < setup_.plan.epochs) {
    if (step_ == (epochs_done_ + 1) * steps) {
      CloseEpoch();
      if (epochs_done_ < setup_.plan.epochs) train_loader_.Seek(epochs_done_, 0);
      Save();
    } else {
      Step();
      if (group_ ? save_agreed_ : since_checkpoint_.Seconds() > setup_.options.checkpoint_every_s) Save();
    }
    Report();
    StopIfAsked();
  }
}

void TrainLoop::Step() {
  const Stopwatch watch;
  Batch batch;
  if (!train_loader_.Next(&batch)) ThrowInternal("the loader ended before its epoch");
  if (group_) {
    LearnDivided(batch);
  } else {
    LearnWithinMemory(batch);
  }
  if (setup_.device.is_cpu() || step_ % kStepsBetweenDrainsOnGpu == 0) Drain();
  sgd_.Step(parameters_, schedule_.At(step_));
  if (ema_) ema_->Update(network_.NamedTensors());
  ++step_;
  speed_.Add(batch.whole, watch.Seconds());
  epoch_speed_.Add(batch.whole, watch.Seconds());
}

void TrainLoop::LearnWithinMemory(const Batch& batch) {
  RunWithinMemory(
      batch.labels.size(0), &micro_batch_, [&](std::int64_t) { Learn(batch); },
      [&] {
        for (const auto& named : parameters_) named.second.mutable_grad().reset();
      },
      [&](std::int64_t images) {
        LogWarning(
            StrCat("out of memory: going on with ", images, " images at a time, the batch stays ", setup_.plan.batch));
        folder_.AppendMetric({{"event", "micro-batch"}, {"epoch", epochs_done_}, {"step", step_}, {"images", images}});
      });
}

void TrainLoop::LearnDivided(const Batch& batch) {
  group_->ranks().Progress(step_, "step");
  exchange_->Begin(network_.PathTensors(), batch.whole);
  const std::vector<MicroBatch> pieces = group_->Pieces(batch);
  const SyncBatchNormScope sync(synced_->For(batch.whole));
  const std::uint64_t seed = MixSeed(MixSeed(setup_.options.seed, kDropoutStream), static_cast<std::uint64_t>(step_));
  const bool save = since_checkpoint_.Seconds() > setup_.options.checkpoint_every_s;
  for (int shard = group_->first(); shard < group_->last(); ++shard) {
    const MicroBatch& piece = pieces[static_cast<std::size_t>(shard - group_->first())];
    // Sums over shards: loss, right answers, and what any rank (to stop) or rank 0 (to save) wants.
    std::array<double, 4> control{0, 0, 0, 0};
    if (shard == group_->first()) {
      control[2] = StopWanted() ? 1 : 0;
      control[3] = group_->root() && save ? 1 : 0;
    }
    exchange_->StartShard(shard);
    if (piece.share > 0) {
      network_.SeedDropout(MixSeed(seed, static_cast<std::uint64_t>(shard)));
      const auto [loss, right] = LearnPiece(piece);
      control[0] = loss.item<double>();
      control[1] = static_cast<double>(right.item<std::int64_t>());
    }
    exchange_->EndShard(shard, control);
  }
  const std::vector<double> sums = exchange_->Finish();
  stop_agreed_ = sums[2] > 0;
  save_agreed_ = sums[3] > 0;
  const torch::NoGradGuard no_grad;
  pending_loss_.add_(sums[0]);
  pending_right_.add_(static_cast<std::int64_t>(sums[1]));
  pending_images_ += batch.whole;
}

std::pair<at::Tensor, at::Tensor> TrainLoop::LearnPiece(const MicroBatch& piece) {
  const at::Tensor images = piece.batch.images.to(setup_.device, /*non_blocking=*/true);
  const at::Tensor labels = piece.batch.labels.to(setup_.device, /*non_blocking=*/true);
  at::Tensor logits;
  {
    const AutocastScope scope(setup_.device, setup_.plan.precision == "bf16");
    logits = network_.Forward(images, BnMode::kTrain);
  }
  const at::Tensor loss = CrossEntropy(logits, labels, setup_.options.label_smoothing);
  (piece.share == 1 ? loss : loss * piece.share).backward();
  const torch::NoGradGuard no_grad;
  return {loss.detach().to(at::kDouble) * static_cast<double>(labels.size(0)),
          logits.detach().argmax(1).eq(labels).sum()};
}

void TrainLoop::Learn(const Batch& batch) {
  network_.SeedDropout(MixSeed(MixSeed(setup_.options.seed, kDropoutStream), static_cast<std::uint64_t>(step_)));
  std::vector<std::pair<at::Tensor, at::Tensor>> learned;  // loss · images, number right
  for (const MicroBatch& piece : CutBatch(batch, micro_batch_)) learned.push_back(LearnPiece(piece));
  // Only once all pieces are through: a step that is run again must not count twice.
  const torch::NoGradGuard no_grad;
  for (const auto& [loss, right] : learned) {
    pending_loss_.add_(loss);
    pending_right_.add_(right);
  }
  pending_images_ += batch.labels.size(0);
}

void TrainLoop::Drain() {
  if (pending_images_ == 0) return;
  const double loss = pending_loss_.item<double>() / static_cast<double>(pending_images_);
  if (!std::isfinite(loss)) Diverge(loss);
  loss_.Add(loss, pending_images_);
  accuracy_.Add(pending_right_.item<std::int64_t>(), pending_images_);
  pending_loss_.zero_();
  pending_right_.zero_();
  pending_images_ = 0;
}

Accuracy TrainLoop::EvaluateOnTest() {
  Network& network = ema_ ? *ema_network_ : network_;
  if (ema_) ema_network_->Load(ema_->tensors());
  const auto forward = [&](const at::Tensor& images) {
    // Nothing of the state moves here: a run that is stopped evaluates again when it goes on.
    if (!group_) StopIfAsked();
    const AutocastScope scope(setup_.device, setup_.plan.precision == "bf16");
    return network.Forward(images, BnMode::kEval);
  };
  return Evaluate(forward, test_loader_, setup_.device, hooks_.ranks);
}

void TrainLoop::CloseEpoch() {
  Drain();
  const std::int64_t epoch = epochs_done_ + 1;
  Json line = {{"event", "epoch"},
               {"epoch", epoch},
               {"step", step_},
               {"phase", "train"},
               {"loss", loss_.mean()},
               {"accuracy", accuracy_.share()},
               {"lr", schedule_.At(step_ - 1)},
               {"images_per_s", epoch_speed_.rate()}};
  std::string text = StrCat("epoch ", epoch, "/", setup_.plan.epochs, "  loss ", Fixed(loss_.mean(), 4), "  accuracy ",
                            Percent(accuracy_.share()));
  if (epoch % setup_.options.eval_every == 0 || epoch == setup_.plan.epochs) {
    test_ = EvaluateOnTest();
    line["test"] = ToJson(test_);
    text += "  test " + Percent(test_.top1);
  }
  text += StrCat("  ", Fixed(epoch_speed_.rate(), 0), " images/s");
  folder_.AppendMetric(line);
  LogInfo(text);
  last_loss_ = loss_.mean();
  last_accuracy_ = accuracy_.share();
  loss_ = {};
  accuracy_ = {};
  epoch_speed_ = {};
  epochs_done_ = epoch;
}

void TrainLoop::Save() {
  Drain();
  if (!AllFinite(parameters_)) Diverge(std::numeric_limits<double>::quiet_NaN());
  if (group_ && group_->ranks().Size() > 1) agreement_->Check("", State("").tensors);
  Write();
}

Checkpoint TrainLoop::State(const std::string& config_hash) {
  Checkpoint checkpoint;
  checkpoint.Add("weights/", network_.NamedTensors());
  checkpoint.Add("momentum/", sgd_.State());
  if (ema_) checkpoint.Add("ema/", ema_->tensors());
  Json& state = checkpoint.state;
  state["config_hash"] = config_hash;
  state["step"] = step_;
  state["epochs_done"] = epochs_done_;
  state["ema_steps"] = ema_ ? ema_->steps() : 0;
  state["loss"] = {{"sum", loss_.sum()}, {"images", loss_.count()}};
  state["right"] = accuracy_.right();
  state["last"] = {{"loss", last_loss_}, {"accuracy", last_accuracy_}};
  state["test"] = ToJson(test_);
  state["speed"] = {{"images", speed_.count()}, {"seconds", speed_.seconds()}};
  state["wall_s"] = wall_seconds();
  state["micro_batch"] = micro_batch_;
  state["threads"] = setup_.options.threads;
  // The line about this checkpoint counts, and is written only once the checkpoint is safe.
  state["metric_lines"] = folder_.metric_lines() + 1;
  return checkpoint;
}

void TrainLoop::Write() {
  since_checkpoint_.Restart();
  if (group_ && !group_->root()) return;
  store_.Save(State(folder_.config_hash()), step_);
  folder_.AppendMetric({{"event", "checkpoint"},
                        {"epoch", epochs_done_},
                        {"step", step_},
                        {"file", store_.Latest().lexically_relative(folder_.path()).string()}});
  since_checkpoint_.Restart();
}

bool TrainLoop::StopWanted() const { return hooks_.stop != nullptr && hooks_.stop->requested(); }

std::string TrainLoop::HowToGoOn() const {
  return StrCat("; continue with --out ", folder_.path().string(), " --resume and the same flags");
}

void TrainLoop::StopIfAsked() {
  if (!(group_ ? stop_agreed_ : StopWanted()) || epochs_done_ == setup_.plan.epochs) return;
  Save();
  if (group_ && !group_->root()) throw FollowRankZero();
  throw Error(ErrorKind::kCheckpointed, StrCat("stopped after step ", step_, " of ", setup_.plan.steps(),
                                               ", checkpoint ", store_.Latest().string(), HowToGoOn()));
}

void TrainLoop::Diverge(double loss) {
  if (group_ && !group_->root()) throw FollowRankZero();
  const std::string last = store_.Latest().string();
  const std::string text = StrCat("diverged at step ", step_ + 1, " (",
                                  std::isnan(loss) ? "a weight or the loss is no number" : "the loss is infinite",
                                  "); last good checkpoint: ", last.empty() ? "none" : last, "; try a lower --lr");
  folder_.AppendMetric({{"event", "alarm"}, {"kind", "diverged"}, {"step", step_ + 1}, {"text", text}});
  throw Error(ErrorKind::kTraining, text);
}

void TrainLoop::Report() {
  if (hooks_.progress == nullptr) return;
  const std::int64_t total = setup_.plan.steps();
  ProgressState state;
  state.phase = "train";
  state.done = static_cast<double>(step_);
  state.total = static_cast<double>(total);
  const std::int64_t epoch = std::min<std::int64_t>(epochs_done_ + 1, setup_.plan.epochs);
  const bool fresh = loss_.count() == 0;
  state.fields = {{"epoch", StrCat(epoch, "/", setup_.plan.epochs)},
                  {"loss", Fixed(fresh ? last_loss_ : loss_.mean(), 3)},
                  {"accuracy", Percent(fresh ? last_accuracy_ : accuracy_.share())}};
  if (test_.images > 0) state.fields.emplace_back("test", Percent(test_.top1));
  state.fields.emplace_back("img/s", Fixed(speed_.rate(), 0));
  if (step_ > first_step_) {
    state.seconds_left =
        session_.Seconds() / static_cast<double>(step_ - first_step_) * static_cast<double>(total - step_);
  }
  hooks_.progress->Update(state);
}

TrainResult TrainLoop::Result() const {
  TrainResult result;
  result.run = folder_.path().string();
  result.name = setup_.plan.name;
  result.seed = setup_.options.seed;
  result.params = setup_.plan.params;
  result.macs = setup_.plan.macs;
  result.epochs = setup_.plan.epochs;
  result.steps = step_;
  result.train_loss = last_loss_;
  result.train_accuracy = last_accuracy_;
  result.test = test_;
  result.wall_s = wall_seconds();
  result.images_per_s = speed_.rate();
  return result;
}

NamedTensorList TrainLoop::FinalTensors() const { return ema_ ? ema_->tensors() : network_.NamedTensors(); }

}  // namespace nas::detail
