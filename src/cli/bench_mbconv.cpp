// SPDX-License-Identifier: Apache-2.0
#include "bench_mbconv.h"

#include <torch/torch.h>

#include "nas/core/clock.h"
#include "nas/core/text.h"
#include "nas/nn/network.h"

namespace nas::cli {
namespace {

constexpr int kWarmUp = 2;

struct BlockSize {
  int batch, in, hidden, out, side, kernel, stride;
};

// Blocks of CIFAR-sized nets at batch 64 and of ImageNet supernets at batch 16.
constexpr BlockSize kBlocks[] = {
    {64, 32, 192, 32, 32, 3, 1}, {64, 32, 192, 32, 32, 5, 1},   {64, 32, 192, 32, 32, 7, 1},
    {64, 64, 384, 64, 16, 5, 1}, {16, 24, 144, 24, 56, 3, 1},   {16, 40, 240, 40, 28, 5, 1},
    {16, 80, 480, 80, 14, 7, 1}, {16, 192, 1152, 192, 7, 7, 1}, {16, 24, 144, 40, 56, 5, 2},
    {64, 32, 192, 64, 32, 3, 2},
};

std::string NameOf(const BlockSize& b) {
  return StrCat("kernel.mbconv.n", b.batch, "_c", b.in, "_", b.hidden, "_", b.out, "_r", b.side, "_k", b.kernel, "_s",
                b.stride);
}

// The block behind a layer that never runs: networks begin with three channels.
Architecture NetworkOf(const BlockSize& b) {
  Architecture architecture;
  architecture.resolution = b.side;
  Layer adapter;
  adapter.name = "adapter";
  adapter.op = "conv";
  adapter.in_channels = 3;
  adapter.out_channels = b.in;
  Layer block;
  block.name = "blocks.0";
  block.op = "mbconv";
  block.in_channels = b.in;
  block.out_channels = b.out;
  block.kernel = b.kernel;
  block.stride = b.stride;
  block.groups = 0;
  block.mid_channels = b.hidden;
  block.act = Activation::kRelu6;
  block.skip = b.stride == 1 && b.in == b.out;
  architecture.layers = {adapter, block};
  return architecture;
}

double StepMs(Network& network, const at::Tensor& x, const at::Tensor& dy) {
  const Stopwatch watch;
  network.ForwardLayers(x, 1, 2, BnMode::kTrain).backward(dy);
  x.mutable_grad().reset();
  for (const auto& [name, tensor] : network.NamedParameters()) tensor.mutable_grad().reset();
  return 1000 * watch.Seconds();
}

MbconvTimes Measure(const BlockSize& b, int iters) {
  const Architecture architecture = NetworkOf(b);
  Network fused(architecture, /*seed=*/1, KernelMode::kFused), plain(architecture, /*seed=*/1, KernelMode::kTorch);
  const int out_side = (b.side - 1) / b.stride + 1;
  const at::Tensor x =
      torch::randn({b.batch, b.in, b.side, b.side}).contiguous(at::MemoryFormat::ChannelsLast).requires_grad_(true);
  const at::Tensor dy = torch::randn({b.batch, b.out, out_side, out_side}).contiguous(at::MemoryFormat::ChannelsLast);
  MbconvTimes times{NameOf(b), {}, {}};
  for (int i = -kWarmUp; i < iters; ++i) {
    const double fused_ms = StepMs(fused, x, dy), torch_ms = StepMs(plain, x, dy);
    if (i < 0) continue;
    times.fused_ms.push_back(fused_ms);
    times.torch_ms.push_back(torch_ms);
  }
  return times;
}

}  // namespace

std::vector<std::string> MbconvBenchNames() {
  std::vector<std::string> names;
  for (const BlockSize& block : kBlocks) names.push_back(NameOf(block));
  return names;
}

std::vector<MbconvTimes> MeasureMbconv(const std::function<bool(const std::string& name)>& wanted, int iters) {
  std::vector<MbconvTimes> all;
  for (const BlockSize& block : kBlocks) {
    if (wanted(NameOf(block))) all.push_back(Measure(block, iters));
  }
  return all;
}

}  // namespace nas::cli
