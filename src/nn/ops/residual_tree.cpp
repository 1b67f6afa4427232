// SPDX-License-Identifier: Apache-2.0
// Residual block around a tree cell (proxyless.md §19): y = pad(shortcut(x)) + [BN] out_bottle(cell(in_bottle(x))), the
// shortcut padded with zero channels.
#include <array>
#include <optional>
#include <vector>

#include <ATen/ATen.h>

#include "batch_norm.h"
#include "block.h"
#include "builtin_ops.h"
#include "dropout.h"

namespace nas::detail {
namespace {

constexpr std::array<const char*, 4> kParts{"shortcut", "in_bottle", "cell", "out_bottle"};

class ResidualTreeModule final : public OpModule {
 public:
  ResidualTreeModule(const Layer& layer, const BatchNormSpec& bn)
      : out_channels_(layer.out_channels), drop_(layer.dropout, DropUnit::kImage) {
    for (std::size_t i = 0; i < kParts.size(); ++i) parts_.emplace_back(layer.children.at(i), bn);
    if (layer.use_bn) norm_.emplace(layer.out_channels, bn);
  }

  at::Tensor Forward(const at::Tensor& x, BnMode mode) override {
    at::Tensor shortcut = parts_[0].Forward(x, mode);
    at::Tensor y = parts_[2].Forward(parts_[1].Forward(x, mode), mode);
    y = parts_[3].Forward(drop_.Forward(y, mode), mode);
    if (norm_) y = norm_->Forward(y, mode);
    const std::int64_t missing = out_channels_ - shortcut.size(1);
    if (missing > 0) shortcut = at::constant_pad_nd(shortcut, {0, 0, 0, 0, 0, missing});
    return y + shortcut;
  }

  void Visit(const std::string& prefix, ModuleVisitor& visitor) override {
    drop_.Visit(prefix, visitor);
    for (std::size_t i = 0; i < kParts.size(); ++i) parts_[i].op().Visit(JoinName(prefix, kParts[i]), visitor);
    if (norm_) norm_->Visit(JoinName(prefix, "final_bn"), visitor);
  }

  void FoldBatchNorm() override {
    for (Block& part : parts_) part.op().FoldBatchNorm();
  }

 private:
  std::int64_t out_channels_;
  Dropout drop_;
  std::vector<Block> parts_;  ///< in the order of kParts
  std::optional<BatchNorm> norm_;
};

}  // namespace

std::unique_ptr<OpModule> MakeResidualTree(const Layer& layer, const BatchNormSpec& bn) {
  return std::make_unique<ResidualTreeModule>(layer, bn);
}

}  // namespace nas::detail
