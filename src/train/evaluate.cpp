// SPDX-License-Identifier: Apache-2.0
#include "nas/train/evaluate.h"

#include <torch/torch.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "nas/train/meters.h"

namespace nas {

Json ToJson(const Accuracy& accuracy) {
  return {{"top1", accuracy.top1}, {"top5", accuracy.top5}, {"loss", accuracy.loss}, {"images", accuracy.images}};
}

Accuracy Evaluate(const std::function<at::Tensor(const at::Tensor&)>& forward, Loader& loader,
                  const at::Device& device) {
  const torch::NoGradGuard no_grad;
  constexpr std::int64_t kTop = 5;
  ShareMeter top1;
  ShareMeter top5;
  AverageMeter loss;
  loader.Seek(/*epoch=*/0, /*batch=*/0);
  for (Batch batch; loader.Next(&batch);) {
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
    const double* values = sums.const_data_ptr<double>();
    top1.Add(static_cast<std::int64_t>(values[0]), images);
    top5.Add(static_cast<std::int64_t>(values[1]), images);
    loss.Add(values[2] / static_cast<double>(images), images);
  }
  return {.top1 = top1.share(), .top5 = top5.share(), .loss = loss.mean(), .images = loss.count()};
}

}  // namespace nas
