// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <ATen/core/Tensor.h>

#include "nas/core/clock.h"
#include "nas/core/run_folder.h"
#include "nas/data/loader.h"
#include "nas/nn/network.h"
#include "nas/train/checkpoint.h"
#include "nas/train/ema.h"
#include "nas/train/gradient_exchange.h"
#include "nas/train/meters.h"
#include "nas/train/rank_agreement.h"
#include "nas/train/sgd.h"
#include "nas/train/shard_group.h"
#include "nas/train/synced_statistics.h"
#include "nas/train/trainer.h"
#include "train_setup.h"

namespace nas::detail {

/// One training from its first step, or its checkpoint, to its last. A step is a pure function of the state before it
/// and of (seed, step), so that a run that was stopped anywhere gives the same bits.
class TrainLoop {
 public:
  /// All arguments have to outlive the loop.
  TrainLoop(const TrainSetup& setup, Network& network, RunFolder& folder, const TrainHooks& hooks);

  /// Goes on from the newest checkpoint, if there is one; cuts metrics.jsonl there.
  void Restore();
  /// Throws kCheckpointed when asked to stop, kTraining when the loss is no number any more.
  void Run();

  TrainResult Result() const;
  /// What is kept: the moving average where there is one, else the network's own tensors.
  NamedTensorList FinalTensors() const;

 private:
  void Step();
  /// Forward and backward of one batch, in pieces where memory asks for it; sums go to the pending tensors.
  void Learn(const Batch& batch);
  void LearnWithinMemory(const Batch& batch);
  /// The same over own shards; the gradients of all of them meet.
  void LearnDivided(const Batch& batch);
  /// Forward and backward; Σ loss and the number of right answers, on the device.
  std::pair<at::Tensor, at::Tensor> LearnPiece(const MicroBatch& piece);
  void NoteStart();
  void RestoreAll();
  /// Returns the number of metric lines at the checkpoint.
  std::int64_t Load(const Checkpoint& checkpoint, const std::string& config_hash);
  Checkpoint State(const std::string& config_hash);
  void Write();
  void RunToEnd();
  [[noreturn]] void SaveWhatIsThere(const RankLost& lost);
  bool StopWanted() const;
  std::string HowToGoOn() const;
  void CloseEpoch();
  Accuracy EvaluateOnTest();
  /// Moves what the steps since have summed up on the device into the meters; throws kTraining when it is no number.
  void Drain();
  void Save();
  void StopIfAsked();
  void Report();
  [[noreturn]] void Diverge(double loss);
  double wall_seconds() const { return wall_before_ + session_.Seconds(); }

  const TrainSetup& setup_;
  Network& network_;
  RunFolder& folder_;
  const TrainHooks& hooks_;
  CheckpointStore store_;
  // Where steps are divided over shards and ranks; else empty.
  std::optional<ShardGroup> group_;
  std::optional<GradientExchange> exchange_;
  std::optional<RankAgreement> agreement_;
  std::optional<SyncedStatistics> synced_;
  bool stop_agreed_ = false;
  bool save_agreed_ = false;
  Loader train_loader_;
  Loader test_loader_;
  LrSchedule schedule_;
  std::vector<std::pair<std::string, at::Tensor>> parameters_;
  Sgd sgd_;
  std::optional<Ema> ema_;
  std::optional<Network> ema_network_;  ///< runs the average for evaluation

  // State of the run, in the checkpoint.
  std::int64_t step_ = 0;         ///< steps done
  std::int64_t epochs_done_ = 0;  ///< epochs closed: evaluated and written
  AverageMeter loss_;             ///< of the running epoch, and so the next
  ShareMeter accuracy_;
  double last_loss_ = 0;  ///< of the last closed epoch
  double last_accuracy_ = 0;
  Accuracy test_;                 ///< newest
  RateMeter speed_;               ///< of all steps
  double wall_before_ = 0;        ///< seconds of earlier sessions
  std::int64_t micro_batch_ = 0;  ///< images per piece of a step, once memory has run out; 0 = whole batches

  // Of this session.
  RateMeter epoch_speed_;
  at::Tensor pending_loss_;   ///< Σ loss·images since the last drain, float64 on the device
  at::Tensor pending_right_;  ///< images that were right, int64
  std::int64_t pending_images_ = 0;
  std::int64_t first_step_ = 0;
  Stopwatch session_;
  Stopwatch since_checkpoint_;
};

}  // namespace nas::detail
