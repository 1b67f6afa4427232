// SPDX-License-Identifier: Apache-2.0
#include "nas/search/collapse_alarm.h"

#include <cmath>

#include "nas/core/text.h"

namespace nas {
namespace {

constexpr double kSkipUntil = 1.0 / 2;
constexpr double kSkipShare = 0.8;
constexpr double kEntropyUntil = 1.0 / 3;
constexpr double kEntropyShare = 0.1;

}  // namespace

std::optional<std::string> CheckCollapse(const SearchSpace& space, const ArchParameters& alphas, double t,
                                         bool entropy_test) {
  const Choice argmax = alphas.Argmax();
  int skippable = 0;
  int skipped = 0;
  double greatest_entropy = 0;
  for (std::size_t e = 0; e < space.edges().size(); ++e) {
    const Edge& edge = space.edges()[e];
    greatest_entropy += std::log(edge.size());
    if (edge.skip_op < 0) continue;
    ++skippable;
    if (argmax[e] == edge.skip_op) ++skipped;
  }
  if (t < kSkipUntil && skipped > kSkipShare * skippable) {
    return StrCat("collapse: skipping is most probable on ", skipped, " of ", skippable, " skippable edges after ",
                  Fixed(100 * t, 0), " % of the architecture updates");
  }
  const double entropy = alphas.Entropy();
  if (entropy_test && t < kEntropyUntil && entropy < kEntropyShare * greatest_entropy) {
    return StrCat("collapse: entropy has fallen to ", Fixed(entropy, 2), " of ", Fixed(greatest_entropy, 2),
                  " nats after ", Fixed(100 * t, 0), " % of the architecture updates");
  }
  return std::nullopt;
}

}  // namespace nas
