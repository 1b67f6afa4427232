// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "verb.h"

namespace nas::cli {

/// `nas submit`: batch jobs and sweeps, on Slurm or here.
Run ConfigureSubmit(FlagSet& flags);

/// The words of the command line for the parser, last one first as it wants them: of `submit` only those before `--`
/// (the rest belongs to another verb), and --sweep in front of each of its values.
std::vector<std::string> WordsToParse(const std::vector<std::string>& argv);

}  // namespace nas::cli
