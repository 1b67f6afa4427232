// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "nas/latency/block_key.h"

namespace nas {

/// Which of the two look-alike table formats a key is read by: they give `expand` different meanings.
enum class YamlGrammar {
  kProxyless,  ///< expand = ratio; relu6, no SE
  kOfa,        ///< expand = hidden channels; `-se:` and `-hs:` follow
};

/// A key such as `expanded_conv-input:112x112x16-output:56x56x24-expand:3-kernel:5-stride:2-idskip:0`.
/// Throws kInput `where: …` when it breaks the grammar, is not square, or belongs to the other format.
BlockKey ParseYamlKey(const std::string& text, YamlGrammar grammar, const std::string& where);

}  // namespace nas
