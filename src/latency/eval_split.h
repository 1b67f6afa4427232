// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "nas/latency/importer.h"

namespace nas {

/// `random:N`, `leave:COL=VAL`, `nets:N`, … taken apart.
struct SplitSpec {
  enum class Kind { kRandom, kLeave, kNets, kHeldOut, kRun };
  Kind kind = Kind::kRandom;
  int count = 0;         ///< random, nets: items that fit; run: the run that tests
  std::string column;    ///< leave
  std::string relation;  ///< "=", ">=", "<=", ">", "<"
  std::string value;
};

/// Throws kUsage with the known forms, or the known columns.
SplitSpec ParseSplit(const std::string& text);

/// Whether a row is left out by a `leave` split: globs for `=`, numbers otherwise.
bool LeavesOut(const SplitSpec& split, const ImportedRow& row);

}  // namespace nas
