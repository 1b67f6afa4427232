// SPDX-License-Identifier: Apache-2.0
#include "nas/dist/rank_log.h"

#include <unistd.h>

#include "nas/core/error.h"
#include "nas/core/files.h"
#include "nas/core/log.h"
#include "nas/core/machine.h"
#include "nas/core/text.h"

namespace nas {

void OpenRankLog(Communicator& ranks, const std::filesystem::path& run) {
  if (ranks.Size() == 1) return;
  const bool root = ranks.Rank() == 0;
  if (root) MakeDirectory(run / "logs");
  const std::filesystem::path logs = BroadcastText(ranks, (run / "logs").string(), 0);
  std::error_code ignored;
  if (!root && !std::filesystem::is_directory(logs, ignored)) return;
  try {
    AddLogFile((logs / StrCat("rank-", ranks.Rank(), ".log")).string());
  } catch (const Error&) {
    if (root) throw;
    return;  // only rank 0 has to write
  }
  LogDebug(
      StrCat("rank ", ranks.Rank(), " of ", ranks.Size(), ", process ", ::getpid(), " on ", ProbeMachine().hostname));
}

}  // namespace nas
