// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>
#include <vector>

namespace nas {

/// What a build of the kernels may use. kGeneric: the compiler's vectors for the architecture it was asked for.
enum class InstructionSet { kGeneric, kAvx2, kAvx512 };

/// `generic`, `avx2`, `avx512`.
std::string_view ToString(InstructionSet set);

/// Those that this build has and this processor runs, worst first; never empty.
const std::vector<InstructionSet>& AvailableInstructionSets();

/// The last of them.
InstructionSet BestInstructionSet();

}  // namespace nas
