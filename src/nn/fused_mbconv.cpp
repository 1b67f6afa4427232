// SPDX-License-Identifier: Apache-2.0
#include "fused_mbconv.h"

#include <cstdint>
#include <cstdlib>
#include <new>
#include <optional>
#include <utility>

#include <ATen/ATen.h>
#include <ATen/autocast_mode.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/custom_function.h>

#include "nas/nn/sync_batch_norm.h"
#include "torch_workers.h"

namespace nas::detail {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::tensor_list;
using OptionalTensor = std::optional<at::Tensor>;

// Order of the tensors in a FusedFunction call: x, then weight, scale, shift of each convolution.
constexpr int kTensors = 10;

/// What backward needs beside tensors.
struct Plan : public torch::CustomClassHolder {
  MbconvShape shape;
  MbconvStatistics statistics = MbconvStatistics::kBatch;
  MbconvNorm norms[3];  // running statistics, momentum and eps; scale and shift are set per call
};

float* Data(const at::Tensor& t) { return t.defined() ? t.data_ptr<float>() : nullptr; }

/// A channels_last map [N, channels, height, width]. Not at::empty: glibc's aligned allocation, which that uses, leaves
/// holes too small for the next map of the same size, and a process grows from step to step.
at::Tensor EmptyMap(const at::Tensor& like, std::int64_t channels, std::int64_t height, std::int64_t width) {
  constexpr std::uintptr_t kLine = 64;
  const std::int64_t pixels = height * width, images = like.size(0);
  void* memory = std::malloc(static_cast<std::size_t>(images * pixels * channels) * sizeof(float) + kLine);
  if (memory == nullptr) throw std::bad_alloc();
  void* aligned = reinterpret_cast<void*>((reinterpret_cast<std::uintptr_t>(memory) + kLine - 1) / kLine * kLine);
  return at::from_blob(
      aligned, {images, channels, height, width}, {pixels * channels, 1, width * channels, channels},
      [memory](void*) { std::free(memory); }, like.options());
}

at::Tensor ChannelsLast(const at::Tensor& t) { return t.contiguous(at::MemoryFormat::ChannelsLast); }

MbconvWeights Weights(const Plan& plan, const at::Tensor* tensors) {
  MbconvWeights w;
  w.expand = Data(tensors[1]);
  w.depthwise = Data(tensors[4]);
  w.project = Data(tensors[7]);
  for (int i = 0; i < 3; ++i) {
    w.norms[i] = plan.norms[i];
    w.norms[i].scale = Data(tensors[2 + 3 * i]);
    w.norms[i].shift = Data(tensors[3 + 3 * i]);
  }
  return w;
}

class FusedFunction : public torch::autograd::Function<FusedFunction> {
 public:
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& x, const OptionalTensor& w1,
                            const OptionalTensor& scale1, const OptionalTensor& shift1, const at::Tensor& w2,
                            const at::Tensor& scale2, const at::Tensor& shift2, const at::Tensor& w3,
                            const at::Tensor& scale3, const at::Tensor& shift3, const c10::intrusive_ptr<Plan>& plan) {
    const at::Tensor tensors[kTensors] = {x,
                                          w1.value_or(at::Tensor()),
                                          scale1.value_or(at::Tensor()),
                                          shift1.value_or(at::Tensor()),
                                          w2,
                                          scale2,
                                          shift2,
                                          w3,
                                          scale3,
                                          shift3};
    const MbconvShape& s = plan->shape;
    at::Tensor z1;
    if (s.expand) z1 = EmptyMap(x, s.hidden, s.height, s.width);
    const at::Tensor z2 = EmptyMap(x, s.hidden, s.out_height(), s.out_width());
    const at::Tensor z3 = EmptyMap(x, s.out, s.out_height(), s.out_width());
    const at::Tensor stats = at::empty({MbconvStatsSize(s)}, x.options());
    at::Tensor y = EmptyMap(x, s.out, s.out_height(), s.out_width());
    MbconvForward(s, Weights(*plan, tensors), plan->statistics, Data(x), Data(y),
                  {Data(z1), Data(z2), Data(z3), Data(stats)}, TorchWorkers());
    if (MbconvRecomputesExpansion(s)) z1.reset();
    tensor_list saved(tensors, tensors + kTensors);
    saved.insert(saved.end(), {z1, z2, z3, stats});
    ctx->save_for_backward(std::move(saved));
    ctx->saved_data["plan"] = c10::IValue::make_capsule(plan);
    return y;
  }

  static tensor_list backward(AutogradContext* ctx, tensor_list outer) {
    const auto plan = c10::static_intrusive_pointer_cast<Plan>(ctx->saved_data["plan"].toCapsule());
    const tensor_list saved = ctx->get_saved_variables();
    const at::Tensor dy = ChannelsLast(outer[0]);
    tensor_list result(kTensors + 1);
    std::size_t edge = 0;  // absent tensors have none
    for (std::size_t i = 0; i < kTensors; ++i) {
      if (!saved[i].defined() || !ctx->needs_input_grad(edge++)) continue;
      const at::Tensor& t = saved[i];
      result[i] = i == 0 ? EmptyMap(t, t.size(1), t.size(2), t.size(3)) : at::empty_like(t);
    }
    MbconvGradients g;
    g.x = Data(result[0]);
    g.expand = Data(result[1]);
    g.depthwise = Data(result[4]);
    g.project = Data(result[7]);
    for (std::size_t i = 0; i < 3; ++i) {
      g.scale[i] = Data(result[2 + 3 * i]);
      g.shift[i] = Data(result[3 + 3 * i]);
    }
    MbconvBackward(plan->shape, Weights(*plan, saved.data()), plan->statistics, Data(saved[0]), Data(dy),
                   {Data(saved[10]), Data(saved[11]), Data(saved[12]), Data(saved[13])}, g, TorchWorkers());
    return result;
  }
};

bool Plain(const at::Tensor& t) { return t.is_cpu() && t.scalar_type() == at::kFloat; }

}  // namespace

bool CanFuse(KernelMode kernels, const at::Tensor& x, const at::Tensor& weight, BnMode mode) {
  if (kernels == KernelMode::kTorch || mode == BnMode::kAccumulate || x.dim() != 4 || x.numel() == 0) return false;
  // The kernels know their own images only.
  if (mode != BnMode::kEval && SyncBatchNormScope::Current() != nullptr) return false;
  return Plain(x) && Plain(weight) && !at::autocast::is_autocast_enabled(at::kCPU);
}

at::Tensor FusedMbconv(MbconvShape shape, const FusedMbconvParts& parts, const at::Tensor& x, BnMode mode) {
  const at::Tensor map = ChannelsLast(x);
  shape.batch = map.size(0);
  shape.height = map.size(2);
  shape.width = map.size(3);
  auto plan = c10::make_intrusive<Plan>();
  plan->shape = shape;
  plan->statistics = mode == BnMode::kEval    ? MbconvStatistics::kRunning
                     : mode == BnMode::kTrain ? MbconvStatistics::kBatchAndTrack
                                              : MbconvStatistics::kBatch;
  OptionalTensor tensors[9];
  for (int i = 0; i < 3; ++i) {
    if (parts.norms[i] == nullptr) continue;
    BatchNorm& norm = *parts.norms[i];
    tensors[3 * i] = parts.weights[i];
    tensors[3 * i + 1] = norm.weight();
    tensors[3 * i + 2] = norm.bias();
    plan->norms[i] = norm.FusedNorm(mode == BnMode::kTrain && (i == 0 ? shape.pixels() : shape.out_pixels()) > 1);
  }
  return FusedFunction::apply(map, tensors[0], tensors[1], tensors[2], *tensors[3], *tensors[4], *tensors[5],
                              *tensors[6], *tensors[7], *tensors[8], plan);
}

}  // namespace nas::detail
