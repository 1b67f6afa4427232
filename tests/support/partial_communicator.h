// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "nas/core/error.h"
#include "nas/dist/communicator.h"

namespace nas::test {

/// A rank as a thread of the test: what a test does not override must not be called. Nobody watches over liveness.
class PartialCommunicator : public Communicator {
 public:
  PartialCommunicator(int rank, int size) : rank_(rank), size_(size) {}
  int Rank() const override { return rank_; }
  int Size() const override { return size_; }
  int LocalRank() const override { return rank_; }
  CommStats Stats() const override { return {}; }
  std::unique_ptr<Pending> AllReduceSum(at::Tensor&) override { ThrowInternal("not used here"); }
  void AllReduceSum(std::span<double>) override { ThrowInternal("not used here"); }
  void Broadcast(std::span<std::byte>, int) override { ThrowInternal("not used here"); }
  void Broadcast(at::Tensor&, int) override { ThrowInternal("not used here"); }
  std::vector<std::string> AllGather(std::string_view) override { ThrowInternal("not used here"); }
  void AllGather(const at::Tensor&, at::Tensor&) override { ThrowInternal("not used here"); }
  void Barrier(std::string_view) override { ThrowInternal("not used here"); }
  void Publish(const std::string&, const std::string&) override { ThrowInternal("not used here"); }
  std::string Await(const std::string&) override { ThrowInternal("not used here"); }
  void Progress(std::int64_t, std::string_view) override {}
  bool Abort(const AbortRecord&) override { return true; }
  void Leave(int) override {}
  int Follow() override { return 0; }

 private:
  int rank_;
  int size_;
};

}  // namespace nas::test
