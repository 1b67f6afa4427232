// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

namespace nas {

/// `nas eval` of one network: an architecture with its weights, or the network of a run.
struct EvalOptions {
  std::string arch;             ///< architecture file, with `weights`; or
  std::string weights;          ///< safetensors
  std::string run;              ///< run folder, of `search` or `train`
  std::string target;           ///< target of `run`, where it has several
  std::string data;             ///< demo | DIR | cifar10:DIR; "" = that of `run`, else demo
  int batch = 0;                ///< images per forward pass; 0 = 250 (64 from 128 pixels on)
  std::string device = "auto";  ///< auto | cpu | cuda[:i]
  std::uint64_t seed = 0;       ///< of the split where the data has no test folder; a run's own seed wins
  int threads = 1;

  /// Throws kUsage naming flag, value and what is legal.
  void Validate() const;
};

}  // namespace nas
