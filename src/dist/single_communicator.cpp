// SPDX-License-Identifier: Apache-2.0
#include <map>

#include <ATen/ATen.h>

#include "nas/dist/communicator.h"

namespace nas {
namespace {

class Done : public Pending {
 public:
  void Wait() override {}
};

class SingleCommunicator : public Communicator {
 public:
  int Rank() const override { return 0; }
  int Size() const override { return 1; }
  int LocalRank() const override { return 0; }
  CommStats Stats() const override { return {}; }
  std::unique_ptr<Pending> AllReduceSum(at::Tensor&) override { return std::make_unique<Done>(); }
  void AllReduceSum(std::span<double>) override {}
  void Broadcast(std::span<std::byte>, int) override {}
  void Broadcast(at::Tensor&, int) override {}
  std::vector<std::string> AllGather(std::string_view mine) override { return {std::string(mine)}; }
  void AllGather(const at::Tensor& mine, at::Tensor& all) override { all[0].copy_(mine); }
  void Barrier(std::string_view) override {}
  void Publish(const std::string& key, const std::string& text) override { notes_[key] = text; }
  std::string Await(const std::string& key) override {
    const auto note = notes_.find(key);
    if (note == notes_.end()) ThrowInternal("nobody else can leave the note " + key);
    return note->second;
  }
  void Progress(std::int64_t, std::string_view) override {}
  bool Abort(const AbortRecord&) override { return true; }
  void Leave(int) override {}
  int Follow() override { ThrowInternal("rank 0 follows nobody"); }

 private:
  std::map<std::string, std::string> notes_;
};

}  // namespace

std::unique_ptr<Communicator> MakeSingleCommunicator() { return std::make_unique<SingleCommunicator>(); }

std::string BroadcastText(Communicator& communicator, const std::string& text, int root) {
  if (communicator.Size() == 1) return text;
  double length = static_cast<double>(text.size());
  communicator.Broadcast(std::as_writable_bytes(std::span(&length, 1)), root);
  std::string out = text;
  out.resize(static_cast<std::size_t>(length));
  if (!out.empty()) communicator.Broadcast(std::as_writable_bytes(std::span(out.data(), out.size())), root);
  return out;
}

}  // namespace nas
