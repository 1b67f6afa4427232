// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>

#include "flag_set.h"
#include "session.h"

namespace nas::cli {

/// What a verb does once its flags have been read; returns the exit code, or throws `nas::Error`.
using Run = std::function<int(const Session& session)>;

/// One subcommand: its name, its line in the overview, and the function that declares its flags and returns what to
/// run.
struct Verb {
  const char* name;
  const char* summary;
  Run (*configure)(FlagSet& flags);
};

/// Two examples under the flags of a verb's help.
void SetExamples(FlagSet& flags, const std::string& examples);

}  // namespace nas::cli
