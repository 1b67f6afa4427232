// SPDX-License-Identifier: Apache-2.0
#include "nas/train/evaluate.h"

#include <torch/torch.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <span>
#include <vector>

#include "nas/train/meters.h"

namespace nas {

Json ToJson(const Accuracy& accuracy) {
  return {{"top1", accuracy.top1}, {"top5", accuracy.top5}, {"loss", accuracy.loss}, {"images", accuracy.images}};
}

Accuracy Evaluate(const std::function<at::Tensor(const at::Tensor&)>& forward, Loader& loader, const at::Device& device,
                  Communicator* ranks) {
  const torch::NoGradGuard no_grad;
  constexpr std::int64_t kTop = 5;
  constexpr std::size_t kFigures = 4;  // of a batch: hits at the top, hits among five, sum of losses, images
  const auto stride = static_cast<std::size_t>(ranks == nullptr ? 1 : ranks->Size());
  auto index = static_cast<std::size_t>(ranks == nullptr ? 0 : ranks->Rank());
  std::vector<double> figures(kFigures * static_cast<std::size_t>(loader.batches_per_epoch()), 0);
  if (index < figures.size() / kFigures) loader.Seek(/*epoch=*/0, static_cast<std::int64_t>(index));
  for (Batch batch; index < figures.size() / kFigures && loader.Next(&batch); index += stride) {
    const at::Tensor labels = batch.labels.to(device);
    const at::Tensor logits = forward(batch.images.to(device)).to(at::kFloat);
    const std::int64_t images = labels.size(0);
    const at::Tensor best = std::get<1>(logits.topk(std::min(kTop, logits.size(1)), /*dim=*/1));
    const at::Tensor hits = best.eq(labels.unsqueeze(1));
    // One copy to the host for the three numbers; float64 holds counts and the sum of float32 losses exactly enough.
    const at::Tensor losses = at::cross_entropy_loss(logits, labels, /*weight=*/{}, at::Reduction::None);
    const at::Tensor sums =
        at::stack({hits.select(1, 0).sum().to(at::kDouble), hits.sum().to(at::kDouble), losses.sum(at::kDouble)})
            .to(at::kCPU);
    double* of_batch = figures.data() + kFigures * index;
    std::copy_n(sums.const_data_ptr<double>(), kFigures - 1, of_batch);
    of_batch[kFigures - 1] = static_cast<double>(images);
  }
  // Others' batches are zeros here, so that the sums are exact; they are added up in the order of the batches.
  if (ranks != nullptr) ranks->AllReduceSum(std::span<double>(figures));
  ShareMeter top1;
  ShareMeter top5;
  AverageMeter loss;
  for (std::size_t i = 0; i < figures.size(); i += kFigures) {
    const double* values = figures.data() + i;
    const auto images = static_cast<std::int64_t>(values[kFigures - 1]);
    if (images == 0) continue;
    top1.Add(static_cast<std::int64_t>(values[0]), images);
    top5.Add(static_cast<std::int64_t>(values[1]), images);
    loss.Add(values[2] / static_cast<double>(images), images);
  }
  return {.top1 = top1.share(), .top5 = top5.share(), .loss = loss.mean(), .images = loss.count()};
}

}  // namespace nas
