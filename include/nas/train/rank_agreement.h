// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "nas/core/json.h"
#include "nas/dist/communicator.h"
#include "nas/nn/safetensors.h"

namespace nas {

/// Whether the ranks of a run are still replicas of each other (cluster.md §3). Steps are noted as they come; a check
/// compares them, the values of the architecture and all tensors, and throws kVerification on every rank, naming the
/// first step or tensor that differs, and the rank that left the others.
class RankAgreement {
 public:
  /// `host`: of this rank, for the sentence.
  RankAgreement(Communicator& ranks, std::string host) : ranks_(ranks), host_(std::move(host)) {}

  /// What a step did, as text: "path" or "alpha" is its `kind`.
  void Note(std::int64_t step, std::string_view kind, std::string_view value);
  /// Collective. `values`: alphas, λ, Adam, masks. Forgets the steps noted so far.
  void Check(const std::string& values, const NamedTensorList& tensors);

 private:
  struct Noted {
    std::int64_t step;
    std::string kind;
    std::string hash;
  };
  Communicator& ranks_;
  std::string host_;
  std::vector<Noted> log_;
};

/// Hello of the ranks (cluster.md §2). `must`: where ranks differ in a value, all throw kInput "rank 5 (node12): build
/// 9f31 is not the 4be8 of rank 0 (node3)"; `may`: a warning on rank 0.
void CheckHello(Communicator& ranks, const std::string& host, const Json& must, const Json& may);

}  // namespace nas
