// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace nas {

/// How gate gradients G_k = dL/dg_k are obtained in an architecture step (proxyless.md §5).
enum class GateMode {
  kTwo,     ///< active and one inactive candidate per edge; the inactive output is computed without a graph
  kFull,    ///< all candidates' outputs are kept until backward (the paper's)
  kFullV2,  ///< other candidates run in backward: G_k = Σ o_k(x) ⊙ dL/dy, activation memory of one path
};

/// What was drawn on one edge for an architecture step; `inactive` is −1 unless GateMode::kTwo.
struct EdgeSample {
  int active = 0;
  int inactive = -1;
};

}  // namespace nas
