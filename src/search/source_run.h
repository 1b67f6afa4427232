// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "nas/search/search_options.h"
#include "nas/train/checkpoint.h"

namespace nas {

/// One target of a run that is read again, from its config.json and, once it is finished, its result.json.
struct SourceTarget {
  std::string name;                ///< "cpu", "macs", …
  std::optional<double> budget;    ///< in the target's unit
  double low = 0, high = 0;        ///< reachable range
  std::optional<double> expected;  ///< E at the end of the search; nullopt while it runs

  /// Where the budget lies in the range, 0…1; 1 = unconstrained.
  double position() const;
  /// The search ended at its budget, so latency shaped the probabilities.
  bool pressed() const;
};

/// The folder of a search as a source of weights and alphas: `eval --supernet RUN`, `search --from RUN`.
struct SourceRun {
  std::string path;
  SearchOptions options;  ///< of the run
  int classes = 0;
  std::vector<SourceTarget> targets;

  /// The newest checkpoint. Throws kInput when there is none.
  Checkpoint Newest() const;
};

/// Throws kInput when the folder is not that of a search, or its files are damaged.
SourceRun ReadSourceRun(const std::string& run);

}  // namespace nas
