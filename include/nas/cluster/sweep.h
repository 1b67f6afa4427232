// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace nas {

/// One dimension of a sweep: a flag and the values it takes.
struct SweepAxis {
  std::string name;                 ///< long flag without dashes, or a dotted key of the configuration
  std::vector<std::string> values;  ///< `a..b[:step]` spelled out; '+' still joins the targets of one run
};

/// Reads `seed=0..4`, `seed=0..8:2`, `target=cpu=5ms,cpu=8ms+macs=50M`: the name ends at the first '='. Throws kUsage.
SweepAxis ParseSweepAxis(const std::string& word);

/// Whether a command of `nas` (verb first) writes a run folder and can go on in it: `search` and `train`, not `eval`.
bool TakesRunFolder(const std::vector<std::string>& args);

/// One run of a sweep.
struct SweepPoint {
  int index = 0;
  std::vector<std::string> args;  ///< of `nas`: verb, the common words, then this point's values
  std::string run;                ///< run folder: `<sweep>/<index>-<values>`
};

/// The product of all axes, the last one fastest. `command`: verb and the words that all runs share. Throws kUsage when
/// an axis is given twice or the product has more than 10,000 runs.
std::vector<SweepPoint> ExpandSweep(const std::vector<SweepAxis>& axes, const std::vector<std::string>& command,
                                    const std::filesystem::path& sweep);

/// sweep.jsonl of the folder: one line {index, args, run} per run.
void WriteSweep(const std::filesystem::path& sweep, const std::vector<SweepPoint>& points);
/// Throws kInput when there is none or it is damaged, naming the line.
std::vector<SweepPoint> ReadSweep(const std::filesystem::path& sweep);
bool IsSweep(const std::filesystem::path& folder);

}  // namespace nas
