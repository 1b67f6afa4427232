// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace nas {

/// A set of cores as a bit mask (core 0 = bit 0), for machines of up to 64 cores; of larger ones the first 64.
using CoreMask = std::uint64_t;

/// Cores that this process may run on.
CoreMask AllowedCores();
/// The allowed cores of the fastest cluster: those whose greatest frequency is the machine's greatest; all where the
/// kernel does not tell.
CoreMask FastestCluster();
/// `f0` → 0xf0. Throws kUsage on other text, an empty mask or cores that this process may not use.
CoreMask ParseCoreMask(const std::string& text);
std::string ToString(CoreMask mask);
/// Indices of the set bits.
std::vector<int> CoreIndices(CoreMask mask);

/// Keeps the calling thread on some cores for the lifetime of the object. `pinned()` is false where the kernel refused.
class AffinityScope {
 public:
  explicit AffinityScope(CoreMask mask);
  ~AffinityScope();
  AffinityScope(const AffinityScope&) = delete;
  AffinityScope& operator=(const AffinityScope&) = delete;
  bool pinned() const { return pinned_; }

 private:
  CoreMask before_ = 0;
  bool pinned_ = false;
};

}  // namespace nas
