// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace nas::detail {

/// Key that rank 0 sets in its own store, under the prefix of the start: tells it from another job's store.
inline constexpr const char* kRankZeroHere = "here";

}  // namespace nas::detail
