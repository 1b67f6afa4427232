// SPDX-License-Identifier: Apache-2.0
#include "nas/kernels/instruction_set.h"

#include <algorithm>

#include "nas/core/error.h"
#include "nas/core/text.h"
#include "stages.h"

namespace nas {
namespace {

std::vector<InstructionSet> Probe() {
  std::vector<InstructionSet> sets{InstructionSet::kGeneric};
#ifdef NAS_X86_KERNELS
  __builtin_cpu_init();
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  if (avx2) sets.push_back(InstructionSet::kAvx2);
  if (avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
      __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq")) {
    sets.push_back(InstructionSet::kAvx512);
  }
#endif
  return sets;
}

}  // namespace

std::string_view ToString(InstructionSet set) {
  switch (set) {
    case InstructionSet::kGeneric:
      return "generic";
    case InstructionSet::kAvx2:
      return "avx2";
    case InstructionSet::kAvx512:
      return "avx512";
  }
  ThrowInternal("an instruction set without a name");
}

const std::vector<InstructionSet>& AvailableInstructionSets() {
  static const std::vector<InstructionSet> sets = Probe();
  return sets;
}

InstructionSet BestInstructionSet() { return AvailableInstructionSets().back(); }

namespace detail {

const Stages& StagesOf(InstructionSet set) {
  const std::vector<InstructionSet>& sets = AvailableInstructionSets();
  if (std::find(sets.begin(), sets.end(), set) == sets.end()) {
    ThrowInternal(StrCat("this processor or build has no ", ToString(set), " kernels"));
  }
#ifdef NAS_X86_KERNELS
  if (set == InstructionSet::kAvx512) return Avx512Stages();
  if (set == InstructionSet::kAvx2) return Avx2Stages();
#endif
  return GenericStages();
}

}  // namespace detail
}  // namespace nas
