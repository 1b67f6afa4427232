// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>

#include "nas/dist/communicator.h"
#include "nas/dist/rank_options.h"
#include "session.h"

namespace nas::cli {

/// What a verb gets of its process' place among the ranks of a run.
struct RankSeat {
  Communicator* ranks = nullptr;  ///< null = this process is alone
  std::string host;
  std::string hello;  ///< JSON {must, may}
  bool root() const { return ranks == nullptr || ranks->Rank() == 0; }
};

/// Runs `work` alone, or, where a launcher has started several processes, as one rank of them: meets the others before,
/// and sees to it that all end with the same code and one sentence (cluster.md §5). `out`: the run folder, where the
/// ranks find each other when a port that nobody has given is taken; "" = there is none.
int WithRanks(const Session& session, const RankOptions& options, const std::string& out,
              const std::function<int(const RankSeat&)>& work);

}  // namespace nas::cli
