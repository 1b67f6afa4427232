// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "nas/core/error.h"
#include "nas/dist/liveness.h"

namespace at {
class Tensor;
}

namespace nas {

/// Another rank is lost, or has ended the run for all: `kind` is that of its record (kCheckpointed where there is
/// none).
class RankLost : public Error {
 public:
  RankLost(ErrorKind kind, const std::string& message, bool told) : Error(kind, message), told_(told) {}
  bool told() const { return told_; }  ///< another rank has said why already

 private:
  bool told_;
};

/// Thrown on ranks other than 0 where all ranks have agreed to end: rank 0 says why, the others follow it.
struct FollowRankZero {};

/// A collective that is under way. The tensor belongs to it until `Wait` returns.
class Pending {
 public:
  virtual ~Pending() = default;
  /// Blocks until the sum is there. Throws kCheckpointed when another rank is lost, naming the cause.
  virtual void Wait() = 0;
};

/// What went over the wire so far, as this rank sees it.
struct CommStats {
  std::int64_t calls = 0;
  std::int64_t bytes = 0;  ///< of the tensors and spans handed over, not of the algorithm's messages
  double seconds = 0;      ///< spent in blocking calls and in `Pending::Wait`
};

/// How the ranks of a run talk (cluster.md §1). All calls are collective: every rank makes the same ones in the same
/// order. A lost rank or a deadline makes them throw kCheckpointed (the run goes on from its last checkpoint).
class Communicator {
 public:
  virtual ~Communicator() = default;
  virtual int Rank() const = 0;
  virtual int Size() const = 0;
  virtual int LocalRank() const = 0;
  virtual CommStats Stats() const = 0;

  /// Sum over all ranks, in place; contiguous float or double tensors. Equal bits on all ranks.
  virtual std::unique_ptr<Pending> AllReduceSum(at::Tensor& flat) = 0;
  /// The same for host numbers, at once.
  virtual void AllReduceSum(std::span<double> host) = 0;
  virtual void Broadcast(std::span<std::byte> bytes, int root) = 0;
  virtual void Broadcast(at::Tensor& tensor, int root) = 0;
  /// One text of each rank, in rank order.
  virtual std::vector<std::string> AllGather(std::string_view mine) = 0;
  /// `all`: [R, *mine.shape], filled in rank order.
  virtual void AllGather(const at::Tensor& mine, at::Tensor& all) = 0;
  /// Waits for all ranks; the message of a timeout shows the name.
  virtual void Barrier(std::string_view name) = 0;

  /// Notes beside the collectives, kept by the store where the ranks have met. `Await` takes as long as it has to.
  virtual void Publish(const std::string& key, const std::string& text) = 0;
  virtual std::string Await(const std::string& key) = 0;
  /// Where this rank is, for the others' watch over it; costs nothing.
  virtual void Progress(std::int64_t step, std::string_view phase) = 0;
  /// Ends the run for all ranks; false when another rank has done so before, whose word then counts.
  virtual bool Abort(const AbortRecord& record) = 0;
  /// The end: rank 0 leaves its code, and waits a short while for the others to read it (it may keep the store).
  virtual void Leave(int exit) = 0;
  /// Waits for rank 0's end and returns its code.
  virtual int Follow() = 0;
};

/// A text of any length from one rank to all.
std::string BroadcastText(Communicator& communicator, const std::string& text, int root);

/// Rank 0 of 1: every call returns at once.
std::unique_ptr<Communicator> MakeSingleCommunicator();

struct GlooOptions {
  int rank = 0;
  int size = 1;
  int local_rank = 0;
  std::string master_addr = "127.0.0.1";
  int master_port = 0;
  /// Rank 0 listens on this descriptor (bound and listening); −1 = it binds `master_port` itself.
  int listen_fd = -1;
  bool host_store = true;         ///< false: the launcher hosts the store, rank 0 is a client, too
  std::string prefix = "nas";     ///< of the store's keys
  double rendezvous_s = 600;      ///< for all ranks to come
  double collective_s = 600;      ///< for one collective
  std::string interface_address;  ///< own address; "" = that of the route to the master
  bool parent_tells = false;      ///< whoever has started the ranks says which one died
  bool watch = false;             ///< heartbeats, and the watch over them
  LivenessOptions liveness;       ///< rank and size are set from those above
};

/// Meets the other ranks at the master's address and makes c10d groups with Gloo. Throws kUnavailable naming host and
/// port when the ranks do not come together in time, and when the port is taken.
std::unique_ptr<Communicator> MakeGlooCommunicator(const GlooOptions& options);

}  // namespace nas
