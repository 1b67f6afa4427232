// SPDX-License-Identifier: Apache-2.0
#include "nas/nn/flat_sgd.h"

#include <ATen/Parallel.h>

#include <algorithm>

namespace nas {

void StepFlat(const std::vector<SgdSegment>& segments) {
  if (segments.empty()) return;
  std::vector<std::int64_t> ends;  // of each segment in the flat list
  ends.reserve(segments.size());
  for (const SgdSegment& s : segments) ends.push_back((ends.empty() ? 0 : ends.back()) + s.size);
  constexpr std::int64_t kGrain = 1 << 15;
  at::parallel_for(0, ends.back(), kGrain, [&](std::int64_t first, std::int64_t last) {
    std::size_t i = static_cast<std::size_t>(std::upper_bound(ends.begin(), ends.end(), first) - ends.begin());
    for (; i < segments.size(); ++i) {
      const SgdSegment& s = segments[i];
      const std::int64_t begin = ends[i] - s.size;
      if (begin >= last) break;
      const std::int64_t from = std::max(first, begin) - begin, to = std::min(last, ends[i]) - begin;
      SgdStep(s.coefficients, to - from, s.weights + from, s.gradients + from,
              s.buffer == nullptr ? nullptr : s.buffer + from);
    }
  });
}

}  // namespace nas
