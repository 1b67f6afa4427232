// SPDX-License-Identifier: Apache-2.0
#include "rank_session.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <thread>

#include <torch/version.h>

#include <nlohmann/json.hpp>

#include "cluster_env.h"
#include "error_report.h"
#include "nas/core/error.h"
#include "nas/core/log.h"
#include "nas/core/machine.h"
#include "nas/core/text.h"
#include "nas/core/version.h"
#include "nas/dist/meeting.h"
#include "rank_flags.h"

namespace nas::cli {
namespace {

constexpr double kRendezvousSeconds = 600;
constexpr std::chrono::milliseconds kLastWord{700};

std::string Variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

std::unique_ptr<Communicator> Meet(const RankEnv& env, const RankOptions& options, const std::string& out,
                                   const std::string& host) {
  GlooOptions gloo;
  gloo.rank = env.rank;
  gloo.size = env.size;
  gloo.local_rank = std::max(0, env.local_rank);
  gloo.master_addr = env.master_addr;
  gloo.master_port = env.master_port;
  gloo.host_store = !env.agent_store;
  gloo.prefix = env.run_key;
  gloo.rendezvous_s = kRendezvousSeconds;
  gloo.collective_s = options.stall_s;
  gloo.interface_address = options.interface_address;
  gloo.parent_tells = !Variable("NAS_LAUNCHED_HERE").empty();
  long long fd = -1;
  if (env.rank == 0 && ParseInt(Variable("NAS_STORE_FD"), &fd)) gloo.listen_fd = static_cast<int>(fd);
  gloo.watch = true;
  gloo.liveness.host = host;
  gloo.liveness.dead_after_s = options.dead_after_s;
  gloo.liveness.beat_s = std::min(5.0, options.dead_after_s / 4);
  gloo.liveness.stall_s = options.stall_s;
  gloo.liveness.leave = [] { ::_exit(ExitCode(ErrorKind::kCheckpointed)); };
  if (env.port_given || out.empty()) return MakeGlooCommunicator(gloo);
  return MeetRanks(gloo, RendezvousFile(out, env.run_key));
}

/// Groups wait for lost ranks when they are taken down: after a loss the process ends as it is.
[[noreturn]] void LeaveAtOnce(int exit) {
  std::cout.flush();
  std::cerr.flush();
  ::_exit(exit);
}

}  // namespace

int WithRanks(const Session& session, const RankOptions& options, const std::string& out,
              const std::function<int(const RankSeat&)>& work) {
  const RankEnv env = ReadRankEnv(options.ranks);
  const MachineInfo machine = ProbeMachine();
  if (env.alone()) return work({nullptr, machine.hostname, ""});
  // What all ranks would say is said once.
  if (env.rank != 0) ConfigureLog({LogLevel::kError, false, ""});
  const auto communicator = Meet(env, options, out, machine.hostname);
  Communicator& ranks = *communicator;
  const Json must{{"version", kVersion},
                  {"build", ProgramBuild(session)},
                  {"libtorch", TORCH_VERSION},
                  {"instruction set", Join(machine.features, " ")}};
  const RankSeat seat{&ranks, machine.hostname, Json{{"must", must}, {"may", Json::object()}}.dump()};
  const auto fail = [&](const std::exception& error, int exit) {
    const std::string text = error.what();
    // A stop is agreed: the others wait for rank 0 already.
    const bool agreed = env.rank == 0 && exit == ExitCode(ErrorKind::kCheckpointed);
    if (agreed || ranks.Abort({env.rank, machine.hostname, exit, text.substr(0, text.find('\n')), /*told=*/true})) {
      ReportException(error, session.debug);
    }
    ranks.Leave(exit);
    LeaveAtOnce(exit);
  };
  const auto tell = [&](const RankLost& lost) {
    // Other ranks show errors only.
    if (env.rank == 0) {
      ReportException(lost, session.debug);
    } else {
      LogError(lost.what());
    }
  };
  try {
    const int exit = work(seat);
    ranks.Leave(exit);
    return exit;
  } catch (const FollowRankZero&) {
    try {
      return ranks.Follow();
    } catch (const RankLost& lost) {
      if (!lost.told()) tell(lost);
      LeaveAtOnce(ExitCode(lost.kind()));
    }
  } catch (const RankLost& lost) {
    if (!lost.told()) tell(lost);
    const int exit = ExitCode(lost.kind());
    ranks.Abort({env.rank, machine.hostname, exit, lost.what(), /*told=*/true});
    // The store may be rank 0's: time to hear why.
    if (env.rank == 0) std::this_thread::sleep_for(kLastWord);
    LeaveAtOnce(exit);
  } catch (const Error& error) {
    fail(error, ExitCode(error.kind()));
  } catch (const std::exception& error) {
    fail(error, ExitCode(ErrorKind::kInternal));
  }
  return ExitCode(ErrorKind::kInternal);
}

}  // namespace nas::cli
