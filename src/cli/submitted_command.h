// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "session.h"

namespace nas::cli {

/// The words after `--` of `nas submit`, taken apart.
struct SubmittedCommand {
  std::vector<std::string> args;  ///< verb and flags, without --out and --resume
  std::string out;                ///< of --out; "" = not given
};

/// Takes --out out of the words. Throws kUsage: no verb, a verb that cannot be submitted, or a flag that `submit` sets.
SubmittedCommand TakeApart(const std::vector<std::string>& words);

/// Reads the words by the verb's own parser. Throws kUsage (unknown flag, bad unit) or kInput (--config file).
void CheckFlags(const std::vector<std::string>& args);

/// Tries the run without starting it (`--dry-run`): files, data, reachability of each target. Throws what it refused.
void TryRun(const std::vector<std::string>& args, const Session& session);

}  // namespace nas::cli
