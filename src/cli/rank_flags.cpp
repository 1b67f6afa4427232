// SPDX-License-Identifier: Apache-2.0
#include "rank_flags.h"

#include <algorithm>
#include <cstdlib>
#include <iostream>

#include "nas/core/error.h"
#include "nas/core/subprocess.h"
#include "nas/core/text.h"
#include "nas/core/units.h"
#include "nas/dist/rank_launcher.h"

namespace nas::cli {
namespace {

constexpr double kSlurmDeadline = 10;

std::string FirstHostOf(const std::string& nodelist) {
  SubprocessOptions options;
  options.argv = {"scontrol", "show", "hostnames", nodelist};
  options.deadline_s = kSlurmDeadline;
  const SubprocessResult result = RunSubprocess(options);
  if (result.exit_code == 0) return Trim(Split(result.out, '\n')[0]);
  // A list of one plain name needs no Slurm.
  return nodelist.find_first_of("[,") == std::string::npos ? nodelist : "";
}

std::string Variable(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value == nullptr ? "" : value;
}

}  // namespace

void AddRankFlags(FlagSet& flags, RankOptions* o, bool supernet) {
  flags.Group("Several processes");
  flags.Add("--ranks", &o->ranks, "processes on this machine; 0: one, or as torchrun, mpirun or srun started them");
  flags.Add("--shards", &o->shards,
            "slices of a batch with BN statistics of their own; part of the run's identity; 0: one per rank");
  flags.AddChoice("--reduce", &o->reduce, {"ring", "tree"},
                  "order of sums; tree: the same bits for any number of ranks that are powers of two");
  if (supernet) {
    flags.AddSwitch("--path-per-rank", &o->path_per_rank, "each shard trains a path of its own in weight steps");
  }
  flags.AddSwitch("--sync-bn", &o->sync_bn,
                  "BN statistics over all processes' images, a message per layer; for fewer than 16 images each");
  flags.AddParsed(
      "--bucket", "BYTES", [o](const std::string& text) { o->bucket_bytes = ParseBytes(text).value; },
      [o] { return ToString(Bytes{o->bucket_bytes}); }, "least size of a message of gradients, 1MiB or more");
  flags.AddParsed(
      "--dead-after", "TIME", [o](const std::string& text) { o->dead_after_s = ParseSeconds(text); },
      [o] { return StrCat(o->dead_after_s, "s"); }, "a process without a heartbeat for so long is lost");
  flags.AddParsed(
      "--stall-timeout", "TIME", [o](const std::string& text) { o->stall_s = ParseSeconds(text); },
      [o] { return StrCat(o->stall_s, "s"); }, "so is one that stands at the same step; deadline of a message");
  flags.Add("--interface", &o->interface_address, "own address for messages; by default that of the route to rank 0");
}

RankEnv ReadRankEnv(int asked_ranks) {
  Environment environment;
  for (const std::string& name : RankVariables()) {
    const std::string value = Variable(name);
    if (!value.empty()) environment[name] = value;
  }
  return ParseRankEnv(environment, asked_ranks, FirstHostOf);
}

int RankThreads(const Session& session) {
  long long here = 0;
  if (session.threads_given || !ParseInt(Variable("LOCAL_WORLD_SIZE"), &here) || here < 2) return session.threads;
  return std::max(1, session.threads / static_cast<int>(here));
}

std::optional<int> LaunchRanksHere(const Session& session, const RankOptions& options) {
  if (options.ranks < 2 || !ReadRankEnv(options.ranks).alone()) return std::nullopt;
  LaunchOptions launch;
  launch.argv = session.argv;
  launch.argv[0] = (session.bin_dir.parent_path() / "libexec" / "nas-torch").string();
  launch.ranks = options.ranks;
  launch.stop = session.stop;
  return LaunchRanks(launch);
}

}  // namespace nas::cli
