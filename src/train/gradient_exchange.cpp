// SPDX-License-Identifier: Apache-2.0
#include "nas/train/gradient_exchange.h"

#include <algorithm>
#include <optional>

#include <torch/torch.h>

#include <torch/csrc/autograd/function_hook.h>

#include "nas/core/clock.h"
#include "nas/core/error.h"
#include "nas/data/shard.h"

namespace nas {
namespace {

using Kind = PathTensor::Kind;

constexpr std::int64_t kMostControls = 16;

struct Place {
  PathTensor path;
  std::int64_t offset = 0;  ///< in the flat vector of a step
  std::int64_t size = 0;
  int users = 0;  ///< filled shards that run it
  std::size_t bucket = 0;
  at::Tensor before;  ///< BN: the value at the start of the step
};

struct Bucket {
  std::int64_t begin = 0;
  std::int64_t end = 0;
  std::size_t missing = 0;  ///< gradients that backward has not made yet
  std::unique_ptr<Pending> pending;
};

/// The part of a flat vector that stands for a tensor, laid out in memory as the tensor is.
at::Tensor ViewOf(const at::Tensor& flat, const Place& place) {
  const at::Tensor part = flat.narrow(0, place.offset, place.size);
  const at::Tensor& tensor = place.path.tensor;
  if (!tensor.is_non_overlapping_and_dense()) return part.view(tensor.sizes());
  return part.as_strided(tensor.sizes(), tensor.strides(), part.storage_offset());
}

class ArrivalHook final : public torch::autograd::FunctionPostHook {
 public:
  explicit ArrivalHook(std::function<void()> arrived) : arrived_(std::move(arrived)) {}
  torch::autograd::variable_list operator()(const torch::autograd::variable_list& outputs,
                                            const torch::autograd::variable_list& /*inputs*/) override {
    arrived_();
    return outputs;
  }

 private:
  std::function<void()> arrived_;
};

struct Hooked {
  c10::intrusive_ptr<torch::autograd::Node> node;  ///< the tensor holds it weakly
  std::uintptr_t key = 0;
};

}  // namespace

struct GradientExchange::Step {
  std::vector<Place> trained;  ///< in reverse order of execution
  std::vector<Place> buffers;
  std::vector<Choice> choices;
  std::vector<Bucket> buckets;
  std::int64_t images = 0;
  int filled = 1;
  std::int64_t length = 0;  ///< of the flat vector without control numbers
  std::int64_t gradient_length = 0;
  at::TensorOptions options;

  at::Tensor flat;
  at::Tensor tail;                     ///< BN and control numbers of the own shards so far
  std::vector<at::Tensor> shard_sums;  ///< of `tree`
  std::vector<Hooked> hooks;
  std::size_t started = 0;  ///< buckets under way
  Stopwatch since_start;

  bool Uses(const Place& place, int shard) const {
    if (shard >= filled) return false;
    if (choices.empty() || place.path.edge < 0) return true;
    return choices[static_cast<std::size_t>(shard)][static_cast<std::size_t>(place.path.edge)] == place.path.op;
  }
  void Unhook() {
    for (const Hooked& hooked : hooks) hooked.node->del_post_hook(hooked.key);
    hooks.clear();
  }
};

GradientExchange::GradientExchange(const ShardGroup& group) : group_(group) {}

GradientExchange::~GradientExchange() {
  if (step_) step_->Unhook();
}

void GradientExchange::Begin(const std::vector<PathTensor>& path, std::int64_t images,
                             const std::vector<Choice>& choices) {
  const torch::NoGradGuard no_grad;
  step_ = std::make_unique<Step>();
  Step& s = *step_;
  s.images = images;
  s.choices = choices;
  s.filled = FilledShards(images, group_.options().shards);
  for (auto it = path.rbegin(); it != path.rend(); ++it) {
    Place place;
    place.path = *it;
    place.size = it->tensor.numel();
    for (int shard = 0; shard < s.filled; ++shard) place.users += s.Uses(place, shard) ? 1 : 0;
    if (place.users == 0) continue;
    if (it->kind == Kind::kTrained) {
      s.trained.push_back(std::move(place));
    } else {
      place.before = it->tensor.clone();
      s.buffers.push_back(std::move(place));
    }
  }
  if (s.trained.empty()) ThrowInternal("a weight step without weights");
  s.options = s.trained.front().path.tensor.options().requires_grad(false);
  const auto least = static_cast<std::int64_t>(std::max<std::int64_t>(group_.options().bucket_bytes, 1 << 20) /
                                               static_cast<std::int64_t>(s.options.dtype().itemsize()));
  s.buckets.emplace_back();
  for (Place& place : s.trained) {
    if (s.buckets.back().end - s.buckets.back().begin >= least) {
      s.buckets.push_back({s.length, s.length, 0, nullptr});
    }
    place.offset = s.length;
    place.bucket = s.buckets.size() - 1;
    s.length += place.size;
    s.buckets.back().end = s.length;
    ++s.buckets.back().missing;
  }
  s.gradient_length = s.length;
  for (Place& place : s.buffers) {
    place.offset = s.length - s.gradient_length;
    s.length += place.size;
  }
}

void GradientExchange::StartShard(int shard) {
  const torch::NoGradGuard no_grad;
  Step& s = *step_;
  if (shard > group_.first()) {
    for (const Place& place : s.buffers) place.path.tensor.copy_(place.before);
  }
  const bool last_with_images = shard + 1 == std::min(group_.last(), s.filled);
  if (group_.options().tree || group_.ranks().Size() == 1 || s.buckets.size() < 2 || !last_with_images) return;
  // Not where a gradient may never come: paths differ between shards.
  if (!s.choices.empty()) return;
  s.flat = at::empty({s.length + kMostControls}, s.options);
  for (const Place& place : s.trained) {
    Hooked hooked{torch::autograd::impl::grad_accumulator(place.path.tensor), 0};
    hooked.key = hooked.node->add_post_hook(std::make_unique<ArrivalHook>([this, &place] {
      const torch::NoGradGuard hook_no_grad;
      Step& now = *step_;
      ViewOf(now.flat, place).copy_(place.path.tensor.grad());
      --now.buckets[place.bucket].missing;
      StartReadyBuckets();
    }));
    s.hooks.push_back(std::move(hooked));
  }
}

void GradientExchange::StartReadyBuckets() {
  Step& s = *step_;
  // The last one waits for the numbers behind backward.
  while (s.started + 1 < s.buckets.size() && s.buckets[s.started].missing == 0) {
    if (s.started == 0) s.since_start.Restart();
    Bucket& bucket = s.buckets[s.started++];
    at::Tensor part = s.flat.narrow(0, bucket.begin, bucket.end - bucket.begin);
    bucket.pending = group_.ranks().AllReduceSum(part);
  }
}

void GradientExchange::EndShard(int shard, std::span<const double> control) {
  const torch::NoGradGuard no_grad;
  Step& s = *step_;
  const std::int64_t buffers = s.length - s.gradient_length;
  at::Tensor tail = at::zeros({buffers + static_cast<std::int64_t>(control.size())}, s.options);
  for (const Place& place : s.buffers) {
    if (!s.Uses(place, shard)) continue;
    at::Tensor part = ViewOf(tail, place);
    if (place.path.kind == Kind::kCounter) {
      part.copy_(place.path.tensor - place.before);
    } else {
      part.copy_(place.path.tensor);
    }
  }
  const std::vector<double> numbers(control.begin(), control.end());
  tail.narrow(0, buffers, tail.numel() - buffers).copy_(at::tensor(numbers, at::kDouble));
  if (group_.options().tree) {
    at::Tensor flat = at::empty({s.gradient_length + tail.numel()}, s.options);
    for (const Place& place : s.trained) {
      const at::Tensor& gradient = place.path.tensor.grad();
      at::Tensor part = ViewOf(flat, place);
      if (gradient.defined() && s.Uses(place, shard)) {
        part.copy_(gradient);
      } else {
        part.zero_();
      }
      place.path.tensor.mutable_grad().reset();
    }
    flat.narrow(0, s.gradient_length, tail.numel()).copy_(tail);
    s.shard_sums.push_back(std::move(flat));
  } else if (s.tail.defined()) {
    s.tail.add_(tail);
  } else {
    s.tail = std::move(tail);
  }
}

std::vector<double> GradientExchange::Finish() {
  const torch::NoGradGuard no_grad;
  Step& s = *step_;
  s.Unhook();
  const Stopwatch unhidden;
  at::Tensor tail;
  if (group_.options().tree) {
    s.flat = group_.TreeSum(std::move(s.shard_sums));
    tail = s.flat.narrow(0, s.gradient_length, s.flat.numel() - s.gradient_length);
    stats_.seconds += unhidden.Seconds();
  } else {
    Bucket& last = s.buckets.back();
    if (!s.flat.defined()) s.flat = at::empty({s.length + kMostControls}, s.options);
    for (const Place& place : s.trained) {
      if (s.buckets[place.bucket].missing == 0) continue;  // a hook was there
      const at::Tensor& gradient = place.path.tensor.grad();
      at::Tensor part = ViewOf(s.flat, place);
      if (gradient.defined()) {
        part.copy_(gradient);
      } else {
        part.zero_();
      }
    }
    if (s.started == 0) s.since_start.Restart();
    for (; s.started + 1 < s.buckets.size(); ++s.started) {
      Bucket& bucket = s.buckets[s.started];
      at::Tensor part = s.flat.narrow(0, bucket.begin, bucket.end - bucket.begin);
      bucket.pending = group_.ranks().AllReduceSum(part);
    }
    tail = s.flat.narrow(0, s.gradient_length, s.tail.numel());
    tail.copy_(s.tail);
    at::Tensor end = s.flat.narrow(0, last.begin, s.gradient_length + tail.numel() - last.begin);
    last.pending = group_.ranks().AllReduceSum(end);
    for (Bucket& bucket : s.buckets) bucket.pending->Wait();
    stats_.seconds += s.since_start.Seconds();
  }
  stats_.unhidden_s += unhidden.Seconds();

  for (const Place& place : s.trained) {
    at::Tensor gradient = ViewOf(s.flat, place);
    if (place.users != s.filled) gradient.mul_(static_cast<double>(s.filled) / place.users);
    place.path.tensor.mutable_grad() = gradient;
  }
  for (const Place& place : s.buffers) {
    const at::Tensor sum = ViewOf(tail, place);
    if (place.path.kind == Kind::kCounter) {
      // One more, however many shards have counted it.
      place.path.tensor.copy_(place.before + sum.gt(0).to(at::kLong).to(place.before.device()));
    } else {
      place.path.tensor.copy_(sum.div_(static_cast<double>(place.users)));
    }
  }
  const std::int64_t item = static_cast<std::int64_t>(s.options.dtype().itemsize());
  std::int64_t counters = 0;
  for (const Place& place : s.buffers) counters += place.path.kind == Kind::kCounter ? place.size : 0;
  const std::int64_t buffers = s.length - s.gradient_length;
  const std::int64_t controls = tail.numel() - buffers;
  ++stats_.steps;
  stats_.gradient_bytes += item * s.gradient_length;
  stats_.bn_bytes += item * (buffers - counters);
  stats_.control_bytes += item * (controls + counters);
  const at::Tensor numbers = tail.narrow(0, buffers, controls).to(at::kCPU, at::kDouble).contiguous();
  std::vector<double> sums(numbers.const_data_ptr<double>(), numbers.const_data_ptr<double>() + controls);
  step_.reset();
  return sums;
}

void GradientExchange::Undo() {
  if (!step_) return;
  const torch::NoGradGuard no_grad;
  step_->Unhook();
  for (const Place& place : step_->buffers) place.path.tensor.copy_(place.before);
  for (const Place& place : step_->trained) place.path.tensor.mutable_grad().reset();
  step_.reset();
}

}  // namespace nas
