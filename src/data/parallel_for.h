// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>

namespace nas::detail {

/// Calls body(begin, end) for consecutive pieces of 0…count−1, `grain` long, from `threads` threads (the caller's is
/// one of them). The first exception stops the rest and is rethrown.
void ParallelFor(std::int64_t count, std::int64_t grain, int threads,
                 const std::function<void(std::int64_t begin, std::int64_t end)>& body);

}  // namespace nas::detail
