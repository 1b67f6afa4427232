// SPDX-License-Identifier: Apache-2.0
// Node of a tree cell (path-level transformation, Cai et al. 2018): the map is copied or split over the branches, each
// branch is an edge and a child node, results are added or concatenated; with branch BN a branch gives e +
// BN(child(e)). Names: `edges.<i>`, `child_nodes.<i>`, `branch_bns.<i>`.
#include <optional>

#include <ATen/ATen.h>

#include "batch_norm.h"
#include "block.h"
#include "builtin_ops.h"
#include "dropout.h"
#include "nas/core/text.h"
#include "nas/space/branch_part.h"

namespace nas::detail {
namespace {

struct Branch {
  Block edge;
  Block child;
  std::optional<BatchNorm> norm;
};

class TreeNodeModule final : public OpModule {
 public:
  TreeNodeModule(const Layer& layer, const BatchNormSpec& bn)
      : split_(layer.split == "split"), concat_(layer.merge == "concat"), drop_(layer.dropout, DropUnit::kImage) {
    const std::size_t n = layer.children.size() / 2;
    for (std::size_t i = 0; i < n; ++i) {
      Branch& branch = branches_.emplace_back(
          Branch{Block(layer.children[2 * i], bn), Block(layer.children[2 * i + 1], bn), std::nullopt});
      if (layer.use_bn) {
        const std::int64_t channels =
            concat_ ? BranchPart(layer.out_channels, static_cast<int>(n), static_cast<int>(i)) : layer.out_channels;
        branch.norm.emplace(static_cast<int>(channels), bn);
      }
    }
  }

  at::Tensor Forward(const at::Tensor& x, BnMode mode) override {
    std::vector<at::Tensor> results;
    std::int64_t first = 0;
    const std::int64_t n = static_cast<std::int64_t>(branches_.size());
    for (std::int64_t i = 0; i < n; ++i) {
      at::Tensor part = x;
      if (split_) {
        const std::int64_t channels = BranchPart<std::int64_t>(x.size(1), n, i);
        part = x.narrow(1, first, channels).contiguous(at::MemoryFormat::ChannelsLast);
        first += channels;
      }
      results.push_back(RunBranch(branches_[static_cast<std::size_t>(i)], part, mode));
    }
    if (concat_) return at::cat(results, 1);
    at::Tensor sum = results[0];
    for (std::size_t i = 1; i < results.size(); ++i) sum = sum + results[i];
    return sum;
  }

  void Visit(const std::string& prefix, ModuleVisitor& visitor) override {
    drop_.Visit(prefix, visitor);
    for (std::size_t i = 0; i < branches_.size(); ++i) {
      branches_[i].edge.op().Visit(JoinName(prefix, StrCat("edges.", i)), visitor);
      branches_[i].child.op().Visit(JoinName(prefix, StrCat("child_nodes.", i)), visitor);
      if (branches_[i].norm) branches_[i].norm->Visit(JoinName(prefix, StrCat("branch_bns.", i)), visitor);
    }
  }

  void FoldBatchNorm() override {
    for (Branch& branch : branches_) {
      branch.edge.op().FoldBatchNorm();
      branch.child.op().FoldBatchNorm();
    }
  }

 private:
  at::Tensor RunBranch(Branch& branch, const at::Tensor& x, BnMode mode) {
    const at::Tensor e = branch.edge.Forward(x, mode);
    at::Tensor y = branch.child.Forward(e, mode);
    if (branch.norm) y = e + branch.norm->Forward(y, mode);
    return drop_.Forward(y, mode);
  }

  bool split_;
  bool concat_;
  Dropout drop_;
  std::vector<Branch> branches_;
};

}  // namespace

std::unique_ptr<OpModule> MakeTreeNode(const Layer& layer, const BatchNormSpec& bn) {
  return std::make_unique<TreeNodeModule>(layer, bn);
}

}  // namespace nas::detail
