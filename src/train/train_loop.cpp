// SPDX-License-Identifier: Apache-2.0
#include "train_loop.h"

#include <torch/torch.h>

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

}  // namespace

TrainLoop::TrainLoop(const TrainSetup& setup, Network& network, RunFolder& folder, const TrainHooks& hooks)
    : setup_(setup),
      network_(network),
      folder_(folder),
      hooks_(hooks),
      store_(folder.checkpoints_path()),
      train_loader_(setup.data.train, setup.TrainLoader()),
      test_loader_(setup.data.test, setup.TestLoader()),
      schedule_(setup.Schedule()),
      parameters_(network.NamedParameters()),
      sgd_({.momentum = setup.options.momentum, .weight_decay = setup.options.weight_decay, .decay_bn = false}) {
  if (train_loader_.batches_per_epoch() != setup.plan.steps_per_epoch) {
    ThrowInternal("the plan and the loader differ in the number of steps per epoch");
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

void TrainLoop::Restore() {
  const auto checkpoint = store_.LoadLatest();
  if (!checkpoint) {
    folder_.TruncateMetrics(0);
    Json event = ToJson(setup_.plan);
    event.erase("schema");
    event["event"] = "start";
    event["epoch"] = 0;
    event["step"] = 0;
    folder_.AppendMetric(event);
    return;
  }
  const Json& state = checkpoint->state;
  if (state.at("config_hash") != folder_.config_hash()) {
    ThrowInput(StrCat(store_.Latest().string(), " belongs to another configuration than ",
                      folder_.config_path().string(), "; give another --out"));
  }
  network_.Load(checkpoint->Under("weights/"));
  sgd_.LoadState(checkpoint->Under("momentum/"));
  if (ema_) ema_->Load(checkpoint->Under("ema/"), state.at("ema_steps"));
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
  folder_.TruncateMetrics(state.at("metric_lines"));
  LogInfo(StrCat("going on from step ", step_, " of ", setup_.plan.steps()));
}

void TrainLoop::Run() {
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
      if (since_checkpoint_.Seconds() > setup_.options.checkpoint_every_s) Save();
    }
    Report();
    StopIfAsked();
  }
}

void TrainLoop::Step() {
  const Stopwatch watch;
  Batch batch;
  if (!train_loader_.Next(&batch)) ThrowInternal("the loader ended before its epoch");
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
  if (setup_.device.is_cpu() || step_ % kStepsBetweenDrainsOnGpu == 0) Drain();
  sgd_.Step(parameters_, schedule_.At(step_));
  if (ema_) ema_->Update(network_.NamedTensors());
  ++step_;
  speed_.Add(batch.labels.size(0), watch.Seconds());
  epoch_speed_.Add(batch.labels.size(0), watch.Seconds());
}

void TrainLoop::Learn(const Batch& batch) {
  network_.SeedDropout(MixSeed(MixSeed(setup_.options.seed, kDropoutStream), static_cast<std::uint64_t>(step_)));
  std::vector<std::pair<at::Tensor, at::Tensor>> learned;  // loss · images, number right
  for (const MicroBatch& piece : CutBatch(batch, micro_batch_)) {
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
    learned.emplace_back(loss.detach().to(at::kDouble) * static_cast<double>(labels.size(0)),
                         logits.detach().argmax(1).eq(labels).sum());
  }
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
    StopIfAsked();
    const AutocastScope scope(setup_.device, setup_.plan.precision == "bf16");
    return network.Forward(images, BnMode::kEval);
  };
  return Evaluate(forward, test_loader_, setup_.device);
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
  Checkpoint checkpoint;
  checkpoint.Add("weights/", network_.NamedTensors());
  checkpoint.Add("momentum/", sgd_.State());
  if (ema_) checkpoint.Add("ema/", ema_->tensors());
  Json& state = checkpoint.state;
  state["config_hash"] = folder_.config_hash();
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
  store_.Save(checkpoint, step_);
  folder_.AppendMetric({{"event", "checkpoint"},
                        {"epoch", epochs_done_},
                        {"step", step_},
                        {"file", store_.Latest().lexically_relative(folder_.path()).string()}});
  since_checkpoint_.Restart();
}

void TrainLoop::StopIfAsked() {
  if (hooks_.stop == nullptr || !hooks_.stop->requested() || epochs_done_ == setup_.plan.epochs) return;
  Save();
  throw Error(ErrorKind::kCheckpointed, StrCat("stopped after step ", step_, " of ", setup_.plan.steps(),
                                               ", checkpoint ", store_.Latest().string(), "; continue with --out ",
                                               folder_.path().string(), " --resume and the same flags"));
}

void TrainLoop::Diverge(double loss) {
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
