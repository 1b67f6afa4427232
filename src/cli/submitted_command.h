// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
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

/// What a trial tells about the run to come.
struct Trial {
  std::map<std::string, std::string> tables;  ///< latency table of each target by its folder under targets/
  double step_s = 0;                          ///< of one weight step and one architecture step here; 0 = not known
  double checkpoint_bytes = 0;                ///< weights and momentum; 0 = not known
};

/// Tries the run without starting it (`--dry-run`): files, data, reachability of each target. Throws what it refused.
Trial TryRun(const std::vector<std::string>& args, const Session& session);

/// The tables of the targets among the words, found by name alone, for runs that cannot be tried here. Throws kInput
/// for a target that means the present machine.
Trial NamedTables(const std::vector<std::string>& args, const Session& session);

}  // namespace nas::cli
