// SPDX-License-Identifier: Apache-2.0
#include "nas/search/inherited_accuracy.h"

#include <algorithm>

#include <torch/torch.h>

namespace nas {

int JudgingBatch(std::int64_t images) { return static_cast<int>(std::clamp<std::int64_t>(images / 4, 1, 250)); }

InheritedAccuracy::InheritedAccuracy(Supernet& net, Loader& loader, std::int64_t images) : net_(net) {
  loader.Seek(/*epoch=*/0, /*batch=*/0);
  Batch batch;
  while (images_ < images && loader.Next(&batch)) {
    batches_.push_back(
        {batch.images.to(net.device()).clone(at::MemoryFormat::ChannelsLast), batch.labels.to(net.device()).clone()});
    images_ += batch.labels.size(0);
  }
}

std::vector<double> InheritedAccuracy::PerBatch(const Choice& choice) {
  if (before_each_) before_each_(static_cast<std::int64_t>(known_.size()));
  const torch::NoGradGuard no_grad;
  std::vector<at::Tensor> correct;
  for (const Batch& batch : batches_) {
    correct.push_back(net_.Forward(batch.images, choice, BnMode::kProbe).argmax(1).eq(batch.labels).sum());
  }
  std::vector<double> counts;
  if (correct.empty()) return counts;
  const at::Tensor all = at::stack(correct).to(at::kCPU, at::kDouble);
  for (std::int64_t i = 0; i < all.size(0); ++i) counts.push_back(all[i].item<double>());
  return counts;
}

double InheritedAccuracy::operator()(const Choice& choice) {
  const std::string code = net_.space().Code(choice);
  const auto known = known_.find(code);
  if (known != known_.end()) return known->second;
  double correct = 0;
  for (const double count : PerBatch(choice)) correct += count;
  return known_[code] = images_ > 0 ? correct / static_cast<double>(images_) : 0;
}

std::pair<double, double> InheritedAccuracy::Halves(const Choice& choice) {
  double correct[2] = {0, 0};
  double images[2] = {0, 0};
  const std::vector<double> counts = PerBatch(choice);
  for (std::size_t i = 0; i < counts.size(); ++i) {
    correct[i % 2] += counts[i];
    images[i % 2] += static_cast<double>(batches_[i].labels.size(0));
  }
  known_[net_.space().Code(choice)] = images_ > 0 ? (correct[0] + correct[1]) / static_cast<double>(images_) : 0;
  return {images[0] > 0 ? correct[0] / images[0] : 0, images[1] > 0 ? correct[1] / images[1] : 0};
}

}  // namespace nas
