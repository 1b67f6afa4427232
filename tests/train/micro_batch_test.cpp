// SPDX-License-Identifier: Apache-2.0
#include "nas/train/micro_batch.h"

#include <new>

#include "nas/core/error.h"
#include "support/torch_test.h"

namespace nas {
namespace {

TEST_CASE("Pieces are the batch, in order, and their shares sum to one", "[micro_batch]") {
  const Batch batch{torch::randn({10, 3, 2, 2}), torch::arange(10, torch::kLong)};
  CHECK(CutBatch(batch, 0).size() == 1);
  CHECK(CutBatch(batch, 10).size() == 1);
  const auto pieces = CutBatch(batch, 4);
  REQUIRE(pieces.size() == 3);
  double share = 0;
  std::vector<torch::Tensor> labels;
  for (const MicroBatch& piece : pieces) {
    share += piece.share;
    labels.push_back(piece.batch.labels);
    CHECK(piece.batch.images.size(0) == piece.batch.labels.size(0));
    CHECK(piece.batch.images.is_alias_of(batch.images));
  }
  CHECK(share == Approx(1));
  CHECK(torch::equal(torch::cat(labels), batch.labels));
}

TEST_CASE("Weighted pieces give the gradient of the whole batch", "[micro_batch]") {
  const Batch batch{torch::randn({10, 6}, torch::kDouble), torch::randint(4, {10}, torch::kLong)};
  torch::Tensor weight = torch::randn({6, 4}, torch::TensorOptions(torch::kDouble).requires_grad(true));
  const auto gradient = [&](std::int64_t images) {
    weight.mutable_grad() = torch::Tensor();
    for (const MicroBatch& piece : CutBatch(batch, images)) {
      (torch::cross_entropy_loss(piece.batch.images.mm(weight), piece.batch.labels) * piece.share).backward();
    }
    return weight.grad().clone();
  };
  CHECK(torch::allclose(gradient(0), gradient(3), /*rtol=*/1e-12, /*atol=*/1e-14));
}

TEST_CASE("Pieces are halved until they fit, and stay so", "[micro_batch]") {
  std::int64_t micro = 0;
  int undone = 0;
  std::vector<std::int64_t> told;
  const auto run = [&](std::int64_t fits) {
    RunWithinMemory(
        100, &micro,
        [&](std::int64_t images) {
          if (images == 0 || images > fits) throw std::bad_alloc();
        },
        [&] { ++undone; }, [&](std::int64_t images) { told.push_back(images); });
  };
  run(30);
  CHECK(micro == 25);
  CHECK(told == std::vector<std::int64_t>{50, 25});
  CHECK(undone == 2);
  run(30);
  CHECK(told.size() == 2);  // said once
  CHECK_THROWS_AS(run(0), Error);
  CHECK(micro == 1);
}

TEST_CASE("Only a lack of memory is met by smaller pieces", "[micro_batch]") {
  std::int64_t micro = 0;
  CHECK_THROWS_AS(RunWithinMemory(
                      8, &micro, [](std::int64_t) { throw std::runtime_error("other"); }, [] {}, [](std::int64_t) {}),
                  std::runtime_error);
  CHECK(micro == 0);
  try {
    torch::empty({std::int64_t{1} << 50});
    FAIL("a petabyte was there");
  } catch (const std::exception& error) {
    CHECK(IsOutOfMemory(error));
  }
  try {
    torch::zeros({2}) + torch::zeros({3});
  } catch (const std::exception& error) {
    CHECK_FALSE(IsOutOfMemory(error));
  }
}

}  // namespace
}  // namespace nas
