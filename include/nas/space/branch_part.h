// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace nas {

/// Channels of branch `i` when a tree node divides `channels` over `branches`: equal parts, the remainder one by one
/// from the first (path-level network transformation, Cai et al. 2018, as released).
template <typename Count>
constexpr Count BranchPart(Count channels, Count branches, Count i) {
  return channels / branches + (i < channels % branches ? 1 : 0);
}

}  // namespace nas
