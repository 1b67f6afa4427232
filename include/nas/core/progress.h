// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace nas {

/// One look at long work. Fields that do not apply stay empty or negative.
struct ProgressState {
  std::string phase;                                        ///< "profile", "warm-up", "search", "train", …
  double done = 0;                                          ///< finished units of this phase
  double total = 0;                                         ///< units of this phase; 0 = unknown
  std::vector<std::pair<std::string, std::string>> fields;  ///< shown in order: {"loss", "1.234"}, {"img/s", "512"}
  double seconds_left = -1;                                 ///< of the whole command, when it can be told
};

/// Where progress goes. Libraries report; the command decides how it looks.
class Progress {
 public:
  virtual ~Progress() = default;
  virtual void Update(const ProgressState& state) = 0;
  /// Clears what is on the screen; called before results are printed.
  virtual void Finish() = 0;
};

enum class ProgressStyle { kAuto, kBar, kPlain, kNone, kJson };

/// kAuto: a bar on a terminal, elsewhere a plain line every 30 s. All styles write to stderr. A bar is redrawn at most
/// ten times a second; `fallback_columns` (the caller's COLUMNS) is its width where the terminal does not tell.
std::unique_ptr<Progress> MakeProgress(ProgressStyle style, bool color, int fallback_columns = 80);

}  // namespace nas
