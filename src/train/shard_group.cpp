// SPDX-License-Identifier: Apache-2.0
#include "nas/train/shard_group.h"

#include <bit>

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include "nas/core/error.h"
#include "nas/core/text.h"
#include "nas/data/shard.h"

namespace nas {
namespace {

bool PowerOfTwo(int n) { return std::has_single_bit(static_cast<unsigned>(n)); }

/// Neighbours are added until one is left.
at::Tensor AddPairs(std::vector<at::Tensor> parts) {
  while (parts.size() > 1) {
    std::vector<at::Tensor> sums;
    for (std::size_t i = 0; i + 1 < parts.size(); i += 2) sums.push_back(parts[i] + parts[i + 1]);
    parts = std::move(sums);
  }
  return parts[0];
}

}  // namespace

void ShardOptions::Validate(int ranks) const {
  if (shards < 1 || shards % ranks != 0) {
    std::vector<std::string> valid;
    for (int r = 1; r <= shards; ++r) {
      if (shards % r == 0) valid.push_back(std::to_string(r));
    }
    ThrowInput(StrCat(ranks, " ranks do not divide the ", shards, " shards of the run; give a number of ranks out of ",
                      Join(valid, ", "), ", or another --shards to a new run"));
  }
  if (tree && !(PowerOfTwo(shards) && PowerOfTwo(ranks))) {
    ThrowUsage(StrCat("--reduce tree needs powers of two, not ", ranks, " ranks and ", shards,
                      " shards; give others, or --reduce ring"));
  }
}

ShardGroup::ShardGroup(Communicator& ranks, const ShardOptions& options) : ranks_(ranks), options_(options) {
  options_.Validate(ranks.Size());
}

std::vector<MicroBatch> ShardGroup::Pieces(const Batch& batch) const {
  const std::int64_t whole = batch.whole > 0 ? batch.whole : batch.labels.size(0);
  const std::int64_t begin = ShardOf(whole, options_.shards, first()).begin;
  std::vector<MicroBatch> pieces;
  for (int shard = first(); shard < last(); ++shard) {
    const ShardRange range = ShardOf(whole, options_.shards, shard);
    MicroBatch& piece = pieces.emplace_back();
    piece.share = static_cast<double>(range.size()) / static_cast<double>(whole);
    if (range.size() == 0) continue;
    piece.batch.images = batch.images.narrow(0, range.begin - begin, range.size());
    piece.batch.labels = batch.labels.narrow(0, range.begin - begin, range.size());
  }
  return pieces;
}

std::vector<double> ShardGroup::Sum(const std::vector<std::vector<double>>& own) const {
  if (options_.tree) {
    std::vector<at::Tensor> parts;
    for (const auto& values : own) parts.push_back(at::tensor(values, at::kDouble));
    const at::Tensor sum = TreeSum(std::move(parts));
    const double* begin = sum.const_data_ptr<double>();
    return {begin, begin + sum.numel()};
  }
  std::vector<double> sum = own.at(0);
  for (std::size_t shard = 1; shard < own.size(); ++shard) {
    for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += own[shard][i];
  }
  ranks_.AllReduceSum(std::span<double>(sum));
  return sum;
}

at::Tensor ShardGroup::TreeSum(std::vector<at::Tensor> own) const {
  const at::NoGradGuard no_grad;
  const at::Tensor mine = AddPairs(std::move(own));
  if (ranks_.Size() == 1) return mine;
  at::Tensor all = at::empty({ranks_.Size(), mine.numel()}, mine.options());
  ranks_.AllGather(mine, all);
  std::vector<at::Tensor> parts;
  for (int rank = 0; rank < ranks_.Size(); ++rank) parts.push_back(all[rank]);
  return AddPairs(std::move(parts));
}

}  // namespace nas
