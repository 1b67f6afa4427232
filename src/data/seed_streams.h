// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace nas::detail {

// Salts that keep the random choices of one seed apart from each other (see MixSeed).
inline constexpr std::uint64_t kLimitSalt = 0x6c696d6974;     // images kept by limit_per_class
inline constexpr std::uint64_t kTestSplitSalt = 0x74657374;   // test images where there is no test folder
inline constexpr std::uint64_t kCarveOutSalt = 0x6361727665;  // CarveOut
inline constexpr std::uint64_t kDemoSalt = 0x64656d6f;        // pictures of the demo set
inline constexpr std::uint64_t kOrderSalt = 0x6f72646572;     // order of an epoch
inline constexpr std::uint64_t kAugmentationSalt = 0x617567;  // crop, flip and jitter of one picture

}  // namespace nas::detail
